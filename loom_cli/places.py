"""Where loom keeps what is its own: four directories, which `LOOM_HOME` roots when it is set.

None is made by asking for it; who writes there makes it, with mode 0700.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from loom_core.runtime.session_store import FileSessionStore


def config_directory() -> Path:
    """What the user decides: settings and keys."""
    return _directory("config")


def data_directory() -> Path:
    """What the user would miss on another machine: templates, skills."""
    return _directory("data")


def state_directory() -> Path:
    """What happened: sessions, history of input."""
    return _directory("state")


def cache_directory() -> Path:
    """What can be made again."""
    return _directory("cache")


def session_store() -> "FileSessionStore":
    """The user's sessions."""
    from loom_core.runtime.session_store import FileSessionStore

    return FileSessionStore(state_directory() / "sessions")


def _directory(kind: Literal["config", "data", "state", "cache"]) -> Path:
    home = os.environ.get("LOOM_HOME")
    if home:
        return Path(home).expanduser().absolute() / kind
    import platformdirs  # 10 ms

    match kind:
        case "config":
            return platformdirs.user_config_path("loom", appauthor=False)
        case "data":
            return platformdirs.user_data_path("loom", appauthor=False)
        case "state":
            return platformdirs.user_state_path("loom", appauthor=False)
        case "cache":
            return platformdirs.user_cache_path("loom", appauthor=False)
