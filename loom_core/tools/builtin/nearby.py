"""What to tell a model whose path leads to nothing, or to a directory."""

from pathlib import Path

from loom_core.errors import ToolError
from loom_core.tools.builtin.paths import shown
from loom_core.tools.spec import Workspace

_LISTED = 20  # names


def missing(path: Path, workspace: Workspace) -> ToolError:
    """There is nothing at `path`: the error names what is nearly called so, or the directory that is not there."""
    import difflib

    directory = path.parent
    while not directory.is_dir() and directory != workspace.root:
        directory = directory.parent
    if directory != path.parent:
        return ToolError(
            f"{shown(path, workspace)} does not exist; the last directory on the way is {shown(directory, workspace)}"
        )
    names = [name.removesuffix("/") for name in _names(directory, workspace)]
    near = difflib.get_close_matches(path.name, names, n=3)
    hint = f"; did you mean {' or '.join(shown(directory / name, workspace) for name in near)}?" if near else ""
    return ToolError(f"{shown(path, workspace)} does not exist{hint}")


def is_directory(path: Path, workspace: Workspace) -> ToolError:
    """`path` is a directory where a file is wanted: the error lists it."""
    names = _names(path, workspace)
    listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    content = f"it holds {listed}" if names else "it is empty"
    return ToolError(f"{shown(path, workspace)} is a directory, not a file; {content}")


def _names(directory: Path, workspace: Workspace) -> list[str]:
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        return []
    return [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries if not workspace.denied(entry)]
