import json

import h11
import pytest

from benchmarks.peers.messages import DRIP, PLAIN, TOKEN, Question, answer, burst, request


def parsed(message: bytes) -> tuple[h11.Request, bytes]:
    connection, body = h11.Connection(h11.SERVER), b""
    connection.receive_data(message)
    head = connection.next_event()
    assert isinstance(head, h11.Request)
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return head, body


@pytest.mark.parametrize(("question", "stream"), [(PLAIN, False), (DRIP, True), (burst(7), True)])
def test_a_request_is_whole(question: Question, stream: bool) -> None:  # noqa: FBT001 - a parameter of the test
    head, body = parsed(request(question, "m", {"authorization": "Bearer k"}))
    assert (head.method, head.target) == (b"POST", b"/v1/chat/completions")
    assert dict(head.headers)[b"authorization"] == b"Bearer k"
    content = json.loads(body)
    assert content["model"] == "m"
    assert content["stream"] is stream
    assert 900 < len(body) < 1100


def test_a_burst_says_how_many_events_it_wants() -> None:
    assert b"#events=7#" in request(burst(7), "m", {})


def test_the_answer_is_a_completion_of_a_kilobyte_with_one_token() -> None:
    content = json.loads(answer())["choices"][0]["message"]["content"]
    assert content.count(TOKEN) == 1
    assert 900 < len(answer()) < 1100
