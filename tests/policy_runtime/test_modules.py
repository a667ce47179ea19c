import gc
import inspect
import sys
import traceback
import weakref
from pathlib import Path

import pytest

from clawgw.config.snapshot import PolicySource
from tests.policy_runtime.sources import package, sources


def ours() -> list[str]:
    return [name for name in sys.modules if name.startswith("clawgw_policies_")]


def test_a_modules_name_holds_the_version() -> None:
    with package(sources(one="x = 1"), version="00ff00ff00ff") as opened:
        module = opened.load("one")
        assert module.x == 1
        assert module.__name__.startswith("clawgw_policies_00ff00ff00ff")
        assert module.__name__.endswith(".one")
        assert module.__file__ == "/nowhere/policies/one.py"
        assert sys.modules[module.__name__] is module


def test_two_packages_of_one_version_do_not_share_modules() -> None:
    with package(sources(one="x = 1")) as old, package(sources(one="x = 2")) as new:
        assert (old.load("one").x, new.load("one").x) == (1, 2)


def test_a_module_is_run_once() -> None:
    with package(sources(one="from . import two", two="x = []")) as opened:
        assert opened.load("one").two is opened.load("two")


def test_siblings_are_imported_relatively_and_only_those_that_were_read() -> None:
    text = "from .two import x\ntry:\n    from . import three\nexcept ImportError:\n    three = None"
    with package(sources(one=text, two="x = 5")) as opened:
        module = opened.load("one")
        assert (module.x, module.three) == (5, None)


@pytest.mark.parametrize("text", ["import two", "from .. import os", "from .two.x import y"])
def test_nothing_else_is_found(text: str) -> None:
    with package(sources(one=text, two="")) as opened, pytest.raises(ImportError):
        opened.load("one")


def test_dataclasses_work() -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int"
    with package(sources(one=text)) as opened:
        assert opened.load("one").Point(3).x == 3


def test_annotations_are_not_those_of_clawgws_own_modules() -> None:
    with package(sources(one="def f(x: 1 + 1): pass")) as opened:
        assert opened.load("one").f.__annotations__ == {"x": 2}


def test_a_source_says_its_own_encoding() -> None:
    latin_1 = PolicySource("one.py", Path("one.py"), b"# coding: latin-1\nx = '\xe9'\n")
    with package({"one": latin_1}) as opened:
        module = opened.load("one")
        assert module.x == "é"
        assert inspect.getsource(module) == "# coding: latin-1\nx = 'é'\n"


def test_a_traceback_shows_the_line() -> None:
    with package(sources(one="def f():\n    raise KeyError(1)")) as opened:
        with pytest.raises(KeyError) as caught:
            opened.load("one").f()
        text = "".join(traceback.format_exception(caught.value))
    assert 'File "policies/one.py", line 2, in f\n    raise KeyError(1)' in text


def test_closing_leaves_nothing() -> None:
    finders = list(sys.meta_path)
    with package(sources(one="from . import two", two="def f(): return 7")) as opened:
        f = opened.load("one").two.f
        gone = weakref.ref(opened.load("two"))
    assert ours() == []
    assert sys.meta_path == finders
    assert f() == 7
    del f, opened
    gc.collect()
    assert gone() is None
