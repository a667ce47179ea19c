"""Whether a prompt can fit into a model's context window, judged so that none is refused that would have fitted.

Windows are published in round numbers (1,000,000 for 1,047,576), so a prompt may be 5 % over. An exact count is taken
at its word then; of an estimate only what is sure (`Count.surely`) counts, which is half of it. Answers, images, tools
and what is put around messages are left out. Whatever is too long and passes here, the provider refuses.
"""

import math

from clawgw.errors import InvalidRequest
from clawgw.policy import Target
from clawgw.tokens.prompt import Count, Prompt
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest

ROUNDING = 1.05
_WIDER = "context-1m"
"""What the `betas` of a request begin with that asks Anthropic for a wider window than the published one."""

_PARAMS: dict[type[Request], str] = {ChatRequest: "messages", TextRequest: "prompt", EmbeddingsRequest: "input"}


def needs_no_count(prompt: Prompt, window: float) -> bool:
    """Whether the prompt fits by its bytes alone, or by a window that nobody knows."""
    return window == math.inf or prompt.bytes <= window * ROUNDING or _asks_for_more(prompt.request)


def fits(count: Count, window: float) -> bool:
    """Whether the prompt may fit: False only where it surely does not."""
    return count.surely <= window * ROUNDING


def too_long(request: Request, target: Target, count: Count, window: int) -> InvalidRequest:
    """The error for a prompt that fits into no target; `target` is the one with the largest window."""
    about = "" if count.kind == "exact" else "about "
    return InvalidRequest(
        f"This model's maximum context length is {window} tokens ({target}), and the prompt is {about}{count.tokens} "
        "tokens. Shorten it.",
        code="context_length_exceeded",
        param=_PARAMS[type(request)],
    )


def _asks_for_more(request: Request) -> bool:
    betas = request.body.get("betas")
    return isinstance(betas, list) and any(str(beta).startswith(_WIDER) for beta in betas)
