"""A first import of a policy where it can do no harm: in a child process, with a deadline.

What a module does when it is imported can hang, exit or crash. The child is this module, run with the same Python that
looks for modules where this one does, and not in the working directory (`-P`). It reads the sources from its standard
input and writes what is wrong, as JSON, to its standard output.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from clawgw.config.policy_sources import PolicyName
from clawgw.config.snapshot import PolicySource
from clawgw.policies.functions import UnusableError, import_function
from clawgw.policies.modules import PolicyPackage

DEADLINE_S = 5.0


def try_import(sources: Mapping[str, PolicySource], policy: PolicyName, deadline_s: float = DEADLINE_S) -> str | None:
    """What is wrong with a policy, in one line; None: it can be imported here.

    Blocks for up to `deadline_s` seconds.
    """
    shown = sources[policy.module].shown
    try:
        child = subprocess.run(  # noqa: S603 - this module, in this Python
            [sys.executable, "-P", "-m", __name__],
            input=_order(sources, policy),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{shown}: its import has not ended after {deadline_s:g} s"
    try:
        report: str | None = json.loads(child.stdout)
    except ValueError:
        return f"{shown}: its import has ended the process (exit code {child.returncode})"
    return report


def _order(sources: Mapping[str, PolicySource], policy: PolicyName) -> bytes:
    modules = {
        name: (module.shown, str(module.path), module.source.decode("latin-1")) for name, module in sources.items()
    }
    return json.dumps({"modules": modules, "policy": attrs.asdict(policy)}).encode()


def _obey(order: bytes) -> str | None:
    wanted = json.loads(order)
    sources = {
        name: PolicySource(shown, Path(path), text.encode("latin-1"))
        for name, (shown, path, text) in wanted["modules"].items()
    }
    try:
        import_function(PolicyPackage("trial", sources), PolicyName(**wanted["policy"]))
    except UnusableError as error:
        return str(error)
    return None


def _main() -> None:
    """The child. What a policy prints goes nowhere: the report has the standard output for itself."""
    report = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with os.fdopen(report, "w") as stream:
        json.dump(_obey(sys.stdin.buffer.read()), stream)


if __name__ == "__main__":
    _main()
