from hypothesis import given
from hypothesis import strategies as st

from clawgw.cache.entry import Entry
from clawgw.policy import Target
from clawgw.wire.codec import Completion
from clawgw.wire.usage import Usage, usage_from_counts
from tests.cache.answers import completions

TARGET = Target("p", "org/m")


@given(completions(), st.floats(0, 2e9))
def test_bytes_and_back(completion: Completion, at: float) -> None:
    entry = Entry.of(completion, TARGET, ["seed"], at)
    read = Entry.decode(entry.encode())
    assert read is not None
    assert (read.body, read.at, read.provider, read.model) == (entry.body, at, "p", "org/m")
    assert (read.finish_reason, list(read.dropped)) == (completion.finish_reason, ["seed"])
    assert read.used() == completion.usage


def test_what_was_used_is_read_from_usage() -> None:
    usage = usage_from_counts(7, 5, cached=3, reasoning=2)
    assert Entry(b"{}", "p", "m", 1.0, usage.body).used() == Usage(
        prompt=7, completion=5, cached=3, reasoning=2, body=usage.body
    )
    assert Entry(b"{}", "p", "m", 1.0).used() is None


def test_an_answer_without_completion_tokens_keeps_its_usage_as_it_was() -> None:
    body = {"prompt_tokens": 3, "total_tokens": 3}
    used = Entry(b"{}", "p", "m", 1.0, body).used()
    assert used is not None
    assert (used.prompt, used.completion, used.body) == (3, 0, body)


@given(completions(), st.data())
def test_a_part_of_it_or_another_byte_in_it_is_none(completion: Completion, data: st.DataObject) -> None:
    written = Entry.of(completion, TARGET, (), 1.0).encode()
    at = data.draw(st.integers(0, len(written) - 1))
    assert Entry.decode(written[:at]) is None
    assert Entry.decode(written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :]) is None


@given(st.binary(max_size=100))
def test_foreign_bytes_are_none(data: bytes) -> None:
    assert Entry.decode(data) is None
