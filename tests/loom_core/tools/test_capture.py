"""The output of a child: both ends, the true size, and the whole in a private file."""

import stat
from pathlib import Path

import pytest

from loom_core.tools.capture import HEAD, SPOOLED, TAIL, Capture, Captured


def captured(directory: Path, *pieces: bytes, limit: int = 1_000_000) -> Captured:
    capture = Capture(lambda: directory)
    for piece in pieces:
        capture.receive(piece)
    return capture.finish(limit)


def test_what_fits_is_whole_and_touches_no_disk(tmp_path: Path) -> None:
    data = b"x" * (HEAD + TAIL)
    assert captured(tmp_path, data[:10], data[10:]) == Captured(data.decode(), len(data), None)
    assert list(tmp_path.glob("output-*")) == []


def test_what_fits_in_memory_but_not_in_the_limit_is_cut(tmp_path: Path) -> None:
    made = captured(tmp_path, b"a" * 500 + b"b" * 500, limit=100)
    assert made.full == b"a" * 500 + b"b" * 500
    assert made.text == "a" * 50 + "\n[... 900 bytes left out; the whole output is 1,000 bytes ...]\n" + "b" * 50


@pytest.mark.parametrize("piece", [1_000, 70_000, 1_000_000])
def test_what_is_longer_is_in_a_private_file(tmp_path: Path, piece: int) -> None:
    data = bytes(range(65, 91)) * 50_000
    made = captured(tmp_path, *(data[start : start + piece] for start in range(0, len(data), piece)))
    assert isinstance(made.full, Path)
    assert made.full.read_bytes() == data
    assert stat.S_IMODE(made.full.stat().st_mode) == 0o600
    assert made.size == len(data)
    assert made.text.startswith(data[:HEAD].decode() + "\n[... ")
    assert made.text.endswith(" ...]\n" + data[-TAIL:].decode())


def test_the_file_has_a_limit_and_the_size_is_true_beyond_it(tmp_path: Path) -> None:
    made = captured(tmp_path, *[bytes(1024 * 1024)] * 20)
    assert isinstance(made.full, Path)
    assert made.full.stat().st_size == SPOOLED
    assert made.size == 20 * 1024 * 1024


def test_characters_are_not_cut_in_two(tmp_path: Path) -> None:
    made = captured(tmp_path, "é€😀".encode() * 20_000)
    assert "\ufffd" not in made.text


def test_a_full_disk_loses_the_file_and_not_the_output(tmp_path: Path) -> None:
    capture = Capture(lambda: tmp_path / "missing")
    capture.receive(b"a" * 100_000)
    capture.receive(b"b" * 100_000)
    made = capture.finish(1_000)
    assert capture.fault == "No such file or directory"
    assert made.full is None
    assert (made.size, made.text[0], made.text[-1]) == (200_000, "a", "b")


def test_discarding_deletes_the_file(tmp_path: Path) -> None:
    capture = Capture(lambda: tmp_path)
    capture.receive(bytes(100_000))
    assert len(list(tmp_path.glob("output-*"))) == 1
    capture.discard()
    assert list(tmp_path.glob("output-*")) == []
