"""Standard input as data."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loom_cli import stdin
from loom_cli.fields import StdinMode
from loom_cli.stdin import read_stdin, read_text
from loom_core.errors import InputError
from loom_core.events import InputData


@contextmanager
def standard(descriptor: int, number: int) -> Iterator[None]:
    """Put a descriptor in the place of standard stream `number`."""
    saved = os.dup(number)
    os.dup2(descriptor, number)
    try:
        yield
    finally:
        os.dup2(saved, number)
        os.close(saved)


def read(data: bytes, mode: StdinMode = "auto", limit: int = 100) -> tuple[InputData | None, list[str]]:
    """What is read from a file with this content, and what is told."""
    told: list[str] = []
    descriptor = os.memfd_create("stdin")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with standard(descriptor, 0):
            return read_stdin(mode, limit, told.append), told
    finally:
        os.close(descriptor)


def test_data_comes_with_its_size_and_digest() -> None:
    found, told = read("zwölf\n".encode())
    digest = hashlib.sha256("zwölf\n".encode()).hexdigest()
    assert found == InputData(name="stdin", text="zwölf\n", bytes=7, sha256=digest)
    assert told == []


@pytest.mark.parametrize(("data", "mode"), [(b"", "auto"), (b"", "head"), (b"data", "ignore")])
def test_no_data(data: bytes, mode: StdinMode) -> None:
    assert read(data, mode) == (None, [])


CASES = [
    ("auto", b"a" * 8191 + b"\0", "binary; use --file"),
    ("auto", b"a" * 101, "longer than 100 bytes"),
    ("require", b"", "nothing on standard input"),
]


@pytest.mark.parametrize(("mode", "data", "message"), CASES, ids=[case[2] for case in CASES])
def test_unusable_data(mode: StdinMode, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data, mode, 100 if "longer" in message else 10000)


def test_exactly_the_limit_is_not_over_it() -> None:
    found, told = read(b"a" * 100)
    assert found is not None
    assert (found.bytes, told) == (100, [])


def test_head_cuts_between_characters_and_says_so() -> None:
    found, told = read("aä€".encode(), "head", 5)
    assert found is not None
    assert (found.text, found.bytes) == ("aä", 3)
    assert told == ["standard input is longer than 5 bytes; the rest is left out"]


def test_what_is_not_utf8_is_replaced_and_told_once() -> None:
    found, told = read(b"a\xffb\xfe")
    assert found is not None
    assert found.text == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    assert told == ["standard input is not UTF-8 (byte 1); what is not was replaced"]


def test_a_terminal_is_not_read() -> None:
    master, slave = os.openpty()
    with standard(slave, 0):
        assert read_stdin("auto", 100, lambda _: None) is None
    os.close(master)
    os.close(slave)


def test_a_directory_is_no_data() -> None:
    descriptor = os.open("/", os.O_RDONLY)
    with standard(descriptor, 0), pytest.raises(InputError, match="Is a directory"):
        read_stdin("auto", 100, lambda _: None)
    os.close(descriptor)


def test_a_socket_and_a_non_blocking_pipe_are_read_to_their_end() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)

    def write() -> None:
        with ours:
            ours.sendall(b"x" * 200_000)

    writer = threading.Thread(target=write)
    writer.start()
    with standard(theirs.fileno(), 0):
        found = read_stdin("auto", 1_000_000, lambda _: None)
    writer.join()
    theirs.close()
    assert found is not None
    assert found.bytes == 200_000


def test_a_silent_pipe_is_explained_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin, "NOTICE_AFTER_S", 0.01)
    reader, writer = os.pipe()
    master, slave = os.openpty()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        os.write(writer, b"late")
        os.close(writer)

    with standard(reader, 0), standard(slave, 2):
        found = read_stdin("auto", 100, tell)
    for descriptor in (reader, master, slave):
        os.close(descriptor)
    assert found is not None
    assert (found.text, told) == ("late", ["reading stdin, Ctrl-D ends it (-n to skip)"])


def test_a_text_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text("schema = 1\n")
    with path.open() as file, standard(file.fileno(), 0):
        assert read_text() == "schema = 1\n"
        with pytest.raises(InputError, match="nothing"):
            read_text()
