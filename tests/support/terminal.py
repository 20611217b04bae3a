"""A terminal with a program in it: a pseudo-terminal, and an emulator of as much as the program uses.

What the emulator does not know it refuses, so that a stray escape sequence fails the test that caused it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pexpect

_TOKEN = re.compile(
    r"\x1b\[(?P<private>\??)(?P<numbers>[0-9;]*)(?P<final>[A-Za-z])|(?P<text>[^\x1b\r\n\x08\x07]+)|[\r\n\x08\x07]|\x1b"
)
_MODES = {"1", "7", "12", "25", "2004"}
"""Cursor keys, automatic wrap, blinking, visibility, bracketed paste."""


class Emulator:
    """The screen as the bytes leave it. Rows that scroll off the top are kept."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.cursor_visible = True
        self.bracketed_paste = False
        self.sgr_seen: set[str] = set()
        self._above: list[str] = []
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        """Everything from the first row that scrolled away to the last with anything in it."""
        lines = [*self._above, *("".join(row).rstrip() for row in self._cells)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def feed(self, data: str) -> None:
        data = self._rest + data
        cut = re.search(r"\x1b(\[\??[0-9;]*)?$", data)
        self._rest = cut[0] if cut else ""
        for token in _TOKEN.finditer(data.removesuffix(self._rest) if self._rest else data):
            if token["text"]:
                for char in token["text"]:
                    self._put(char)
            elif token["final"]:
                self._control(token["private"], token["numbers"], token["final"])
            else:
                self._plain_control(token[0])

    def _put(self, char: str) -> None:
        assert char.isprintable(), f"{char!r} reached the terminal"
        if self._column == self.columns:
            self._column = 0
            self._down()
        self._cells[self._row][self._column] = char
        self._column += 1

    def _down(self) -> None:
        if self._row < self.rows - 1:
            self._row += 1
            return
        self._above.append("".join(self._cells.pop(0)).rstrip())
        self._cells.append([" "] * self.columns)

    def _plain_control(self, char: str) -> None:
        match char:
            case "\r":
                self._column = 0
            case "\n":
                self._down()
            case "\x08":
                self._column = max(0, self._column - 1)
            case "\x07":
                pass
            case _:
                raise AssertionError(f"the terminal got an unknown {char!r}")

    def _control(self, private: str, numbers: str, final: str) -> None:
        count = int(numbers or "1") if ";" not in numbers else 0
        match private, final:
            case "?", "h" | "l":
                self._mode(numbers, on=final == "h")
            case "", "m":
                self.sgr_seen.update(numbers.split(";"))
            case "", "A":
                self._row = max(0, self._row - count)
            case "", "B":
                self._row = min(self.rows - 1, self._row + count)
            case "", "C":
                self._column = min(self.columns - 1, self._column + count)
            case "", "D":
                self._column = max(0, min(self._column, self.columns - 1) - count)
            case "", "K":
                self._erase(self._row, self._column)
            case "", "J":
                self._erase(self._row, self._column)
                for row in range(self._row + 1, self.rows):
                    self._erase(row, 0)
            case _:
                raise AssertionError(f"the terminal got an unknown sequence {private}{numbers}{final}")

    def _erase(self, row: int, column: int) -> None:
        self._cells[row][column:] = [" "] * (self.columns - column)

    def _mode(self, number: str, *, on: bool) -> None:
        assert number in _MODES, f"the terminal got an unknown mode {number}"
        if number == "25":
            self.cursor_visible = on
        elif number == "2004":
            self.bracketed_paste = on


class Terminal:
    """A program on a terminal of its own. Use as a context manager; leaving kills what still runs."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        rows: int = 40,
        columns: int = 100,
    ) -> None:
        self.screen = Emulator(rows, columns)
        size = (rows, columns)
        self._child = pexpect.spawn(
            command[0], list(command[1:]), env=dict(env), cwd=cwd, dimensions=size, encoding="utf-8"
        )
        self._child.delaybeforesend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def pid(self) -> int:
        return int(self._child.pid)

    @property
    def text(self) -> str:
        """The whole scrollback and screen."""
        return self.screen.text

    def send(self, keys: str) -> None:
        self._child.send(keys)

    def until(self, wanted: str | Callable[[str], bool], seconds: float = 10.0) -> None:
        """Read until the text is on the screen, or the condition on all text holds."""
        holds = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        end = time.monotonic() + seconds
        while not holds(self.text):
            left = end - time.monotonic()
            assert left > 0, f"{wanted!r} did not come; the terminal shows:\n{self.text}"
            assert self._read(min(left, 0.2)), f"the program ended before {wanted!r}; the terminal shows:\n{self.text}"

    def end(self) -> int:
        """Read to the end; the exit code, or a signal as its negative number."""
        end = time.monotonic() + 10
        while self._read(0.2):
            assert time.monotonic() < end, f"the program does not end; the terminal shows:\n{self.text}"
        self._child.close()
        return -self._child.signalstatus if self._child.signalstatus else int(self._child.exitstatus)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def _read(self, seconds: float) -> bool:
        """Take in what came; false when nothing will come any more."""
        try:
            self.screen.feed(self._child.read_nonblocking(65536, timeout=seconds))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True
