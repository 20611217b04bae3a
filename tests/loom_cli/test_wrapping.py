"""Long lines on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator

import pytest

from loom_cli.wrapping import wrapped

TEXT = 'loom: what cannot be done here\n  try "loom run --no-stdin -g hi" there\n'


@pytest.fixture
def terminal() -> Iterator[int]:
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def resize(descriptor: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))


def test_lines_are_broken_between_words_and_go_on_further_in(terminal: int) -> None:
    resize(terminal, 20)
    assert wrapped(TEXT, terminal).splitlines() == [
        "loom: what cannot be",
        "  done here",
        '  try "loom run',
        "    --no-stdin -g",
        '    hi" there',
    ]


@pytest.mark.parametrize("columns", [0, 200])
def test_lines_that_fit_or_a_width_unknown_change_nothing(terminal: int, columns: int) -> None:
    resize(terminal, columns)
    assert wrapped(TEXT, terminal) == TEXT


def test_a_word_and_the_columns_of_a_table_stay_whole(terminal: int) -> None:
    resize(terminal, 12)
    assert wrapped("a   b  /a/long/path-to/something\n\nnext\n", terminal) == (
        "a   b\n  /a/long/path-to/something\n\nnext\n"
    )


def test_nothing_is_broken_in_a_pipe() -> None:
    reader, writer = os.pipe()
    assert wrapped(TEXT * 100, writer) == TEXT * 100
    os.close(reader)
    os.close(writer)
