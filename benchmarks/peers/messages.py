"""What is asked and what the mock upstream answers, as bytes."""

import json
from collections.abc import Mapping

from attrs import frozen

TOKEN = "~tok~"  # noqa: S105 - a word that the load generator counts, as c/load.c knows it
QUESTION_SIZE = 900
ANSWER_SIZE = 700
PATH = "/v1/chat/completions"


@frozen
class Question:
    """What to ask for: `sign` tells the mock upstream how to answer (c/upstream.c), which then says `tokens` tokens."""

    sign: str = ""
    tokens: int = 1

    @property
    def stream(self) -> bool:
        """Whether the answer comes as one."""
        return bool(self.sign)


PLAIN = Question()
DRIP = Question("#drip#", 50)


def burst(events: int) -> Question:
    """A stream of so many events at once."""
    return Question(f"#events={events}#", events)


def request(question: Question, model: str, headers: Mapping[str, str]) -> bytes:
    """A chat completion of about 1 kB as HTTP/1.1."""
    content = f"{question.sign} {'x' * QUESTION_SIZE}"
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": question.stream}
    text = json.dumps(body).encode()
    fields = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(text)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + text


def answer() -> bytes:
    """The body of a plain answer of about 1 kB."""
    message = {"role": "assistant", "content": f"{TOKEN} {'y' * ANSWER_SIZE}"}
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    facts = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1763900000, "model": "bench"}
    return json.dumps({**facts, "choices": [choice], "usage": usage}).encode()
