"""The parts of a docstring that a model is told: what the function does, and what each parameter means."""

import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

_PARAMETERS = frozenset({"args", "arguments", "params", "parameters", "keyword args", "keyword arguments"})
_RESULTS = frozenset({"return", "returns", "yield", "yields", "raise", "raises"})
# Regular expressions, compiled (by `re` itself) with the first docstring that has such a section.
_FIELD = r":(?:param|parameter|arg|argument|key|keyword)\s(?:[^:]*\s)?(?P<name>\w+):\s*(?P<text>.*)"
_OTHER_FIELD = r":\w+(\s[^:]*)?:(\s|$)"
_GOOGLE = r"(?P<name>\w+)\s*(?:\(.*?\))?\s*:\s*(?P<text>.*)"
_NUMPY = r"(?P<name>\w+)\s*(?::.*)?(?P<text>)"

_Style: TypeAlias = Literal["text", "google", "numpy", "field", "result", "numpy result"]


class Docstring(NamedTuple):
    """What a docstring says."""

    description: str
    parameters: dict[str, str]


def parse_docstring(text: str | None) -> Docstring:
    """Read Google, NumPy and Sphinx style, told apart by what stands there; results and errors are left out."""
    description: list[str] = []
    parameters: dict[str, str] = {}
    for style, lines in _sections(inspect.cleandoc(text or "").splitlines()):
        if style == "text":
            description += lines
        elif style == "google":
            parameters.update(_entries(inspect.cleandoc("\n".join(["", *lines])).splitlines(), _GOOGLE))
        elif style == "numpy":
            parameters.update(_entries(lines[1:], _NUMPY))
        elif style == "field":
            parameters.update(_entries(lines, _FIELD))
    return Docstring("\n".join(description).strip(), parameters)


def _sections(lines: list[str]) -> Iterator[tuple[_Style, list[str]]]:
    style: _Style = "text"
    body: list[str] = []
    for line, following in pairwise([*lines, ""]):
        begun = _begins(line, following)
        if begun is None and style in {"google", "result", "field"} and line and not line[0].isspace():
            begun = "text"  # these sections are indented
        if begun is None:
            body.append(line)
            continue
        yield style, body
        style, body = begun, [line] if begun in {"text", "field"} else []
    yield style, body


def _begins(line: str, following: str) -> _Style | None:
    """The style of the section that `line` opens, if it opens one."""
    if line.startswith(":") and re.match(_OTHER_FIELD, line):
        return "field" if re.match(_FIELD, line) else "result"
    title = line.rstrip(": ").lower()
    if len(following) >= 3 and not following.strip("-"):
        return "numpy" if title in _PARAMETERS else "numpy result" if title in _RESULTS else "text"
    if line.rstrip().endswith(":"):
        return "google" if title in _PARAMETERS else "result" if title in _RESULTS else None
    return None


def _entries(lines: list[str], head: str) -> Iterator[tuple[str, str]]:
    """Name and text of each parameter; a line that is indented or is no head goes on with the one before."""
    name, words = "", list[str]()
    for line in lines:
        match = None if line[:1].isspace() else re.fullmatch(head, line)
        if match is None:
            words.append(line.strip())
            continue
        if name:
            yield name, " ".join(filter(None, words))
        name, words = match["name"], [match["text"]]
    if name:
        yield name, " ".join(filter(None, words))
