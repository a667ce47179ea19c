"""What upstreams say, good and bad, as scripts of `tests.fake_upstream`. All of it in OpenAI's format."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.fake_upstream import Received, Respond, Send, Step, head, json_answer, sse_answer

TEXT = "Grüße, 世界 🌍"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
DONE = b"data: [DONE]\n\n"


def event(data: object) -> bytes:
    """A server-sent event."""
    return b"data: %b\n\n" % json.dumps(data, ensure_ascii=False).encode()


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


def says(text: str) -> bytes:
    return chunk({"content": text})


ROLE = chunk({"role": "assistant", "content": ""})
END = chunk({}, "stop") + event({"id": "c", "model": "m", "choices": [], "usage": USAGE}) + DONE


def completion(text: str = TEXT) -> list[Step]:
    """A plain answer."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}
    return json_answer(200, body)


def streamed(text: str = TEXT, sizes: Iterable[int] = ()) -> list[Step]:
    """A whole stream, in pieces of these sizes."""
    return sse_answer(ROLE + b"".join(map(says, text)) + END, sizes)


def begun(*events: bytes) -> list[Step]:
    """A stream that has said this and is not over."""
    start = head(200, [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")])
    return [Send(start), *(Send(b"%x\r\n%b\r\n" % (len(each), each)) for each in events)]


def wants_stream(received: Received) -> bool:
    return bool(json.loads(received.body).get("stream"))


def good(received: Received) -> Sequence[Step]:
    """What was asked for, plain or streamed."""
    return streamed() if wants_stream(received) else completion()


def always(steps: Sequence[Step]) -> Respond:
    """The same for every request."""
    return lambda _: steps


def error(status: int, body: object = None, **headers: str) -> Respond:
    """An error, always."""
    content = {"error": {"message": "no", "type": "no", "code": None}} if body is None else body
    return always(json_answer(status, content, [(name.replace("_", "-"), value) for name, value in headers.items()]))


QUOTA = {"error": {"message": "no credit", "type": "insufficient_quota", "code": "insufficient_quota"}}
