"""How these tests load a configuration: files are a dict, and mistakes are lines."""

from collections.abc import Mapping
from pathlib import Path

from clawgw.config.load import Overrides, load
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot
from clawgw.config.sources import ReadFile

FOLDER = Path("/etc/clawgw")


def reader(files: Mapping[str, bytes]) -> ReadFile:
    """Reads from a dict of absolute paths."""

    def read(path: Path) -> bytes:
        try:
            return files[str(path)]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", str(path)) from None

    return read


def snapshot(
    text: str = "",
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    overrides: Overrides | None = None,
) -> Snapshot:
    """What `load` makes of it."""
    return load(
        text,
        environ or {},
        read_file=reader(files or {}),
        overrides=overrides or Overrides(),
        file=FOLDER / "gateway.toml",
    )


def mistakes(
    text: str = "",
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    overrides: Overrides | None = None,
) -> list[str]:
    """The mistakes that `load` finds, as it would print them; none where it loads."""
    try:
        snapshot(text, environ, files, overrides)
    except ConfigError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []
