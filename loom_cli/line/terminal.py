"""Standard output as prompt_toolkit writes to it: in one piece, and without failing when the terminal is gone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loom_cli.output import STDOUT, encode, write_all


class TerminalStream:
    """What prompt_toolkit takes for a text file. While `held`, nothing goes out, so that a repaint is one write."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._held = False

    def write(self, text: str) -> None:
        """Keep text for the next flush."""
        self._parts.append(text)

    def flush(self) -> None:
        """Write what was kept. A terminal that is gone is no error here: its hang-up signal ends the chat."""
        if self._held:
            return
        data = encode("".join(self._parts))
        self._parts.clear()
        try:
            write_all(STDOUT, data)
        except OSError:
            return

    @contextmanager
    def held(self) -> Iterator[None]:
        """Collect everything written inside and write it at the end."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.flush()

    def fileno(self) -> int:
        """Standard output's."""
        return STDOUT

    def isatty(self) -> bool:
        """Line mode is only used on a terminal."""
        return True


def terminal_size(descriptor: int = STDOUT) -> tuple[int, int]:
    """Columns and rows; 80 and 24 where the terminal does not say."""
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24
