"""The end of a log: where writing goes on, and how what a crash left there is put aside."""

import os
from pathlib import Path

from msgspec import Struct

from loom_core.runtime.private_files import copy_range, open_private, storage_errors, sync_file, unused_name
from loom_core.runtime.session_reader import MAX_LINE, parse_line, read_header

_BLOCK = 64 << 10


class Tail(Struct, frozen=True, kw_only=True):
    """What the last part of a log says."""

    size: int
    end: int
    """Bytes up to and including the last newline."""
    seq: int
    """The greatest position among the last events, 0 in a log without events."""
    version: int
    """The greatest schema version among them."""
    complete: bool
    """Whether the bytes after `end`, if there are any, are an event that lacks only its newline."""

    @property
    def torn_bytes(self) -> int:
        """Bytes after the last line that are no event."""
        return 0 if self.complete else self.size - self.end


def read_tail(path: Path) -> Tail:
    """Look at the end of a log, and further back only as far as it takes to find an event. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        end = _last_line_end(descriptor, size)
        rest = os.pread(descriptor, size - end, end) if size - end <= MAX_LINE else b""
        # Several, since a flipped bit in the last one alone could send the count backwards.
        headers = _last_headers(descriptor, end)
    finally:
        os.close(descriptor)
    events = parse_line(rest)[0] if rest else []
    return Tail(
        size=size,
        end=end,
        seq=max([*(seq for seq, _ in headers), *(event.seq for event in events)], default=0),
        version=max([*(version for _, version in headers), *(event.v for event in events)], default=0),
        complete=bool(events),
    )


def mend_tail(path: Path, tail: Tail, suffix: str) -> str:
    """Make the log end in a whole line; give the name of the file that holds what stood after it, empty where none.

    Nothing is thrown away: the torn bytes are on the disk in a file `LOG.torn-SUFFIX` before they are cut off. Raises
    `StorageError`.
    """
    if tail.size == tail.end:
        return ""
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            if tail.complete:
                os.write(descriptor, b"\n")
                return ""
            aside = unused_name(path, f"torn-{suffix}")
            _save(descriptor, tail.end, tail.size, aside)
            os.ftruncate(descriptor, tail.end)
            return aside.name
        finally:
            os.close(descriptor)


def _save(source: int, start: int, end: int, path: Path) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_EXCL)
    try:
        copy_range(source, start, end, descriptor)
        sync_file(descriptor)
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def _last_line_end(descriptor: int, size: int) -> int:
    position = size
    while position > 0:
        start = max(0, position - _BLOCK)
        found = os.pread(descriptor, position - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _last_headers(descriptor: int, end: int) -> list[tuple[int, int]]:
    """`seq` and `v` of the events in the last block that holds any. Blocks double, so a long line costs linear time."""
    position, block = end, _BLOCK
    begun = b""  # the rest of a line whose beginning is in an earlier block
    while position > 0:
        start = max(0, position - block)
        lines = (os.pread(descriptor, position - start, start) + begun).split(b"\n")
        begun = lines.pop(0) if start else b""
        headers = [(header.seq, header.v) for line in lines if (header := read_header(line)) and header.seq > 0]
        if headers:
            return headers
        if len(begun) > MAX_LINE:
            begun = b""
        position, block = start, min(2 * block, MAX_LINE)
    return []
