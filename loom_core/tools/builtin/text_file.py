"""Files as text: how their bytes are to be read, and their lines without the whole in memory."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

SNIFFED = 64 * 1024
"""Bytes at the start of a file that decide what it is."""
_NUL_WITHIN = 8 * 1024  # as git does it: a NUL in the first 8 KiB is no text
_ODD = bytes({*range(0x20), 0x7F, *range(0x80, 0xA0)} - set(b"\t\n\r\f\b\x1b"))
_ODD_SHARE = 0.1  # of all bytes; texts in Windows code pages stay well below


class Encoding(NamedTuple):
    """How bytes and text of one file become each other, exactly and both ways."""

    name: str
    """A codec that writes no byte order mark itself."""
    mark: bytes = b""
    """The byte order mark at the file's start."""
    errors: str = "surrogateescape"

    def decode(self, data: bytes) -> str:
        """The text. Raises `UnicodeError` where UTF-16 is broken; other faults survive the way there and back."""
        return data[len(self.mark) :].decode(self.name, self.errors)

    def encode(self, text: str) -> bytes:
        """The bytes. Raises `UnicodeError` for characters the encoding has not."""
        return self.mark + text.encode(self.name, self.errors)


_UTF_8 = Encoding("utf-8")
_MARKED = (
    Encoding("utf-8", codecs.BOM_UTF8),
    Encoding("utf-16-le", codecs.BOM_UTF16_LE, "surrogatepass"),
    Encoding("utf-16-be", codecs.BOM_UTF16_BE, "surrogatepass"),
)


def detect(head: bytes) -> Encoding | None:
    """The encoding of a file that starts with `head` (its first 64 KiB, or all of it); None when it is no text."""
    if not head.startswith(codecs.BOM_UTF32_LE):
        for encoding in _MARKED:
            if head.startswith(encoding.mark):
                return encoding
    if b"\0" in head[:_NUL_WITHIN]:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < SNIFFED)
    except UnicodeDecodeError:
        odd = len(head) - len(head.translate(None, delete=_ODD))
        return None if odd > len(head) * _ODD_SHARE else Encoding("latin-1")
    return _UTF_8


class Line(NamedTuple):
    """One line without its end."""

    text: str
    left_out: int
    """Characters beyond the length that was asked for."""


def lines(file: BinaryIO, encoding: Encoding, *, longest: int) -> Iterator[Line]:
    r"""The lines of `file` from its start, each cut to `longest` characters; bytes that are no text read as `\xNN`.

    A line ends with LF; a CR before it belongs to the end, another does not.
    """
    file.seek(len(encoding.mark))
    text = io.TextIOWrapper(file, encoding=encoding.name, errors="backslashreplace", newline="\n")
    try:
        while piece := text.readline(longest + 2):  # 2: room for CR and LF
            left_out = 0
            if not piece.endswith("\n"):
                while (rest := text.readline(SNIFFED)) and not rest.endswith("\n"):
                    left_out += len(rest)
                left_out += len(rest.rstrip("\r\n"))
            content = piece.removesuffix("\n").removesuffix("\r")
            yield Line(content[:longest], left_out + max(0, len(content) - longest))
    finally:
        text.detach()
