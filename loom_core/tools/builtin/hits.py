"""What a search finds, taken line by line from the searching process until there is enough."""

import os
import re
from collections.abc import Callable

from loom_core.tools.text import visible

_LONGEST = 500  # characters of a line in the result
_PENDING = 64 * 1024  # bytes of a line not yet ended; longer ones are cut
_FAULTS = 4_096  # characters of an error message
_ROW = re.compile(rb"(\d+)([:-])(.*)", re.DOTALL)


class Hits:
    """Receives `path NUL line : text` (`-` for context) until there are `limit` lines, or files where `by_file`.

    `wanted` says of a path, relative as it came, whether it may be shown.
    """

    def __init__(self, wanted: Callable[[str], bool], *, limit: int, by_file: bool, grouped: bool) -> None:
        self.lines: list[str] = []
        """`path:line:text`; where grouped, `--` stands between lines that are no neighbours."""
        self.counts: dict[str, int] = {}
        """By file, how many lines match."""
        self.fault = ""
        """What the process said that is no row: its error message."""
        self.is_full = False
        """Whether more was found than there is room for."""
        self._wanted = wanted
        self._limit = limit
        self._by_file = by_file
        self._grouped = grouped
        self._pending = b""
        self._last = ("", 0)
        self._judged = ("", False)

    def receive(self, data: bytes) -> bool:
        """Take the next piece of output; whether it was enough."""
        *rows, pending = (self._pending + data).split(b"\n")
        self._pending = pending[:_PENDING]
        for row in rows:
            self._take(row)
            if self.is_full:
                return True
        return False

    def _take(self, row: bytes) -> None:
        path, _, rest = row.partition(b"\0")
        match = _ROW.fullmatch(rest)
        if match is None:
            if row not in {b"", b"--"}:
                self.fault = f"{self.fault}\n{row.decode('utf-8', 'replace')}".strip()[:_FAULTS]
            return
        name = os.fsdecode(path).removeprefix("./")
        if not self._may_show(name):
            return
        if self._by_file:
            self.is_full = name not in self.counts and len(self.counts) == self._limit
            if not self.is_full:
                self.counts[name] = self.counts.get(name, 0) + 1
        elif len(self.lines) >= self._limit:
            self.is_full = True
        else:
            self._show(name, int(match[1]), match[2].decode(), match[3].decode("utf-8", "backslashreplace"))

    def _show(self, name: str, number: int, sign: str, text: str) -> None:
        if self._grouped and self.lines and self._last != (name, number - 1):
            self.lines.append("--")
        self._last = (name, number)
        content = visible(text.removesuffix("\r")[:_LONGEST]) + (" [...]" if len(text) > _LONGEST else "")
        self.lines.append(f"{visible(name)}{sign}{number}{sign}{content}")

    def _may_show(self, name: str) -> bool:
        if self._judged[0] != name:  # rows of a file come together
            self._judged = (name, self._wanted(name))
        return self._judged[1]
