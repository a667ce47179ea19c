"""What a caller's key covers. Pure."""

from clawgw.config.callers import Caller
from clawgw.errors import ModelNotAllowed
from clawgw.wire.request import Request

_NAMESPACE = "openrouter/"


def check_allowed(caller: Caller, request: Request) -> None:
    """Raises `ModelNotAllowed` where a model that the request asks for is not covered."""
    if not caller.may_use(request.model):
        raise _not_allowed(request.model, "model")
    if "models" in request.body:
        _check_alternatives(caller, request.body["models"])


def _check_alternatives(caller: Caller, models: object) -> None:
    """OpenRouter turns to `models` where it cannot use `model` (openrouter.ai/docs/features/model-routing)."""
    for name in map(str, models if isinstance(models, list) else ()):
        if not (caller.may_use(name) or caller.may_use(_NAMESPACE + name)):
            raise _not_allowed(name, "models")


def _not_allowed(name: str, param: str) -> ModelNotAllowed:
    return ModelNotAllowed(f"this key may not use {name!r}: GET /v1/models lists what it may", param=param)
