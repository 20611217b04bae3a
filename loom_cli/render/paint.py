"""Lines of styled text, and the one place where they become what a terminal is sent."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

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


class Span(NamedTuple):
    """A piece of text in one style; the empty style is the terminal's own."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """A line of spans; bare strings have no style."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def paint(lines: Iterable[Line], *, color: bool, exact: bool = False) -> str:
    """The lines as text, each with its newline; nothing in them controls the terminal.

    `exact` shows what steers a terminal as its escape instead of leaving it out: for what a person approves.
    """
    clean = visible if exact else safe_text
    return "".join("".join(_painted(span, clean(span.text), color) for span in each) + "\n" for each in lines)


def _painted(span: Span, text: str, color: bool) -> str:
    if not color or not span.style or not text:
        return text
    return f"\x1b[{_SGR[span.style]}m{text}\x1b[0m"


def fit(text: str, columns: int) -> str:
    """Text as one line of at most `columns` characters; line ends become a sign, what is cut an ellipsis."""
    flat = " ⏎ ".join(part.strip() for part in text.strip().splitlines())
    return flat if len(flat) <= columns else flat[: max(columns - 1, 0)] + "…"
