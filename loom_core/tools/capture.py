"""The output of a child in bounded memory: both ends kept, the whole in a file up to a limit, the size always true."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from loom_core.tools.text import shorten

HEAD = TAIL = 32 * 1024
"""Bytes of each end that are kept in memory."""
SPOOLED = 16 * 1024 * 1024
"""Bytes of the whole that are kept on disk."""


class Captured(NamedTuple):
    """All that is known of an output which has ended."""

    text: str
    """The output, or its two ends around a line that says how much is missing."""
    size: int
    """Bytes of the whole."""
    full: bytes | Path | None
    """The whole (in a file: its first 16 MiB) where `text` is not."""


class Capture:
    """Takes output as it comes. What fits into memory (64 KiB) never touches the disk.

    `scratch` names the directory of the file when one is needed. When the file cannot be written, the output is still
    taken, and `fault` says what was wrong.
    """

    def __init__(self, scratch: Callable[[], Path]) -> None:
        self.fault = ""
        self._size = 0
        self._scratch = scratch
        self._head = bytearray()
        self._tail = bytearray()
        self._spool: BinaryIO | None = None
        self._path: Path | None = None

    def receive(self, data: bytes) -> None:
        """Take the next piece."""
        try:
            self._save(data)
        except OSError as error:
            self._fail(error)
        self._size += len(data)
        room = HEAD - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * TAIL:  # trimmed now and then, so that each byte is moved about once
            del self._tail[:-TAIL]

    def finish(self, limit: int) -> Captured:
        """The output in at most about `limit` characters, and a way to the rest."""
        if self._size <= HEAD + TAIL:
            whole = bytes(self._head + self._tail)
            text = whole.decode("utf-8", "replace")
            if len(text) <= limit:
                return Captured(text, self._size, None)
            return Captured(shorten(text, text, limit=limit, size=self._size), self._size, whole)
        head = codecs.getincrementaldecoder("utf-8")("replace").decode(bytes(self._head))
        tail = bytes(self._tail[-TAIL:])
        begin = next((i for i, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), 0)  # not within a character
        text = shorten(head, tail[begin:].decode("utf-8", "replace"), limit=limit, size=self._size)
        return Captured(text, self._size, self._close())

    def discard(self) -> None:
        """Forget the file, if there is one."""
        path = self._close()
        if path is not None:
            path.unlink(missing_ok=True)
            self._path = None

    def _save(self, data: bytes) -> None:
        if self._size <= HEAD + TAIL < self._size + len(data):
            self._path = self._scratch() / f"output-{os.urandom(8).hex()}"
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._spool = os.fdopen(descriptor, "wb")
            self._spool.write(self._head + self._tail)
        if self._spool is not None and self._size < SPOOLED:
            self._spool.write(data[: SPOOLED - self._size])

    def _close(self) -> Path | None:
        spool, self._spool = self._spool, None
        if spool is not None:
            try:
                spool.close()
            except OSError as error:  # the last bytes did not fit
                self._fail(error)
        return self._path

    def _fail(self, error: OSError) -> None:
        self.fault = error.strerror or str(error)
        self.discard()
