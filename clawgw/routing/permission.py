"""What a caller's key covers. Pure."""

from collections.abc import Iterator

from clawgw.config.callers import Caller
from clawgw.errors import ModelNotAllowed
from clawgw.wire.request import Request

_NAMESPACE = "openrouter/"


def check_allowed(caller: Caller, request: Request) -> None:
    """Raises `ModelNotAllowed` where a model that the request asks for is not covered."""
    if not caller.may_use(request.model):
        raise _not_allowed(request.model, "model")
    for name in _alternatives(request):
        if not (caller.may_use(name) or caller.may_use(_NAMESPACE + name)):
            raise _not_allowed(name, "models")


def _alternatives(request: Request) -> Iterator[str]:
    """OpenRouter turns to `models` where it cannot use `model` (openrouter.ai/docs/features/model-routing)."""
    models = request.body.get("models")
    yield from (str(name) for name in models) if isinstance(models, list) else ()


def _not_allowed(name: str, param: str) -> ModelNotAllowed:
    return ModelNotAllowed(f"this key may not use {name!r}: GET /v1/models lists what it may", param=param)
