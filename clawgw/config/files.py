"""From a command line to a configuration: which file, which variables."""

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from clawgw.config.environment import parse_env_file
from clawgw.config.load import Overrides, load
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.settings import Settings
from clawgw.config.shape import shape
from clawgw.config.snapshot import Snapshot
from clawgw.config.sources import ReadFile
from clawgw.config.toml import parse

DEFAULT_FILE = "gateway.toml"


@frozen
class Choice:
    """`--config`, `--env-file`, and what overrides the file; a reload makes the same choice again."""

    config: str | None = None
    env_file: str | None = None
    overrides: Overrides = field(factory=Overrides)


def load_chosen(choice: Choice, environ: Mapping[str, str], read_file: ReadFile) -> Snapshot:
    """Read and check the chosen configuration. The process's own variables win over those of `--env-file`.

    Without `--config` it is what `CLAWGW_CONFIG` names, else `./gateway.toml` if it is there, else the environment
    alone. Raises ConfigError.
    """
    file, text, variables = _chosen(choice, environ, read_file)
    return load(text, variables, read_file=read_file, overrides=choice.overrides, file=file)


def log_of(choice: Choice, environ: Mapping[str, str], read_file: ReadFile) -> Path:
    """`[log].path` of the chosen configuration, whatever else is wrong with it: beside it lies what finds the gateway.

    Where the text is no TOML it is the default. Raises ConfigError where the chosen files cannot be read.
    """
    file, text, _ = _chosen(choice, environ, read_file)
    try:
        settings = shape(parse(text, file.name)).settings
    except ConfigError:
        settings = Settings()
    return file.parent / settings.log.path


def _chosen(choice: Choice, environ: Mapping[str, str], read_file: ReadFile) -> tuple[Path, str, Mapping[str, str]]:
    """The configuration's file, its text, and all variables."""
    if choice.env_file is not None:
        text = _read(Path(choice.env_file), read_file)
        environ = {**parse_env_file(text, choice.env_file), **environ}
    named = choice.config or environ.get("CLAWGW_CONFIG")
    file = Path(named or DEFAULT_FILE)
    return file, _read(file, read_file, missing=None if named else ""), environ


def _read(file: Path, read_file: ReadFile, missing: str | None = None) -> str:
    try:
        return read_file(file).decode("utf-8-sig")
    except FileNotFoundError:
        if missing is not None:
            return missing
        reason = "there is no such file"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or 'no reason given'}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    raise ConfigError([Mistake(str(file), reason)])
