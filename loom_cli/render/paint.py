"""Lines of styled text, and the one place where they become what a terminal is sent."""

import re
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from loom_cli.render.wrap import cells, rows
from loom_core.safety.text import safe_text, visible

# SGR parameters. Only attributes and the palette's own colours, so that they fit any theme of the terminal.
_SGR = {
    "dim": "2",
    "strong": "1",
    "you": "1;36",
    "good": "32",
    "bad": "31",
    "ask": "1;33",
    "add": "32",
    "remove": "31",
    "place": "36",
}

# Blanks and a mark stand before a line's text; its other rows begin below the text.
_MARGIN = re.compile(r"[ ]*(?:[✓✗!›] )?")
_LEAST = 20
"""Columns the text of a row gets, however narrow the terminal."""


class Span(NamedTuple):
    """A piece of text in one style; the empty style is the terminal's own."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """A line of spans; bare strings have no style."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def paint(lines: Iterable[Line], *, color: bool, exact: bool = False, columns: int | None = None) -> str:
    """The lines as text, each with its newline; nothing in them controls the terminal.

    `exact` shows what steers a terminal as its escape instead of leaving it out: for what a person approves. Lines
    wider than `columns` are wrapped between words.
    """
    clean = visible if exact else safe_text
    safe = (tuple(Span(clean(span.text), span.style) for span in each) for each in lines)
    wrapped = safe if columns is None else (row for each in safe for row in _hanging(each, columns))
    return "".join("".join(_painted(span, color) for span in each) + "\n" for each in wrapped)


def _painted(span: Span, color: bool) -> str:
    if not color or not span.style or not span.text:
        return span.text
    return f"\x1b[{_SGR[span.style]}m{span.text}\x1b[0m"


def wrap(lead: Line, body: Line, columns: int, *, below: Line) -> list[Line]:
    """The body in rows of at most `columns`, the first behind `lead` and the others behind `below`."""
    room = max(columns - max(cells(_text(lead)), cells(_text(below))), _LEAST)
    pieces = [_cut(body, begin, end) for begin, end in rows(_text(body), room)]
    return [(*(below if number else lead), *piece) for number, piece in enumerate(pieces)]


def _hanging(each: Line, columns: int) -> list[Line]:
    """The line in rows, the others indented like the first."""
    text = _text(each)
    if cells(text) <= columns and "\n" not in text:
        return [each]
    margin = _MARGIN.match(text)
    end = margin.end() if margin else 0
    return wrap(_cut(each, 0, end), _cut(each, end, len(text)), columns, below=line(" " * end))


def _text(each: Line) -> str:
    return "".join(span.text for span in each)


def _cut(each: Line, begin: int, end: int) -> Line:
    """The characters from `begin` to `end`, in their styles."""
    found, passed = [], 0
    for span in each:
        text = span.text[max(begin - passed, 0) : max(end - passed, 0)]
        passed += len(span.text)
        if text:
            found.append(Span(text, span.style))
    return tuple(found)


def fit(text: str, columns: int) -> str:
    """Text as one line of at most `columns` characters; line ends become a sign, what is cut an ellipsis."""
    flat = " ⏎ ".join(part.strip() for part in text.strip().splitlines())
    return flat if len(flat) <= columns else flat[: max(columns - 1, 0)] + "…"
