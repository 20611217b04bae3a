"""A tool call as a person reads it before saying yes: exactly what would happen, with nothing hidden."""

from collections.abc import Iterator, Mapping

import msgspec

from loom_core.messages import JSON
from loom_core.safety.text import visible
from loom_core.tools.spec import Tool

_SHOWN_LINES = 12


def summarize(tool: Tool, arguments: Mapping[str, JSON], path: str = "") -> str:
    """The command of a shell, whole; the path of a file tool and what it changes; another tool's arguments as JSON.

    `path` is the real path, as the person would write it. Control and invisible characters stand as escapes.
    """
    if tool.subject_kind == "command":
        return visible(str(arguments.get(tool.subject, "")))
    if tool.subject_kind == "path":
        named = path or str(arguments.get(tool.subject, "."))
        others = {name: value for name, value in arguments.items() if name != tool.subject}
        return "\n".join((f"{tool.name} {_line(named)}", *_changes(others)))
    return f"{tool.name} {_line(_json(arguments))}"


def _changes(arguments: Mapping[str, JSON]) -> Iterator[str]:
    for name, value in arguments.items():
        if not isinstance(value, str):
            yield f"  {_line(name)}: {_line(_json(value))}"
        elif name.startswith(("old", "new")):
            yield from _lines(value, "-" if name.startswith("old") else "+")
        elif name == "content":
            yield from _lines(value, "+", whole_file=True)
        else:
            yield f"  {_line(name)}: {_line(value)}"


def _lines(text: str, mark: str, *, whole_file: bool = False) -> Iterator[str]:
    lines = visible(text).split("\n")
    if whole_file and len(lines) > 1 and not lines[-1]:
        lines.pop()  # the newline that ends a file's last line begins no other
    yield from (f"{mark} {line}" for line in lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES:
        yield f"{mark} ... and {len(lines) - _SHOWN_LINES} more lines, {len(text):,} characters in all"


def _json(value: JSON) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON of UTF-8 cannot hold
        return repr(value)


def _line(text: str) -> str:
    return visible(text).replace("\n", "\\n")
