"""Where a text is broken to fit the columns of a terminal: between words, and within one only where it is too long."""

import re
import unicodedata

_PIECE = re.compile(r"\n|\S+|[^\S\n]")


def cells(text: str) -> int:
    """Columns a terminal takes for a text without control characters; a tab is counted as the most it can be."""
    return len(text) if text.isascii() and "\t" not in text else sum(map(_width, text))


def rows(text: str, room: int) -> list[tuple[int, int]]:
    """Where each row of at most `room` columns begins and ends. At a break between words one blank is left out."""
    found: list[tuple[int, int]] = []
    begin = used = 0
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        if piece[0] == "\n":
            found.append((begin, start))
            begin, used = end, 0
            continue
        width = cells(piece[0])
        if used + width > room and text[begin:start].strip():
            if piece[0].isspace():
                found.append((begin, start))
                begin, used = end, 0
                continue
            found.append((begin, start - (text[start - 1] == " ")))
            begin, used = start, 0
        for cut in _cuts(text, start, end, room=room, used=used) if used + width > room else ():
            found.append((begin, cut))
            begin, used = cut, 0
        used = cells(text[begin:end])
    return [*found, (begin, len(text))]


def _cuts(text: str, start: int, end: int, *, room: int, used: int) -> list[int]:
    """Where a word is cut that is longer than the room that is left."""
    found = []
    for index in range(start, end):
        width = _width(text[index])
        if used + width > room:
            found.append(index)
            used = 0
        used += width
    return found


def _width(character: str) -> int:
    if character == "\t":
        return 8
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
