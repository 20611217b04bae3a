"""Read: a file as numbered lines."""

import io
import os
from typing import BinaryIO

from loom_core.errors import ToolError
from loom_core.tools.builtin.nearby import is_directory, missing
from loom_core.tools.builtin.paths import WHOLE, open_regular, shown
from loom_core.tools.builtin.text_file import SNIFFED, Encoding, detect, lines
from loom_core.tools.spec import ToolContext, ToolOutput
from loom_core.tools.text import visible

_LONGEST = 2_000  # characters of a line
_PAGE = 28_000  # characters of a result, below the limit at which any result loses its middle


def read_file(path: str, context: ToolContext, *, offset: int, limit: int) -> ToolOutput:
    """At most `limit` lines from the one numbered `offset`; the whole file counts as seen by the model."""
    target = context.workspace.resolve(path)
    name = shown(target, context.workspace)
    if target.is_dir():
        raise is_directory(target, context.workspace)
    try:
        file = open_regular(target, name)
    except FileNotFoundError:
        raise missing(target, context.workspace) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > WHOLE:
            return _content(file, file.read(SNIFFED), size, name, offset=offset, limit=limit)
        data = file.read(WHOLE)
    context.files.seen(target, data)
    return _content(io.BytesIO(data), data[:SNIFFED], len(data), name, offset=offset, limit=limit)


def _content(file: BinaryIO, head: bytes, size: int, name: str, *, offset: int, limit: int) -> ToolOutput:
    encoding = detect(head)
    if encoding is None:
        return ToolOutput(content=f"[{name} is a binary file of {size:,} bytes, which cannot be shown as text.]")
    if not size:
        return ToolOutput(content=f"[{name} is empty.]")
    return ToolOutput(content=_page(file, encoding, size, offset=offset, limit=limit))


def _page(file: BinaryIO, encoding: Encoding, size: int, *, offset: int, limit: int) -> str:
    """The lines from `offset`, as many as are wanted and fit, and what a reader must know besides."""
    shown_lines: list[str] = []
    notes: list[str] = []
    room = _PAGE
    number = 0
    for number, line in enumerate(lines(file, encoding, longest=_LONGEST), start=1):
        if number < offset:
            continue
        text = visible(line.text) + (f" [... {line.left_out:,} more characters in this line]" if line.left_out else "")
        room -= len(text) + 8  # the number, the tab and the line's end
        if shown_lines and (room < 0 or len(shown_lines) == limit):
            following = f"[Lines {offset} to {number - 1} of a file of {size:,} bytes; more follow: offset={number}.]"
            notes.append(following)
            break
        shown_lines.append(f"{number:>6}\t{text}")
    if not shown_lines:
        raise ToolError(f"the file has only {number:,} lines; there is none at offset={offset}")
    if encoding.name != "utf-8":
        notes.append(f"[The file is encoded in {encoding.name}.]")
    return "\n".join([*shown_lines, *notes])
