"""The two programs in C, compiled where they are needed: a mock upstream and a load generator."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

SOURCES = Path(__file__).parent / "c"
_OPTIONS = ("-O2", "-Wall", "-Wextra")
_WITH_TLS = ("-DWITH_TLS", "-lssl", "-lcrypto")


class Unavailable(Exception):
    """Something that is needed is not there; the message says what to install."""


@frozen
class Programs:
    """Where they are; whether the upstream can speak TLS."""

    upstream: Path
    load: Path
    tls: bool


def compile_programs(folder: Path) -> Programs:
    """Compile both into a folder. Raises `Unavailable`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise Unavailable("a C compiler is needed, as `cc` (Debian: apt-get install gcc libc6-dev)")
    folder.mkdir(parents=True, exist_ok=True)
    upstream, load = folder / "upstream", folder / "load"
    _compile(compiler, load)
    try:
        _compile(compiler, upstream, _WITH_TLS)
    except Unavailable:
        _compile(compiler, upstream)
        return Programs(upstream, load, tls=False)
    return Programs(upstream, load, tls=True)


def _compile(compiler: str, program: Path, options: Sequence[str] = ()) -> None:
    """Raises `Unavailable` with what the compiler says."""
    source = SOURCES / f"{program.name}.c"
    command = [compiler, *_OPTIONS, str(source), "-o", str(program), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own sources
    if done.returncode:
        raise Unavailable(f"cc cannot compile {source.name}:\n{done.stderr}")
