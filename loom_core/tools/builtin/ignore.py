"""What git ignores: `.gitignore` files, as gitignore(5) has them, and `.git/info/exclude`.

The user's own `core.excludesFile` is not read: what is found shall not depend on whose machine it is.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from loom_core.tools.builtin.patterns import PathPattern, segment_regex

_UNTRAILED = re.compile(r"^((?:\\.|[^\\])*?) *$", re.DOTALL)  # a backslash keeps a space at the end
_LARGEST = 1024 * 1024  # bytes of one file of rules


class _Rule(NamedTuple):
    pattern: re.Pattern[str] | PathPattern
    """Of a name at any depth, or of a path from the directory of the file."""
    ignored: bool
    directories_only: bool


class IgnoreRules:
    """The rules of one file, about everything below one directory."""

    def __init__(self, text: str, directory: Path) -> None:
        self._depth = len(directory.parts)
        self._rules = [rule for line in text.split("\n") if (rule := _rule(line)) is not None]
        self._rules.reverse()  # the last that matches decides
        names = [rule.pattern.pattern for rule in self._rules if isinstance(rule.pattern, re.Pattern)]
        # Most names match no rule, so that is found out in one go: a tree is walked twice as fast.
        self._any_name = re.compile("|".join(f"(?:{name})" for name in names) or "(?!)", re.DOTALL)
        self._has_paths = len(names) < len(self._rules)

    def verdict(self, parts: Sequence[str], *, is_directory: bool) -> bool | None:
        """Whether the absolute path of these parts is ignored; None when no rule is about it."""
        if not self._has_paths and self._any_name.fullmatch(parts[-1]) is None:
            return None
        for rule in self._rules:
            if rule.directories_only and not is_directory:
                continue
            if isinstance(rule.pattern, PathPattern):
                matches = rule.pattern.matches(parts[self._depth :])
            else:
                matches = rule.pattern.fullmatch(parts[-1]) is not None
            if matches:
                return rule.ignored
        return None


def rules_in(directory: Path) -> tuple[IgnoreRules, ...]:
    """The rules that a directory brings along, weakest first."""
    files = (directory / ".git" / "info" / "exclude", directory / ".gitignore")
    return tuple(IgnoreRules(text, directory) for file in files if (text := _text(file)))


def rules_for(directory: Path, root: Path) -> tuple[IgnoreRules, ...]:
    """All rules about what is in `directory`, weakest first: those from the top of its repository, or from `root`."""
    line = [directory, *directory.parents]
    top = next((above for above in line if (above / ".git").exists()), root if root in line else directory)
    return tuple(rule for above in reversed(line[: line.index(top) + 1]) for rule in rules_in(above))


def is_ignored(rules: Sequence[IgnoreRules], parts: Sequence[str], *, is_directory: bool) -> bool:
    """Whether git ignores the absolute path of these parts. That a directory above it is ignored is not looked at."""
    for some in reversed(rules):
        verdict = some.verdict(parts, is_directory=is_directory)
        if verdict is not None:
            return verdict
    return False


def _text(file: Path) -> str:
    """The content, without following a link or waiting for a pipe, as git has it; empty when there is none."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            return opened.read(_LARGEST).decode("utf-8-sig", "surrogateescape")
    except OSError:
        return ""


def _rule(line: str) -> _Rule | None:
    pattern = _UNTRAILED.sub(r"\1", line.removesuffix("\r"))
    if not pattern or pattern.startswith("#"):
        return None
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    directories_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    if not pattern:
        return None
    compiled = PathPattern(pattern.removeprefix("/")) if "/" in pattern else segment_regex(pattern)
    return _Rule(compiled, ignored=not negated, directories_only=directories_only)
