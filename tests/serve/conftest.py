from pathlib import Path

import pytest
import trio

from tests.serve.gateway import Starter


@pytest.fixture
def start(nursery: trio.Nursery, tmp_path: Path) -> Starter:
    nursery.cancel_scope.deadline = trio.current_time() + 60
    return Starter(nursery, tmp_path)
