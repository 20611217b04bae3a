"""loom: an agent runtime. Public names are imported when they are first used, so `import loom_core` costs nothing."""

import importlib
from typing import Any

from loom_core._version import __version__

_HOMES: dict[str, str] = {}

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
