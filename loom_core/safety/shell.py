"""The commands whose meaning is certain: one program with literal arguments, and nothing else."""

import re

from loom_core.safety.text import is_clean

MAX_BYTES = 8192
"""A longer command is for a person to judge."""

# What bash takes literally. Outside quotes a tilde only after a letter or digit (HEAD~1), where it is never expanded,
# and no other letters than ASCII, since some locales count bytes of them as blanks. In double quotes no "!", which
# some shells expand.
_PIECE = re.compile(
    r"(?P<blank> +)"
    r"|(?P<bare>(?:[\w./:=,@%+^-]|(?<=[A-Za-z0-9])~)+)"
    r"|'(?P<single>[^'\n\t]*)'"
    r'|"(?P<double>(?:[^"\\$`!\n\t]|\\[^\n\t!])*)"',
    re.ASCII,
)
_ESCAPED = re.compile(r'\\([$`"\\])')
RESERVED = frozenset(
    (
        *("!", "{", "}", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function"),
        *("if", "in", "select", "then", "time", "until", "while"),
    )
)
"""Words that are syntax where a command's name would stand."""


def plain_argv(command: str) -> list[str] | None:
    """The arguments bash would start the one program with, or None where the command is anything more than that.

    A white list of syntax: words, and text in plain quotes. Operators, redirections, expansions, globs, assignments,
    comments, escapes, control and invisible characters, and commands over 8 KiB all give None.
    """
    if len(command) > MAX_BYTES or not is_clean(command) or len(command.encode()) > MAX_BYTES:
        return None
    argv: list[str] = []
    position, within_word = 0, False
    while position < len(command):
        piece = _PIECE.match(command, position)
        if piece is None:
            return None
        position = piece.end()
        if piece["blank"]:
            within_word = False
            continue
        if not within_word:
            argv.append("")
            within_word = True
        argv[-1] += piece["bare"] or piece["single"] or _ESCAPED.sub(r"\1", piece["double"] or "")
    if not argv or not argv[0] or argv[0] in RESERVED or "=" in argv[0]:
        return None
    return argv
