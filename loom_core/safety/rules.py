"""The rule language: `Tool` or `Tool(pattern)`, as users write it in settings and on the command line.

    Shell(git log *)       the command `git log`, with or without arguments; `Bash` is another name for Shell
    Edit(src/**)           gitignore patterns from the workspace; `//abs/**` and `~/x` from the root and the home
    Fetch(domain:*.org)    of another tool, one argument's value
    mcp__files__*          every tool whose name begins so; `*` alone is every tool

A rule that forbids or asks looks at every part of a shell command and applies where any matches. A rule that allows
applies only where the command is one plain command and all it starts matches.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from loom_core.messages import JSON
from loom_core.safety.paths import home_directory
from loom_core.safety.patterns import PathPatterns, TextPattern, escape_path

if TYPE_CHECKING:
    from loom_core.safety.script import Script

_SYNTAX = re.compile(r"(?P<tool>[A-Za-z_][\w.-]*\*?|\*)(?:\((?P<pattern>.+)\))?", re.DOTALL)
_ALIASES = {"bash": "shell"}


class Subject(Struct, frozen=True, kw_only=True, dict=True):
    """What a rule is held against: a call of a tool, and what it touches."""

    tool: str
    arguments: Mapping[str, JSON]
    script: "Script | None" = None
    """The command of a shell."""
    path: Path | None = None
    """The real path of a file tool."""
    relative: str | None = None
    """The same, from the workspace's root; None where it is not under it."""

    @cached_property
    def name(self) -> str:
        """The tool's, as rules hold it."""
        return self.tool.lower()

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The texts of which a forbidding or asking rule must match only one: the source and each command in it."""
        if self.script is None:
            return ()
        texts = (text for command in self.script.commands for text in command.texts)
        return tuple(dict.fromkeys((self.script.source.strip(), *texts)))

    @cached_property
    def plain(self) -> tuple[str, ...] | None:
        """The texts an allowing rule must match, all of them; None where only the exact command can be allowed.

        Quoted as a shell would, so that an argument with a space in it is not taken for two.
        """
        if self.script is None or self.script.opaque:
            return None
        from shlex import join

        from loom_core.safety.script import TRANSPARENT
        from loom_core.safety.shell import plain_argv

        argv, commands = plain_argv(self.script.source), self.script.commands
        if argv is None or commands[0].words != tuple(argv):
            return None
        parts = [command for command in commands if command.program not in TRANSPARENT or command is commands[-1]]
        return tuple(join(command.words) for command in parts)


class Rule(Struct, frozen=True, kw_only=True, dict=True):
    """One rule. `str(rule)` is its text as it was written."""

    text: str
    tool: str
    """Lower case; a star at the end matches any ending."""
    pattern: str | None

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read a rule. Raises `ValueError` that says what to write instead."""
        match = _SYNTAX.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"rule {text!r}: write Tool or Tool(pattern), for example Read or Shell(git log *)")
        tool, pattern = match["tool"].lower(), match["pattern"]
        if pattern in {"*", "**"}:
            pattern = None
        rule = cls(text=text.strip(), tool=_ALIASES.get(tool, tool), pattern=pattern)
        if pattern is not None and rule.tool in {"read", "write", "edit", "glob", "grep"}:
            _ = rule._paths  # a bad pattern shall be heard of now
        return rule

    def __str__(self) -> str:
        return self.text

    def touches(self, subject: Subject) -> bool:
        """Whether a rule that forbids or asks applies: to any part of the call."""
        if not self.names(subject):
            return False
        if self.pattern is None:
            return True
        if subject.script is not None:
            return any(self._text.matches(text) for text in subject.parts)
        if subject.path is not None:
            return self._matches_path(subject)
        # A pattern that cannot be read for this tool forbids too much rather than nothing.
        return ":" not in self.pattern or self._matches_argument(subject)

    def covers(self, subject: Subject) -> bool:
        """Whether a rule that allows applies: to the whole of the call."""
        if not self.names(subject):
            return False
        if self.pattern is None:
            return True
        if subject.script is not None:
            if self._text.literal and self._text.matches(subject.script.source):
                return True
            plain = subject.plain
            return plain is not None and all(self._text.matches(text) for text in plain)
        if subject.path is not None:
            return self._matches_path(subject)
        return self._matches_argument(subject)

    def names(self, subject: Subject) -> bool:
        """Whether the rule is about this tool at all."""
        if self.tool.endswith("*"):
            return subject.name.startswith(self.tool[:-1])
        return subject.name == self.tool

    @cached_property
    def _text(self) -> TextPattern:
        return TextPattern.parse(self.pattern or "")

    @cached_property
    def _paths(self) -> PathPatterns:
        pattern = self.pattern or ""
        if pattern.startswith("~/"):
            pattern = f"/{home_directory()}{pattern[1:]}"
        return PathPatterns((pattern.removeprefix("/") if pattern.startswith("//") else pattern,))

    def _matches_path(self, subject: Subject) -> bool:
        if (self.pattern or "").startswith(("//", "~/")):
            return bool(self._paths.find(str(subject.path).removeprefix("/")))
        return subject.relative is not None and bool(self._paths.find(subject.relative))

    def _matches_argument(self, subject: Subject) -> bool:
        name, colon, pattern = (self.pattern or "").partition(":")
        if not colon or name not in subject.arguments:
            return False
        value = subject.arguments[name]
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return TextPattern.parse(pattern).matches(text)


def exact_rule(subject: Subject) -> str:
    """The rule that allows this call again: the same command, the same path; of another tool, every call."""
    tool = subject.tool
    if subject.script is not None:
        return f"{tool}({TextPattern.escape(subject.script.source)})"
    if subject.path is not None:
        if subject.relative is None:
            return f"{tool}(/{escape_path(str(subject.path))[1:]})"
        return f"{tool}({escape_path(subject.relative)})"
    return tool
