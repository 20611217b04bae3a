"""The short list of programs that run unasked, each with the options and operands it may have."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

Operands: TypeAlias = Literal["anything", "none", "text", "files", "one file", "pattern", "search", "format", "numbers"]
"""What a program's operands are. `anything`: text, and what looks like options is text too. `pattern`: a text, then
files. `search`: the same, but without a file, or with a directory, it would read the whole tree, secrets and all.
`format`: at most one text, beginning with "+"."""


class Usage(Struct, frozen=True, kw_only=True):
    """The options of one program that neither write nor run anything, nor read what was not named."""

    flags: str = ""
    """Letters without a value."""
    valued: str = ""
    """Letters with one."""
    long: tuple[str, ...] = ()
    """Long options, to be given in full; a value only after "="."""
    operands: Operands = "files"


_DIGITS = "0123456789"
_USAGES = {
    "basename": Usage(flags="az", valued="s", operands="text"),
    "cat": Usage(flags="AbeEnstTuv", long=("--number", "--show-all")),
    "cut": Usage(flags="nsz", valued="bcdf", long=("--fields", "--delimiter", "--bytes", "--characters")),
    # An operand without "+" sets the clock, and so does -s; -f and -r read files.
    "date": Usage(flags="uRI", valued="d", long=("--utc", "--iso-8601", "--rfc-3339", "--date"), operands="format"),
    "df": Usage(flags="ahHiklPT", long=("--human-readable", "--total")),
    "dirname": Usage(flags="z", operands="text"),
    "du": Usage(flags="abchklmsSx0", valued="d", long=("--all", "--human-readable", "--max-depth", "--summarize")),
    "echo": Usage(operands="anything"),
    "false": Usage(operands="anything"),
    "file": Usage(flags="bhikN", long=("--brief", "--mime", "--mime-type", "--mime-encoding")),
    "grep": Usage(
        flags="abcEFGhHilLnoPqsvwxzZ" + _DIGITS,
        valued="ABCem",
        long=(
            *("--after-context", "--before-context", "--color", "--context", "--count", "--extended-regexp"),
            *("--files-with-matches", "--files-without-match", "--fixed-strings", "--ignore-case", "--invert-match"),
            *("--line-number", "--max-count", "--no-filename", "--only-matching", "--quiet", "--with-filename"),
            "--word-regexp",
        ),
        operands="pattern",
    ),
    "head": Usage(flags="qvz" + _DIGITS, valued="cn", long=("--lines", "--bytes", "--quiet")),
    "id": Usage(flags="ugGnrz", operands="text"),
    "ls": Usage(
        flags="1aAbBcCdfFgGhiklmnNopqQrRsStuUvxXZ",
        long=(
            *("--all", "--almost-all", "--classify", "--color", "--directory", "--full-time"),
            *("--group-directories-first", "--human-readable", "--inode", "--recursive", "--reverse", "--size"),
            *("--sort", "--time", "--time-style"),
        ),
    ),
    "nl": Usage(flags="p", valued="bdfhilnsvw"),
    "pwd": Usage(flags="LP", operands="none"),
    "realpath": Usage(flags="eLmPqsz"),
    "rg": Usage(
        flags="cFhHiIlnNoqsSvwx",
        valued="ABCem",
        long=("--color", "--count", "--fixed-strings", "--ignore-case", "--line-number", "--only-matching"),
        operands="search",
    ),
    "seq": Usage(flags="w", valued="fs", operands="numbers"),
    # Not -o, -T, --compress-program, --files0-from, nor any abbreviation of them.
    "sort": Usage(
        flags="bcCdfghiMmnRrsuVz",
        valued="kt",
        long=("--ignore-case", "--key", "--numeric-sort", "--reverse", "--unique", "--version-sort"),
    ),
    "stat": Usage(flags="ft", valued="c", long=("--format", "--printf", "--terse")),
    # Not -f or -F, which do not end.
    "tail": Usage(flags="qvz" + _DIGITS, valued="cn", long=("--lines", "--bytes", "--quiet")),
    "true": Usage(operands="anything"),
    "uname": Usage(flags="asnrvmpio", long=("--all",), operands="none"),
    # A second operand would be written.
    "uniq": Usage(flags="cdDiuz", valued="fsw", long=("--count", "--repeated", "--unique"), operands="one file"),
    "wc": Usage(flags="clLmw", long=("--bytes", "--chars", "--lines", "--words")),
    "which": Usage(flags="a", operands="text"),
    "whoami": Usage(operands="none"),
}
BUILTINS = frozenset(("echo", "false", "pwd", "true"))
"""Run by the shell itself, whatever stands in the search path."""

_FIND_ALONE = frozenset(
    (
        *(
            "(",
            ")",
            "!",
            ",",
            "-a",
            "-and",
            "-o",
            "-or",
            "-not",
            "-depth",
            "-daystart",
            "-empty",
            "-executable",
            "-false",
        ),
        *("-ls", "-mount", "-nogroup", "-nouser", "-print", "-print0", "-prune", "-quit", "-readable", "-true"),
        *("-writable", "-xdev"),
    )
)
_FIND_WITH_TEXT = frozenset(
    (
        *("-amin", "-atime", "-cmin", "-ctime", "-fstype", "-gid", "-group", "-iname", "-inum", "-ipath", "-iregex"),
        *("-links", "-maxdepth", "-mindepth", "-mmin", "-mtime", "-name", "-path", "-perm", "-printf", "-regex"),
        *("-regextype", "-size", "-type", "-uid", "-user", "-wholename", "-xtype"),
    )
)
_FIND_WITH_FILE = frozenset(("-anewer", "-cnewer", "-newer", "-samefile"))
_NUMBER = re.compile(r"[+]?\d+(\.\d+)?")


def read_only(
    argv: list[str], *, executable: Callable[[str], str | None], readable: Callable[[str], Path | None]
) -> str | None:
    """The name of the rule by which this command may run unasked, or None.

    `executable` gives the trusted program a name stands for. `readable` gives the real path of a file or directory
    that may be read without asking. Either gives None where there is none.
    """
    name = argv[0].rpartition("/")[2]
    if name not in _USAGES and name != "find":
        return None
    if argv[0] not in BUILTINS and executable(argv[0]) is None:
        return None
    words = argv[1:]
    harmless = _harmless_find(words, readable) if name == "find" else _harmless(_USAGES[name], words, readable)
    return f"read-only {name}" if harmless else None


def _harmless(usage: Usage, words: list[str], readable: Callable[[str], Path | None]) -> bool:
    if usage.operands == "anything":
        return True
    operands = _operands(usage, words)
    if operands is None:
        return False
    match usage.operands:
        case "none":
            return not operands
        case "text":
            return True
        case "format":
            return len(operands) <= 1 and all(word.startswith("+") for word in operands)
        case "numbers":
            return all(_NUMBER.fullmatch(word) for word in operands)
        case "one file" if len(operands) > 1:
            return False
        case "search":
            paths = [readable(word) for word in operands]
            return bool(paths) and all(path is not None and _is_regular(path) for path in paths)
    return all(readable(word) is not None for word in operands)


def _is_regular(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system
        return False


def _operands(usage: Usage, words: list[str]) -> list[str] | None:
    """The operands to judge, without the pattern of a search; None where an option is not on the list."""
    operands: list[str] = []
    searches, rest = usage.operands in {"pattern", "search"}, iter(words)
    for word in rest:
        if word == "--":
            operands += rest
        elif word.startswith("--"):
            if word.partition("=")[0] not in usage.long:
                return None
        elif word.startswith("-") and word != "-":
            takes_next = _takes_next(usage, word[1:])
            if takes_next is None or (takes_next and next(rest, None) is None):
                return None
            searches = searches and "e" not in word  # the pattern is that option's value, and no operand
        else:
            operands.append(word)
    return operands[1:] if searches else operands


def _takes_next(usage: Usage, letters: str) -> bool | None:
    """Whether the last of these option letters has the next word as its value; None where one is not on the list."""
    for position, letter in enumerate(letters, 1):
        if letter in usage.valued:
            return position == len(letters)
        if letter not in usage.flags:
            return None
    return False


def _harmless_find(words: list[str], readable: Callable[[str], Path | None]) -> bool:
    """Starting points and tests only: nothing that runs, deletes or writes, and no following of links."""
    rest = iter(words)
    for word in rest:
        if word in _FIND_ALONE:
            continue
        value = next(rest, None) if word in _FIND_WITH_TEXT | _FIND_WITH_FILE else word
        if value is None or (word not in _FIND_WITH_TEXT and (value.startswith("-") or readable(value) is None)):
            return False
    return True
