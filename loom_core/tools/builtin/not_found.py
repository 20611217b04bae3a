"""Why a piece of text that a model believes to stand in a file does not: the likeliest reason, with the line."""

import re

from loom_core.tools.text import visible

_SEARCHED = 5_000  # lines compared for likeness; that many take about 0.2 s
_QUOTED = 200  # characters of a line in a message
_NUMBERED = re.compile(r"\s*\d+\t")


def not_found_because(text: str, piece: str) -> str:
    """A clause such as `line 3 differs in white space only: the file has "  x", old_string "    x"`."""
    wanted = _lines(piece.strip("\r\n"))
    if all(_NUMBERED.match(line) for line in wanted):
        return "leave out the line numbers and the tab after each"
    lines = _lines(text)
    return _white_space(lines, wanted) or _nearest(lines, wanted) or "no line is like it; read the file again"


def _white_space(lines: list[str], wanted: list[str]) -> str:
    folded, sought = [_folded(line) for line in lines], [_folded(line) for line in wanted]
    for start in range(len(folded) - len(sought) + 1):
        if folded[start] == sought[0] and folded[start : start + len(sought)] == sought:
            for number, (has, wants) in enumerate(zip(lines[start:], wanted, strict=False), start=start + 1):
                if has != wants:
                    return (
                        f"line {number} differs in white space only: the file has {_quoted(has)}, "
                        f"old_string {_quoted(wants)}"
                    )
    return ""


def _nearest(lines: list[str], wanted: list[str]) -> str:
    import difflib

    longest = max(wanted, key=len)
    near = difflib.get_close_matches(longest, lines[:_SEARCHED], n=1)
    return f"the nearest is line {lines.index(near[0]) + 1}: {_quoted(near[0])}" if near else ""


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _folded(line: str) -> str:
    return " ".join(line.split())


def _quoted(line: str) -> str:
    return '"' + visible(line[:_QUOTED]).replace("\t", "\\t") + '"'
