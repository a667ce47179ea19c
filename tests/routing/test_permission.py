from typing import Any

import pytest

from clawgw.config.callers import Caller
from clawgw.errors import ModelNotAllowed
from clawgw.routing.permission import check_allowed
from clawgw.wire.request import ChatRequest


def request(model: str, **more: Any) -> ChatRequest:
    return ChatRequest({"model": model, "messages": [], **more}, model, stream=False, include_usage=False)


@pytest.mark.parametrize(
    ("globs", "model"), [(["*"], "anything"), (["fast"], "fast"), (["gpt-*", "x/*"], "x/y/z"), (["[ab]?"], "a1")]
)
def test_a_covered_name_passes(globs: list[str], model: str) -> None:
    check_allowed(Caller("k", tuple(globs)), request(model))


def test_another_one_is_refused_by_its_own_name() -> None:
    with pytest.raises(ModelNotAllowed, match="may not use 'dear'") as caught:
        check_allowed(Caller("k", ("fast",)), request("dear"))
    assert (caught.value.status, caught.value.code, caught.value.param) == (403, "model_not_allowed", "model")


def test_openrouters_alternatives_are_models_too() -> None:
    caller = Caller("k", ("openrouter/a/*", "b"))
    check_allowed(caller, request("openrouter/a/1", models=["a/2", "openrouter/a/3", "b"]))
    with pytest.raises(ModelNotAllowed) as caught:
        check_allowed(caller, request("openrouter/a/1", models=["a/2", "c/1"]))
    assert caught.value.param == "models"


def test_a_models_field_that_is_no_list_names_none() -> None:
    check_allowed(Caller("k", ("b",)), request("b", models=None))
