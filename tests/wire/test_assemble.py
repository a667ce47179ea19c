import orjson
from hypothesis import given
from hypothesis import strategies as st

from clawgw.cache.split import split
from clawgw.wire.assemble import Assembly
from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Done, UsageReport
from clawgw.wire.usage import usage_from_counts
from tests.cache.answers import completions

PLENTY = 10**9
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def chunk(*choices: dict[str, object], **more: object) -> Chunk:
    return Chunk({**HEAD, **more, "choices": list(choices)}, commits=True)


def assembled(*choices: dict[str, object], most: int = PLENTY) -> Completion | None:
    assembly = Assembly(most)
    for choice in choices:
        assembly.take([chunk(choice)])
    assembly.take([Done()])
    return assembly.completion()


def only_choice(*choices: dict[str, object]) -> dict[str, object]:
    completion = assembled(*choices)
    assert completion is not None
    [choice] = completion.body["choices"]
    return dict(choice)


def delta(finish: str | None = None, **members: object) -> dict[str, object]:
    return {"index": 0, "delta": members, "logprobs": None, "finish_reason": finish}


def test_a_chat_in_pieces() -> None:
    assembly = Assembly(PLENTY)
    usage = usage_from_counts(7, 2)
    assembly.take(
        [
            chunk(delta(role="assistant", content=""), system_fingerprint=None),
            chunk(delta(content="Hel"), system_fingerprint="fp"),
            UsageReport(usage_from_counts(7, 0)),
        ]
    )
    assembly.take([chunk(delta(content="lo"), system_fingerprint=None)])
    assembly.take([chunk(delta("stop")), UsageReport(usage), Done()])
    assert assembly.completion() == Completion(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 7,
            "model": "m",
            "system_fingerprint": "fp",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hello"},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": usage.body,
        },
        usage,
        "stop",
    )


def test_tool_calls_go_by_their_index() -> None:
    begin_0 = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    begin_1 = {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    more_0 = {"index": 0, "function": {"arguments": '{"x"'}}
    end_0 = {"index": 0, "function": {"arguments": ":1}"}}
    choice = only_choice(
        delta(role="assistant", tool_calls=[begin_0]),
        delta(tool_calls=[more_0, begin_1]),
        delta(tool_calls=[end_0]),
        delta("tool_calls"),
    )
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }


def test_details_of_another_type_are_another_item_at_the_same_index() -> None:
    choice = only_choice(
        delta(reasoning_details=[{"index": 0, "type": "reasoning.text", "text": "I ", "signature": None}]),
        delta(reasoning_details=[{"index": 0, "type": "reasoning.text", "text": "think", "signature": "s"}]),
        delta("stop", reasoning_details=[{"index": 0, "type": "reasoning.encrypted", "data": "x"}]),
    )
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_details": [
            {"index": 0, "type": "reasoning.text", "text": "I think", "signature": "s"},
            {"index": 0, "type": "reasoning.encrypted", "data": "x"},
        ],
    }


def test_audio_is_one_object_and_logprobs_one_list() -> None:
    first: dict[str, object] = {
        "index": 0,
        "delta": {"audio": {"id": "a", "data": "AA", "expires_at": 1}},
        "logprobs": {"content": [{"token": "x"}], "refusal": None},
        "finish_reason": None,
    }
    second: dict[str, object] = {
        "index": 0,
        "delta": {"audio": {"data": "BB", "transcript": "hi", "expires_at": 2}},
        "logprobs": {"content": [{"token": "y"}], "refusal": None},
        "finish_reason": "stop",
    }
    choice = only_choice(first, second)
    assert choice["logprobs"] == {"content": [{"token": "x"}, {"token": "y"}], "refusal": None}
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "audio": {"id": "a", "data": "AABB", "transcript": "hi", "expires_at": 2},
    }


def test_what_names_something_is_no_text_that_goes_on() -> None:
    choice = only_choice(
        delta(channel="analysis", reasoning="a"),
        delta(channel="analysis", reasoning="b"),
        delta("stop", channel="final", name="assistant"),
    )
    message = {"role": "assistant", "content": None, "channel": "final", "name": "assistant", "reasoning": "ab"}
    assert choice["message"] == message
    safe = {"index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}
    assert only_choice(safe, safe) == safe


def test_what_is_not_as_it_should_be_is_left_out() -> None:
    assert only_choice({"index": 0, "text": "a", "delta": []}) == {
        "index": 0,
        "text": "a",
        "message": {"role": "assistant", "content": None},
    }


def test_texts_and_the_order_of_choices() -> None:
    assembly = Assembly(PLENTY)
    for index, text, finish in ((1, "b", None), (0, "a", "length"), (1, "c", "stop")):
        choice = {"index": index, "text": text, "finish_reason": finish}
        assembly.take([chunk(choice, object="text_completion")])
    completion = assembly.completion()
    assert completion is not None
    assert completion.body["object"] == "text_completion"
    assert completion.body["choices"] == [
        {"index": 0, "text": "a", "finish_reason": "length"},
        {"index": 1, "text": "bc", "finish_reason": "stop"},
    ]
    assert (completion.usage, completion.finish_reason) == (None, "length")


def test_what_was_said_beside_the_choices_is_kept() -> None:
    assembly = Assembly(PLENTY)
    assembly.take([chunk(delta("stop", content="x")), chunk(moderation={"flagged": False}), Done()])
    completion = assembly.completion()
    assert completion is not None
    assert completion.body["moderation"] == {"flagged": False}


def test_nothing_said_is_no_answer() -> None:
    assert assembled() is None


def test_beyond_the_bound_nothing_is_kept() -> None:
    pieces = [delta(content="x" * 100) for _ in range(10)]
    assert assembled(*pieces, most=2_000) is not None
    assert assembled(*pieces, most=1_000) is None
    assert assembled(delta(content=["x" * 100] * 10), most=1_000) is None


def test_the_chunks_stay_as_they_are() -> None:
    said = chunk(delta(tool_calls=[{"index": 0, "function": {"arguments": "a"}}]))
    written = orjson.dumps(said.body)
    assembly = Assembly(PLENTY)
    assembly.take([said, said, Done()])
    assembly.completion()
    assert orjson.dumps(said.body) == written


@given(completions())
def test_a_stream_made_of_an_answer_adds_up_to_it(completion: Completion) -> None:
    assembly = Assembly(PLENTY)
    assembly.take(list(split(completion.body, completion.usage)))
    assert assembly.completion() == completion


@given(completions(), st.data())
def test_however_texts_are_cut_they_add_up(completion: Completion, data: st.DataObject) -> None:
    assembly = Assembly(PLENTY)
    for event in split(completion.body, completion.usage):
        if isinstance(event, Chunk) and (said := _said(event)):
            cut = data.draw(st.integers(0, len(said)))
            assembly.take([_saying(event, said[:cut]), _saying(event, said[cut:])])
        else:
            assembly.take([event])
    assert assembly.completion() == completion


def _said(chunk: Chunk) -> str:
    [choice] = chunk.body["choices"]
    return str(choice.get("delta", {}).get("content") or "") if not choice.get("logprobs") else ""


def _saying(chunk: Chunk, content: str) -> Chunk:
    [choice] = chunk.body["choices"]
    cut = {**choice, "delta": {**choice["delta"], "content": content}}
    return Chunk({**chunk.body, "choices": [cut]}, commits=True)


def test_of_nothing_there_is_nothing_so_far() -> None:
    assert Assembly(PLENTY).so_far() == {}
