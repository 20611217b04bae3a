"""Glob: files by the pattern of their path."""

import os
import time
from pathlib import Path

from loom_core.errors import ToolError
from loom_core.tools.builtin.nearby import missing
from loom_core.tools.builtin.paths import shown
from loom_core.tools.builtin.patterns import PathPattern, relative_patterns
from loom_core.tools.builtin.walk import walk
from loom_core.tools.spec import ToolContext
from loom_core.tools.text import visible

_LISTED = 200  # files
_SECONDS = 20.0


def list_files(pattern: str, context: ToolContext, path: str) -> str:
    """The names of the files below `path` that `pattern` accepts, relative to the root, newest first."""
    base = context.workspace.resolve(path)
    if not base.is_dir():
        raise missing(base, context.workspace) if not base.exists() else ToolError(f"{path} is no directory")
    entries = walk(
        base,
        context.workspace.root,
        [PathPattern(each) for each in relative_patterns(pattern)],
        relative_to=base,
        denied=context.workspace.denied,
        deadline=time.monotonic() + _SECONDS,
    )
    found: list[tuple[int, str]] = []
    notes: list[str] = []
    try:
        found.extend((-_modified(entry), shown(Path(entry.path), context.workspace)) for entry in entries)
    except TimeoutError:
        notes.append(f"[stopped after {_SECONDS:g} s; there may be more]")
    if not found:
        nested = "" if "/" in pattern else f"; **/{pattern} looks in the directories below too"
        return "\n".join([f"No file matches {pattern} in {shown(base, context.workspace)}{nested}.", *notes])
    found.sort()
    if len(found) > _LISTED:
        notes.append(f"[the newest {_LISTED} of {len(found):,} files]")
    return "\n".join([*(visible(name.replace("\n", "\\n")) for _, name in found[:_LISTED]), *notes])


def _modified(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:  # deleted since it was listed
        return 0
