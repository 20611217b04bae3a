"""Files attached to a goal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom_cli.fields import Input
from loom_cli.inputs import gather
from loom_cli.invocation import Invocation
from loom_core.errors import InputError
from loom_core.messages import JSON


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def attached(*names: str, room: int = 1000) -> dict[str, JSON]:
    return gather(Input(files=names, max_bytes=room), Invocation(), with_stdin=False)


def test_files_and_what_a_pattern_matches(here: Path) -> None:
    for name in ("a.txt", "b.txt", "[x].txt"):
        (here / name).write_text(name)
    (here / "c.txt").mkdir()
    assert attached("[ab].txt", "[x].txt") == {name: name for name in ("a.txt", "b.txt", "[x].txt")}


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    try:
        assert attached(f"/dev/fd/{reader}") == {f"/dev/fd/{reader}": "from a pipe"}
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "folder is a directory"),
        (".", r"\. is a directory"),
        ("f*", r"no file matches f\*"),
        ("none", "no file matches none"),
        ("dangling", "no file matches dangling"),
        ("", r"\. is a directory"),
    ],
)
def test_what_attaches_nothing_is_an_error(name: str, message: str, here: Path) -> None:
    (here / "folder").mkdir()
    (here / "dangling").symlink_to("nowhere")
    with pytest.raises(InputError, match=f"^{message}$"):
        attached(name)


def test_what_is_not_utf_8_is_replaced_and_said(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "latin").write_bytes(b"caf\xe9 \xe9")
    assert attached("latin") == {"latin": "caf\ufffd \ufffd"}
    assert capfd.readouterr().err == "loom: latin is not UTF-8 (byte 3); what is not was replaced\n"


def test_the_limit_counts_bytes_of_all(here: Path) -> None:
    (here / "a").write_text("ü" * 5)
    (here / "b").write_text("x" * 5)
    assert set(attached("a", "b", room=15)) == {"a", "b"}
    with pytest.raises(InputError, match=r"^b: the attached files are larger"):
        attached("a", "b", room=14)
