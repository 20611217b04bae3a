"""Path patterns with `*`, `?`, `[...]` and `**`: for the Glob tool, for Grep's file filter and for .gitignore.

A pattern is matched directory by directory while a tree is walked. What it may still match is a set of positions in it,
so a directory that cannot lead to a match is never entered, and no pattern takes more than linear time.
"""

import re
from collections.abc import Iterable
from functools import reduce
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TypeAlias

from loom_core.errors import ToolError

Positions: TypeAlias = frozenset[int]

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r"\ \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_BRACKET = re.compile(r"\[(?P<not>[!^]?)(?P<members>\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]", re.DOTALL)
_MEMBER = re.compile(r"\[:\w+:\]|\\.|.", re.DOTALL)
_NOTHING = "(?!)"  # matches no name, as git has it for a bracket that is not closed
_ALTERNATIVES = 256  # of one pattern with braces


class PathPattern:
    """A pattern for paths relative to one directory."""

    def __init__(self, pattern: str) -> None:
        segments = pattern.split("/")
        if segments[-1] == "**":
            segments.append("*")  # what is below a directory, not the directory
        self._segments = [None if segment == "**" else segment_regex(segment) for segment in segments]

    @property
    def start(self) -> Positions:
        """The positions at the directory that the pattern is relative to."""
        return self._closed({0})

    def step(self, positions: Positions, name: str) -> Positions:
        """The positions at the entry `name` of a directory with these positions."""
        following: set[int] = set()
        for position in positions:
            if position == len(self._segments):
                continue
            segment = self._segments[position]
            if segment is None:
                following.add(position)
            elif segment.fullmatch(name):
                following.add(position + 1)
        return self._closed(following)

    def accepts(self, positions: Positions) -> bool:
        """Whether an entry with these positions is a match."""
        return len(self._segments) in positions

    def matches(self, names: Iterable[str]) -> bool:
        """Whether a relative path is a match."""
        return self.accepts(reduce(self.step, names, self.start))

    def _closed(self, positions: set[int]) -> Positions:
        """`**` also stands for no directory at all."""
        for position, segment in enumerate(self._segments):
            if segment is None and position in positions:
                positions.add(position + 1)
        return frozenset(positions)


def relative_patterns(pattern: str) -> list[str]:
    """The alternatives of a pattern of the Glob or Grep tool. Raises `ToolError` for one that is not relative."""
    if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
        raise ToolError(f"the pattern {pattern!r} is not relative: give the directory as path and the rest as pattern")
    try:
        return [str(PurePosixPath(each)) for each in expand_braces(pattern)]
    except ValueError as error:
        raise ToolError(f"the pattern {pattern!r} cannot be used: {error}") from error


def expand_braces(pattern: str) -> list[str]:
    """The patterns that one with `{a,b}` stands for. Raises `ValueError` when they are more than 256."""
    opening = pattern.find("{")
    cuts, depth = [opening], 0
    for index in range(opening, len(pattern) if opening >= 0 else opening):
        character = pattern[index]
        depth += (character == "{") - (character == "}")
        if depth == 0 or (depth == 1 and character == ","):
            cuts.append(index)
        if depth == 0:
            break
    else:
        return [pattern]  # none, or one that is not closed
    options = [option for a, b in pairwise(cuts) for option in expand_braces(pattern[a + 1 : b])]
    rests = expand_braces(pattern[cuts[-1] + 1 :])
    if len(options) * len(rests) > _ALTERNATIVES:
        raise ValueError(f"the braces stand for more than {_ALTERNATIVES} patterns")
    return [pattern[:opening] + option + rest for option in options for rest in rests]


def segment_regex(segment: str) -> re.Pattern[str]:
    """What one name must look like. Without backtracking: each star but the last takes as little as it can."""
    fixed = [""]
    position = 0
    while position < len(segment):
        character = segment[position]
        if character == "*":
            if fixed[-1] or len(fixed) == 1:
                fixed.append("")
        elif character == "[":
            bracket = _BRACKET.match(segment, position)
            fixed[-1] += _bracket(bracket) if bracket else _NOTHING
            position = bracket.end() - 1 if bracket else position
        elif character == "\\" and position + 1 < len(segment):
            position += 1
            fixed[-1] += re.escape(segment[position])
        else:
            fixed[-1] += "." if character == "?" else re.escape(character)
        position += 1
    first, *middle = fixed
    last = f".*{middle.pop()}" if middle else ""
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + last, re.DOTALL)


def _bracket(match: re.Match[str]) -> str:
    """A character class; a range that is none and a name that is unknown add nothing to it."""
    members = ""
    tokens = _MEMBER.findall(match["members"])
    while tokens:
        token = tokens.pop(0)
        if token.startswith("[:"):
            members += _CLASSES.get(token[2:-2], "")
        elif len(tokens) >= 2 and tokens[0] == "-":
            _, high = tokens.pop(0), tokens.pop(0)
            members += f"{re.escape(token[-1])}-{re.escape(high[-1])}" if token[-1] <= high[-1] else ""
        else:
            members += re.escape(token[-1])
    if not members:
        return "." if match["not"] else _NOTHING
    return f"[{'^' if match['not'] else ''}{members}]"
