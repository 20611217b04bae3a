"""Write: a whole file."""

from loom_core.errors import ToolError
from loom_core.tools.builtin.diff import unified_diff
from loom_core.tools.builtin.nearby import is_directory
from loom_core.tools.builtin.paths import read_whole, shown
from loom_core.tools.builtin.replace import replace_file
from loom_core.tools.builtin.text_file import detect
from loom_core.tools.spec import ToolContext, ToolOutput


def write_file(path: str, content: str, context: ToolContext) -> ToolOutput:
    """Make `content` the whole of a file that is new or is as the model last saw it."""
    target = context.workspace.resolve(path, write=True)
    name = shown(target, context.workspace)
    if target.is_dir():
        raise is_directory(target, context.workspace)
    try:
        data = content.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"content has half a character (a lone surrogate) at position {error.start}") from error
    try:
        before: bytes | None = read_whole(target, name)
    except FileNotFoundError:
        before = None
    if before is not None:
        context.files.check(target, before)
    replace_file(target, data, name)
    context.files.seen(target, data)
    done = "Created" if before is None else "Wrote"
    return ToolOutput(
        content=f"{done} {name}: {len(content.splitlines()):,} lines, {len(data):,} bytes",
        display=_display(before or b"", content, name),
    )


def _display(before: bytes, content: str, name: str) -> str:
    encoding = detect(before)
    if encoding is None:
        return f"{name}: a binary file of {len(before):,} bytes became text"
    return unified_diff(before[len(encoding.mark) :].decode(encoding.name, "replace"), content, name)
