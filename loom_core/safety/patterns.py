"""Patterns over paths and texts: gitignore's language for files, a plain `*` for everything else."""

import re
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

_PLAIN_NAME = re.compile(r"(?!\.{1,2}$)[^/*?\[\\!][^/*?\[\\]*")
_ANY_DEPTH = ".*"
_ANYWHERE = re.compile(r"^(?:\.?/|\*\*/)+")
_REPEATED_DEPTH = re.compile(r"\*\*(/\*\*)+")
_CLASS = re.compile(r"\[(?P<negated>[!^]?)(?P<body>\]?[^\]]*)\]")


class PathPatterns:
    """gitignore patterns as one list; letters match whatever their case.

    A pattern without a slash (but for one at its end) matches at any depth, another from the top. What is matched is
    the path and everything beneath it. `*` and `?` stay within one name, `**` does not. `!` is not understood: these
    are lists of what is meant, without exceptions. Raises `ValueError` for a pattern that can match nothing.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        # Only what needs one is made a regular expression: compiling that of the built-in lists takes 8 ms.
        self._names: dict[str, str] = {}
        self._edges: list[tuple[str, str, str]] = []
        self._globs: list[tuple[str, str]] = []
        for pattern in patterns:
            name = pattern.removesuffix("/")
            beginning, star, ending = name.lower().partition("*")
            if _PLAIN_NAME.fullmatch(name):
                self._names[name.lower()] = pattern
            elif star and not (beginning and ending) and _PLAIN_NAME.fullmatch(beginning + ending):
                self._edges.append((beginning, ending, pattern))
            else:
                self._globs.append((pattern, _translate(pattern)))
        # A name in the top directory needs no look at patterns that all speak of something further down.
        self._nested = all("/" in _ANYWHERE.sub("", pattern.strip("/")) for pattern, _ in self._globs)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join(f"({source})" for _, source in self._globs) or "(?!)", re.IGNORECASE | re.DOTALL)

    def find(self, path: str) -> str:
        """The pattern that matches this path (relative to the top, "/" between names), or an empty string."""
        for name in path.lower().split("/"):
            if name in self._names:
                return self._names[name]
            for beginning, ending, pattern in self._edges:
                if name.startswith(beginning) and name.endswith(ending):
                    return pattern
        if self._nested and "/" not in path:
            return ""
        match = self._expression.fullmatch(path)
        return "" if match is None or match.lastindex is None else self._globs[match.lastindex - 1][0]


class TextPattern(Struct, frozen=True, kw_only=True):
    r"""A text in which `*` stands for anything, and `\*` and `\\` for themselves.

    `" *"` or `":*"` at the end also matches nothing at all: `git log *` is `git log` with or without arguments, and
    never `git logout`. Matching takes linear time, whatever the pattern.
    """

    forms: tuple[tuple[str, ...], ...]
    """The literal pieces between the stars; twice, the second without the last star, where that may be missing."""

    @classmethod
    def parse(cls, source: str) -> "TextPattern":
        """The pattern as a user writes it."""
        optional = source.endswith((" *", ":*"))
        if optional:
            source = source[:-2] + " *"
        chunks, rest = [""], iter(source)
        for character in rest:
            if character == "*":
                chunks.append("")
                continue
            if character == "\\":
                following = next(rest, "")
                character = following if following in {"*", "\\"} else "\\" + following  # noqa: PLW2901
            chunks[-1] += character
        forms: tuple[tuple[str, ...], ...] = (tuple(chunks),)
        if optional:
            forms += ((*chunks[:-2], chunks[-2][:-1]),)
        return cls(forms=forms)

    @staticmethod
    def escape(text: str) -> str:
        """The pattern that matches this text and no other."""
        return text.replace("\\", "\\\\").replace("*", "\\*")

    @property
    def literal(self) -> bool:
        """Whether it matches one text only."""
        return len(self.forms[0]) == 1

    def matches(self, text: str) -> bool:
        """Whether the whole text is as the pattern says."""
        return any(text.startswith(chunks[0]) and _fits(chunks, text) for chunks in self.forms)


def _fits(chunks: tuple[str, ...], text: str) -> bool:
    """Whether the text is these chunks with anything between them; it is known to begin with the first."""
    position, end = len(chunks[0]), len(text) - len(chunks[-1])
    if len(chunks) == 1:
        return end == 0
    for chunk in chunks[1:-1]:
        found = text.find(chunk, position, end)
        if found < 0:
            return False
        position = found + len(chunk)
    return position <= end and text.endswith(chunks[-1])


def escape_path(path: str) -> str:
    """The path pattern that matches exactly this relative path (and what is beneath it)."""
    return "/" + re.sub(r"([\\*?\[])", r"\\\1", path)


def _translate(pattern: str) -> str:
    """The regular expression of a pattern, without captures."""
    if not pattern or pattern.startswith("!"):
        raise ValueError(f"path pattern {pattern!r}: write what is meant itself, for example src/** or *.py")
    names = [name for name in _REPEATED_DEPTH.sub("**", pattern).split("/") if name not in {"", "."}]
    if ".." in names:
        raise ValueError(f"path pattern {pattern!r} leads outside; start it with // for a path from the root")
    if len(names) > 1 and names[-1] == "**":
        names.pop()
    if not names:
        return ".*"
    try:
        source = "/".join(_ANY_DEPTH if name == "**" else _name(name) for name in names)
    except re.error as error:
        raise ValueError(f"path pattern {pattern!r}: {error}") from None
    start = "" if "/" in pattern.removesuffix("/") else "(?:.*/)?"
    return start + source.replace(_ANY_DEPTH + "/", "(?:.*/)?") + "(?:/.*)?"


def _name(name: str) -> str:
    """One name's expression. All stars but the last match as little as they can and never try again: linear time."""
    chunks, position = [""], 0
    while position < len(name):
        character, found = name[position], _CLASS.match(name, position)
        position += 1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "[^/]"
        elif found:
            chunks[-1] += _class(found)
            position = found.end()
        else:
            if character == "\\" and position < len(name):
                character = name[position]
                position += 1
            chunks[-1] += re.escape(character)
    first, *others = chunks
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{chunk})" for chunk in middle) + "[^/]*" + last


def _class(found: re.Match[str]) -> str:
    members = "".join(
        f"{re.escape(low)}-{re.escape(high)}" if low else re.escape(single)
        for low, high, single in re.findall(r"(.)-(.)|(.)", found["body"], re.DOTALL)
    )
    expression = f"[{'^' if found['negated'] else ''}{members}]"
    re.compile(expression)
    return f"(?!/){expression}"
