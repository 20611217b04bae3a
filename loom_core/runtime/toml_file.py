"""TOML files: read with the place of a fault, written so that a crash leaves the old or the new one, whole."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loom_core.errors import ConfigError
from loom_core.messages import JSON
from loom_core.runtime.private_files import make_private_directory, replace_file, storage_errors


def read_toml(path: Path) -> dict[str, Any]:
    """The table in the file; empty where there is no file. Raises `ConfigError` naming file, line and column."""
    import tomllib

    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def write_toml(path: Path, values: Mapping[str, JSON]) -> None:
    """Replace the file's content; what it held before is kept as `NAME.bak`.

    Modes are 0600, missing directories are made with 0700, a symbolic link keeps pointing at its target, which is what
    changes. Raises `StorageError`; the file is then as it was.
    """
    import tomli_w

    data = tomli_w.dumps(values).encode()
    with storage_errors(path):
        make_private_directory(path.parent)
        with suppress(FileNotFoundError):
            replace_file(path.with_name(f"{path.name}.bak"), path.read_bytes())
        replace_file(path, data)
