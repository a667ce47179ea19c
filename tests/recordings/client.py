"""The official `openai` package as the client of one replay, with every byte that it sent and got kept beside."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import openai
from attrs import define, field

from tests.recordings.exchange import Operation

TIMEOUT_S = 30.0


@define
class Got:
    """What one call brought. `bodies`: the whole answer, or a stream's chunks, as the package decoded them."""

    sent: dict[str, Any] = field(factory=dict)
    status: int = 0
    headers: Mapping[str, str] = field(factory=dict)
    raw: bytearray = field(factory=bytearray)
    bodies: list[dict[str, Any]] = field(factory=list)
    raised: openai.APIError | None = None

    @property
    def error(self) -> Any:
        """The error object of the answer or of the stream's last event, as the package hands it out."""
        return None if self.raised is None else self.raised.body


def ask(base_url: str, operation: Operation, body: Mapping[str, Any]) -> Got:
    """Send `body` as it is, read the answer to its end."""
    got = Got()
    transport = _Tee(got)
    with (
        httpx2.Client(transport=transport, timeout=TIMEOUT_S, trust_env=False) as http,
        openai.OpenAI(base_url=base_url, api_key="sk-client", max_retries=0, http_client=http) as client,
    ):
        try:
            _call(client, operation, body, got)
        except openai.APIError as error:
            got.raised = error
    return got


def _call(client: openai.OpenAI, operation: Operation, body: Mapping[str, Any], got: Got) -> None:
    match operation, body.get("stream", False):
        case "embeddings", _:
            # Not `embeddings.create`: that decodes base64, and the very answer is to be compared.
            got.bodies.append(client.post("/embeddings", body=dict(body), cast_to=dict[str, Any]))
        case "text", True:
            extra = {name: value for name, value in body.items() if name not in {"model", "prompt", "stream"}}
            for text in client.completions.create(
                model=body["model"], prompt=body["prompt"], stream=True, extra_body=extra
            ):
                got.bodies.append(text.model_dump(exclude_unset=True))
        case "text", _:
            extra = {name: value for name, value in body.items() if name not in {"model", "prompt"}}
            whole = client.completions.create(model=body["model"], prompt=body["prompt"], extra_body=extra)
            got.bodies.append(whole.model_dump(exclude_unset=True))
        case "chat", True:
            extra = {name: value for name, value in body.items() if name not in {"model", "messages", "stream"}}
            for chunk in client.chat.completions.create(
                model=body["model"], messages=body["messages"], stream=True, extra_body=extra
            ):
                got.bodies.append(chunk.model_dump(exclude_unset=True))
        case _:
            extra = {name: value for name, value in body.items() if name not in {"model", "messages"}}
            completion = client.chat.completions.create(
                model=body["model"], messages=body["messages"], extra_body=extra
            )
            got.bodies.append(completion.model_dump(exclude_unset=True))


@define
class _Tee(httpx2.BaseTransport):
    """A transport that keeps what goes through it."""

    got: Got
    inner: httpx2.HTTPTransport = field(factory=lambda: httpx2.HTTPTransport(verify=False))
    """Plain HTTP only: loading certificates would cost more than a replay."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.got.sent = json.loads(request.read())
        response = self.inner.handle_request(request)
        self.got.status = response.status_code
        self.got.headers = dict(response.headers)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=_Kept(response.stream, self.got.raw)
        )

    def close(self) -> None:
        self.inner.close()


@define
class _Kept(httpx2.SyncByteStream):
    inner: httpx2.SyncByteStream
    raw: bytearray

    def __iter__(self) -> Iterator[bytes]:
        for part in self.inner:
            self.raw += part
            yield part

    def close(self) -> None:
        self.inner.close()
