"""Lines of standard input, one at a time, without the event loop ever waiting for them."""

import asyncio
import os
import threading
from contextlib import suppress

_PIECE = 65536


class InputLines:
    """Reads a descriptor line by line.

    Each line is read in a daemon thread: unlike the loop's own threads, one that waits for input that never comes does
    not keep the process from ending.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self._coming: asyncio.Future[str | None] | None = None

    async def next(self) -> str | None:
        """The next line without its end, or None where there are no more. Cancelling the waiting loses no line."""
        if self._coming is None:
            self._coming = self._begin()
        line = await asyncio.shield(self._coming)
        self._coming = None
        return line

    def _begin(self) -> "asyncio.Future[str | None]":
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[str | None] = loop.create_future()

        def read() -> None:
            line = self._read()
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(arrived.set_result, line)

        threading.Thread(target=read, daemon=True).start()
        return arrived

    def _read(self) -> str | None:
        while b"\n" not in self._buffer:
            try:
                piece = os.read(self._descriptor, _PIECE)
            except OSError:  # a terminal that is gone, a descriptor that cannot be read: no more input either way
                piece = b""
            if not piece:
                rest, self._buffer = self._buffer, b""
                return rest.decode("utf-8", "replace") if rest else None
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace").removesuffix("\r")
