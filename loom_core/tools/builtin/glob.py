"""Glob: files by the pattern of their path."""

import os
import time
from pathlib import Path, PurePosixPath
from typing import Annotated

from loom_core.errors import ToolError
from loom_core.tools.builtin.nearby import missing
from loom_core.tools.builtin.paths import shown
from loom_core.tools.builtin.patterns import PathPattern, expand_braces
from loom_core.tools.builtin.walk import walk
from loom_core.tools.spec import ToolContext
from loom_core.tools.text import visible

_LISTED = 200  # files
_SECONDS = 20.0


def glob(
    pattern: Annotated[str, "Relative to path; `*.py` means the files right there, `**/*.py` those below it too."],
    context: ToolContext,
    path: Annotated[str, "The directory to look in."] = ".",
) -> str:
    """List files of the workspace by a pattern such as `**/*.py` or `src/{core,cli}/*.toml`, newest first.

    `*` and `?` stay within a name, `**` stands for any directories, also none. Files that git ignores are left out.
    """
    base = context.workspace.resolve(path)
    if not base.is_dir():
        raise missing(base, context.workspace) if not base.exists() else ToolError(f"{path} is no directory")
    patterns = path_patterns(pattern)
    entries = walk(
        base,
        context.workspace.root,
        patterns,
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


def path_patterns(pattern: str) -> list[PathPattern]:
    """The compiled alternatives of a pattern. Raises `ToolError` for one that is not relative."""
    if not pattern:
        raise ToolError("the pattern is empty")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise ToolError(f"the pattern {pattern} is not relative; give the directory as path and the rest as pattern")
    try:
        return [PathPattern(str(PurePosixPath(each))) for each in expand_braces(pattern)]
    except ValueError as error:
        raise ToolError(f"the pattern {pattern} cannot be used: {error}") from error


def _modified(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:  # deleted since it was listed
        return 0
