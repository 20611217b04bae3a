"""Every command a shell text may run: the parts of lists and pipelines, substitutions, and what wrappers start."""

import re
from collections.abc import Iterator

from msgspec import Struct

from loom_core.safety.shell import RESERVED
from loom_core.safety.shell_reader import ShellReader, Simple

TRANSPARENT = frozenset(("nice", "nohup", "stdbuf", "time", "timeout"))
"""Wrappers that change nothing about what the command they start does."""
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh"))
_WRAPPERS = TRANSPARENT | frozenset(
    (
        *("builtin", "busybox", "chronic", "chroot", "chrt", "command", "doas", "env", "exec", "fakeroot"),
        *("flock", "ionice", "ltrace", "noglob", "parallel", "pkexec", "prlimit", "runuser", "script", "setarch"),
        *("setpriv", "setsid", "strace", "su", "sudo", "systemd-run", "taskset", "toybox", "unbuffer", "unshare"),
        *("watch", "xargs"),
    )
)
# These take a script in one argument, which is one word there.
_EVALUATORS = frozenset(
    ("alias", "env", "flock", "mapfile", "parallel", "readarray", "runuser", "script", "su", "trap", "watch")
)
# Builtins that evaluate arithmetic or subscripts, and so substitutions within, even out of single quotes.
_ARITHMETIC = frozenset(
    ("[", "[[", "declare", "export", "let", "local", "printf", "read", "readonly", "test", "typeset", "unset")
)
_EXEC_PREDICATES = frozenset(("-exec", "-execdir", "-ok", "-okdir"))

_ASSIGNMENT = re.compile(r"\w+(\[[^]]*\])?\+?=")
_PREFIXES = RESERVED - {"[[", "case", "for", "function", "select", "time"}
_NUMBER = re.compile(r"[-+]?\d[\d.]*[smhd]?")
_COMPUTED = re.compile(r"(?!\[\[?$).*[$`*?{\[]", re.DOTALL)
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_IFS = re.compile(r"\$\{IFS[^}]*\}|\$IFS\b")
_BEFORE_SCRIPT = re.compile(r"^(-\w*S|--split-string=|\w+=)")
_SCRIPT_OPTION = re.compile(r"-\w*c\w*")
_ANY_REDIRECT = re.compile(r"[<>]+[&|-]?[ \t]*[^\s;&|()<>`]*")
_MAX_DEPTH = 6
_MAX_INNER = 64
MAX_BYTES = 128 * 1024
"""Linux starts no program with a longer argument (MAX_ARG_STRLEN), and so no shell with a longer script."""


class Command(Struct, frozen=True, kw_only=True):
    """One command that may run, as far as it can be read."""

    words: tuple[str, ...]
    """Quotes removed; an expansion stands as its source text. Empty where there is only a redirection."""
    targets: tuple[str, ...] = ()
    """Files its output is redirected to."""
    piped: bool = False
    """Whether it reads what another command writes."""

    @property
    def program(self) -> str:
        """The program's name without its directory."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    @property
    def text(self) -> str:
        """The words with one space between them."""
        return " ".join(self.words)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts a rule may mean: as written and, where the program is named by its path, without that."""
        if "/" not in (self.words or ("",))[0]:
            return (self.text,)
        return (self.text, " ".join((self.program, *self.words[1:])))


class Script(Struct, frozen=True, kw_only=True):
    """A shell text and what it may run. `opaque`: it may run more than can be told from the text."""

    source: str
    commands: tuple[Command, ...]
    opaque: bool


def analyse(source: str) -> Script:
    """Find every command in the text, those within substitutions, `bash -c`, `env`, `find -exec` and the like too."""
    analysis = _Analysis()
    analysis.read(_IFS.sub(" ", source), depth=0)
    return Script(source=source, commands=tuple(analysis.commands), opaque=analysis.opaque)


class _Analysis:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.opaque = False
        self._texts: set[str] = set()

    def read(self, text: str, *, depth: int) -> None:
        if text in self._texts:  # several guesses at what a wrapper starts find the same script
            return
        self._texts.add(text)
        if depth > _MAX_DEPTH:
            self.opaque = True
            return
        reader = ShellReader(text)
        found = reader.commands
        if reader.irregular:
            self.opaque = True
            found = [*found, *_unquoted_pieces(text)]
        first = len(self.commands)
        for simple in found:
            self._add(simple, depth)
        for embedded in reader.embedded:
            self.read(embedded, depth=depth + 1)
        if any(command.program in SHELLS for command in self.commands[first:]):
            for document in reader.documents:
                self.read(document, depth=depth + 1)

    def _add(self, simple: Simple, depth: int) -> None:
        """The command, and each one it starts, by the position where that begins among its words."""
        words = tuple(part for word in simple.words for part in _braces(word))
        targets = tuple(simple.targets)
        if targets:
            self.commands.append(Command(words=(), targets=targets))
        pending, seen = [0], set[int]()
        while pending:
            start = _beginning(words, pending.pop())
            if start >= len(words) or start in seen:
                continue
            if len(seen) == _MAX_INNER:
                self.opaque = True
                return
            seen.add(start)
            command = Command(words=words[start:], piped=simple.piped)
            self.commands.append(command)
            self.opaque |= _computed(command)
            pending += [start + offset for offset in _started(command)]
            for script in _scripts(command):
                self.read(script, depth=depth + 1)


def _beginning(words: tuple[str, ...], start: int) -> int:
    """Where the command begins behind reserved words and assignments."""
    while start < len(words):
        word = words[start]
        if word in {"for", "select", "case"}:
            return words.index("do", start) + 1 if "do" in words[start:] else len(words)
        if word == "function":
            start += 2
        elif word in _PREFIXES or _ASSIGNMENT.match(word):
            start += 1
        else:
            break
    return start


def _computed(command: Command) -> bool:
    """Whether the text does not tell what runs: a program's name made of expansions, or a shell fed from a pipe."""
    if command.program in SHELLS:
        return command.piped
    return _COMPUTED.match(command.words[0]) is not None


def _started(command: Command) -> Iterator[int]:
    """The offsets at which a command started by this one may begin.

    Options, numbers and assignments come before it; what follows an option may be its value, and so both the word
    and the next one are taken for a beginning.
    """
    words = command.words
    if "$" in words[0] or "`" in words[0]:
        yield 1  # it may stand for nothing, or for a wrapper
    if command.program == "find":
        yield from (offset + 1 for offset, word in enumerate(words) if word in _EXEC_PREDICATES)
    if command.program not in _WRAPPERS:
        return
    positional = command.program in {"flock", "chroot", "taskset", "runuser", "su"}
    for offset, word in enumerate(words[1:], 1):
        if word.startswith("-") or _NUMBER.fullmatch(word) or _ASSIGNMENT.match(word):
            continue
        yield offset
        if not positional and not words[offset - 1].startswith("-") and "$" not in word:
            return
        positional = False


def _scripts(command: Command) -> Iterator[str]:
    """The arguments that are shell scripts themselves, or hold some."""
    program, operands = command.program, command.words[1:]
    if program in SHELLS and any(_SCRIPT_OPTION.fullmatch(word) for word in operands):
        yield from (word for word in operands if not word.startswith("-"))
    elif program == "eval":
        yield " ".join(operands)
    elif program in _EVALUATORS:
        yield from (_BEFORE_SCRIPT.sub("", word) for word in operands if " " in word or program == "trap")
    elif program in _ARITHMETIC:
        yield from (word for word in operands if "$(" in word or "`" in word)


def _braces(word: str) -> list[str]:
    """`{touch,file}` is two words."""
    braces = _BRACES.fullmatch(word)
    return braces[1].split(",") if braces else [word]


def _unquoted_pieces(text: str) -> Iterator[Simple]:
    """The text cut at every operator, quoted or not, without redirections."""
    for piece in re.split(r"[;&|\n()`]", _ANY_REDIRECT.sub(" ", re.sub(r"\\\n|['\"\\]", "", text))):
        if words := piece.split():
            yield Simple(words=words)
