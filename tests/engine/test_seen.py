from collections.abc import Mapping
from typing import Any

import pytest

from clawgw.engine.seen import Seen, Used
from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Done, Failed, Passage, UsageReport
from clawgw.wire.failure import Failure, Kind
from clawgw.wire.usage import Usage


def said(**delta: Any) -> Chunk:
    return Chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}, commits=True)


def used(seen: Seen, prompt: int = 100) -> Used:
    return seen.used(lambda: prompt)


def after(*events: Any) -> Used:
    seen = Seen()
    seen.note(events)
    return used(seen)


def estimated(prompt: int, completion: int) -> Used:
    return Used(Usage(prompt, completion), "estimated")


def test_without_an_answer_there_is_the_prompt() -> None:
    assert after() == estimated(100, 0)


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"content": "x"}, 1),
        ({"content": "abcd"}, 1),
        ({"content": "abcde"}, 2),
        ({"refusal": "I would rather not"}, 5),
        ({"reasoning": "hmm, hmm", "reasoning_content": "hmm, hmm"}, 2),
        ({"tool_calls": [{"index": 0, "function": {"name": "look", "arguments": '{"a":1}'}}]}, 3),
        ({"function_call": {"name": "look", "arguments": '{"a":1}'}}, 3),
        ({"content": 5, "refusal": ["x"], "tool_calls": [{"function": "x"}, 5], "function_call": "x"}, 0),
        ({"tool_calls": [{"index": 0, "function": {"arguments": None}}, {"index": 1}]}, 0),
        ({"audio": {"data": "AAAA"}}, 1),
        ({"role": "assistant", "content": ""}, 0),
    ],
)
def test_what_was_said_is_estimated_by_its_length(delta: Mapping[str, Any], tokens: int) -> None:
    assert after(said(**delta)) == estimated(100, tokens)


def test_characters_are_added_up_over_chunks_and_choices() -> None:
    two = Chunk({"choices": [{"delta": {"content": "ab"}}, {"delta": {"content": "c"}}]}, commits=True)
    text = Chunk({"choices": [{"text": "de"}]}, commits=True)
    assert after(two, text, Chunk({"choices": []}, commits=False)) == estimated(100, 2)


def test_a_passage_counts_as_its_texts() -> None:
    passage = Passage(b"%b", [b'"ab"', b'"cde"'], ["ab", "cde"])
    assert after(said(content="x"), passage) == estimated(100, 2)
    assert after(UsageReport(Usage(7, 1)), passage) == Used(Usage(7, 3), "estimated")


def test_what_is_reported_is_taken() -> None:
    usage = Usage(7, 2, cached=3)
    assert after(said(content="hello"), UsageReport(Usage(1, 1)), UsageReport(usage)) == Used(usage, "reported")


def test_what_comes_after_a_report_is_estimated_and_added() -> None:
    reported = UsageReport(Usage(7, 1, cached=3))
    assert after(reported, said(content="x" * 40)) == Used(Usage(7, 11, cached=3), "estimated")
    interrupted = Failed(Failure(Kind.RESET, "reset"))
    assert after(reported, said(content="x" * 40), interrupted) == Used(Usage(7, 11, cached=3), "estimated")


def test_at_the_end_a_report_is_final() -> None:
    assert after(UsageReport(Usage(7, 2)), said(content="hello"), Done()) == Used(Usage(7, 2), "reported")
    assert after(said(content="hello"), Done()) == estimated(100, 2)


def test_a_whole_answer() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}
    told, silent = Seen(), Seen()
    told.note_completion(Completion(body, Usage(7, 2), "stop"))
    silent.note_completion(Completion(body, None, "stop"))
    assert used(told) == Used(Usage(7, 2), "reported")
    assert used(silent) == estimated(100, 2)
    assert told.finish_reason == silent.finish_reason == "stop"


def test_the_reason_for_the_end_is_kept() -> None:
    seen = Seen()
    seen.note([Chunk({"choices": [{"delta": {}, "finish_reason": "length"}]}, commits=False), said(content="x")])
    assert seen.finish_reason == "length"


def test_a_prompt_is_counted_only_where_it_has_to_be() -> None:
    counted: list[int] = []

    def count() -> int:
        counted.append(1)
        return 5

    seen = Seen()
    seen.note([UsageReport(Usage(7, 2))])
    seen.used(count)
    assert counted == []
    assert Seen().used(count).usage.prompt == 5
    assert counted == [1]
