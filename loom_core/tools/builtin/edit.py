"""Edit: replace an exact, unique piece of a file."""

import re
from pathlib import Path

from loom_core.errors import ToolError
from loom_core.tools.builtin.diff import unified_diff
from loom_core.tools.builtin.nearby import is_directory, missing
from loom_core.tools.builtin.not_found import not_found_because
from loom_core.tools.builtin.paths import read_whole, shown
from loom_core.tools.builtin.replace import replace_file
from loom_core.tools.builtin.text_file import SNIFFED, Encoding, detect
from loom_core.tools.spec import ToolContext, ToolOutput

_LISTED = 10  # line numbers in a message
_CRLF = "\r\n"
_LINE_END = re.compile(r"\r?\n")


def edit_file(path: str, old_string: str, new_string: str, context: ToolContext, *, replace_all: bool) -> ToolOutput:
    """Put `new_string` in the place of `old_string` in a file that is as the model last saw it."""
    target = context.workspace.resolve(path, write=True)
    name = shown(target, context.workspace)
    if not old_string:
        raise ToolError("old_string is empty; use Write to make a file or to replace all of it")
    if old_string == new_string:
        raise ToolError("old_string and new_string are the same: there is nothing to change")
    data = _known_content(target, name, context)
    encoding = detect(data[:SNIFFED])
    if encoding is None:
        raise ToolError(f"{name} is a binary file, which cannot be edited as text")
    text = _decoded(data, encoding, name)
    old, new = _with_line_ends_of(text, old_string, new_string)
    found = _line_numbers(text, old)
    if not found:
        raise ToolError(f"old_string does not stand in {name}; {not_found_because(text, old_string)}")
    if len(found) > 1 and not replace_all:
        raise ToolError(
            f"old_string stands in {name} {len(found)} times, at lines {_listed(found)}; "
            "make it longer to mean one of them, or set replace_all"
        )
    after = text.replace(old, new)
    changed = _encoded(after, encoding, name)
    replace_file(target, changed, name)
    context.files.seen(target, changed)
    places = f"at line {found[0]}" if len(found) == 1 else f"{len(found)} times, at lines {_listed(found)}"
    return ToolOutput(
        content=f"Replaced in {name} {places}",
        display=unified_diff(text.replace(_CRLF, "\n"), after.replace(_CRLF, "\n"), name),
    )


def _known_content(target: Path, name: str, context: ToolContext) -> bytes:
    if target.is_dir():
        raise is_directory(target, context.workspace)
    try:
        data = read_whole(target, name)
    except FileNotFoundError:
        raise missing(target, context.workspace) from None
    context.files.check(target, data)
    return data


def _decoded(data: bytes, encoding: Encoding, name: str) -> str:
    try:
        return encoding.decode(data)
    except UnicodeError as error:
        raise ToolError(f"{name} starts as {encoding.name} and then breaks it: {error}") from error


def _encoded(text: str, encoding: Encoding, name: str) -> bytes:
    try:
        return encoding.encode(text)
    except UnicodeEncodeError as error:
        bad = ascii(text[error.start])
        raise ToolError(f"{name} is encoded in {encoding.name}, which has no {bad}; nothing was changed") from error


def _with_line_ends_of(text: str, old: str, new: str) -> tuple[str, str]:
    """Both strings as they must be for `text`: models write LF, also for a file whose lines end with CRLF."""
    for end in ("", _CRLF, "\n"):
        candidate = _LINE_END.sub(end, old) if end else old
        if candidate in text:
            break
    else:
        return old, new
    if not end and (_CRLF in old or ("\n" not in old and text.count(_CRLF) * 2 > text.count("\n"))):
        end = _CRLF
    return candidate, _LINE_END.sub(end, new) if end else new


def _line_numbers(text: str, piece: str) -> list[int]:
    """The line at which each occurrence begins."""
    numbers: list[int] = []
    number, position = 1, 0
    while (found := text.find(piece, position)) >= 0:
        number += text.count("\n", position, found)
        numbers.append(number)
        number += piece.count("\n")
        position = found + len(piece)
    return numbers


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return ", ".join(map(str, numbers[:_LISTED])) + more
