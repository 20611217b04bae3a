"""Standard input as data that comes with the goal."""

import codecs
import fcntl
import hashlib
import os
import select
from collections.abc import Callable

from loom_cli.fields import StdinMode
from loom_cli.output import STDERR, STDIN
from loom_core.errors import InputError
from loom_core.events import InputData

NOTICE_AFTER_S = 2.0
"""Silence of standard input after which a person at the terminal is told what the program waits for."""
_BINARY_WITHIN = 8192
_BLOCK = 65536


def read_stdin(mode: StdinMode, limit: int, tell: Callable[[str], None]) -> InputData | None:
    """Everything on standard input, or None where there is none to read: ignored, closed, a terminal, or empty.

    `limit` is in bytes; `tell` gets a line about what was waited for, cut or replaced. Raises `InputError` for binary
    data, for more than `limit` (unless `mode` is head) and for no data (where `mode` is require). Blocks until the
    end of the data, so a signal's handler runs or its exception comes out in between.
    """
    data = b"" if mode == "ignore" or not _readable() else _read(limit + 1, tell)
    if not data:
        if mode == "require":
            raise InputError("there is nothing on standard input, and --stdin=require says there must be")
        return None
    if b"\0" in data[:_BINARY_WITHIN]:
        raise InputError("stdin is binary; use --file", hint="-n leaves it unread")
    if len(data) > limit:
        if mode != "head":
            raise InputError(
                f"standard input is longer than {limit} bytes",
                hint="--stdin=head takes its beginning; --set input.stdin_max_bytes=N raises the limit",
            )
        whole = codecs.utf_8_decode(data[:limit], "replace", False)[1]  # the cut may fall into a character
        data = data[:whole]
        tell(f"standard input is longer than {limit} bytes; the rest is left out")
    return _labelled(data, tell)


def read_text(limit: int = 1024 * 1024) -> str:
    """All of standard input as a text of its own, such as a task file. Raises `InputError`."""
    data = _read(limit + 1, lambda _: None) if _readable() else b""
    if not data:
        raise InputError("there is nothing on standard input")
    if len(data) > limit:
        raise InputError(f"standard input is longer than {limit} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"standard input is not UTF-8 (byte {error.start})") from None


def _labelled(data: bytes, tell: Callable[[str], None]) -> InputData:
    text = data.decode("utf-8", "replace")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        tell(f"standard input is not UTF-8 (byte {error.start}); what is not was replaced")
    return InputData(name="stdin", text=text, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _readable() -> bool:
    """Whether data could come: not where descriptor 0 is closed, or a terminal."""
    try:
        access = fcntl.fcntl(STDIN, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return False
    return access != os.O_WRONLY and not os.isatty(STDIN)


def _read(most: int, tell: Callable[[str], None]) -> bytes:
    """Up to `most` bytes, fewer only at the end of the data."""
    if os.isatty(STDERR) and not select.select([STDIN], [], [], NOTICE_AFTER_S)[0]:
        tell("reading stdin, Ctrl-D ends it (-n to skip)")
    data = bytearray()
    try:
        while len(data) < most and (block := _block(min(_BLOCK, most - len(data)))):
            data += block
    except OSError as error:
        raise InputError(f"cannot read standard input: {error.strerror}") from None
    return bytes(data)


def _block(most: int) -> bytes:
    while True:
        try:
            return os.read(STDIN, most)
        except BlockingIOError:  # whoever shares the descriptor may have made it non-blocking
            select.select([STDIN], [], [])
