"""The file an answer goes to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom_cli.output_file import write_file
from loom_core.errors import StorageError


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "answer.md"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, "new ü\ud800\n")
    assert path.read_bytes() == b"new \xc3\xbc\\ud800\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob(".*")) == []


def test_a_link_keeps_standing(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_append(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write_file(path, "one\n", append=True)
    write_file(path, "two\n", append=True)
    assert path.read_text() == "one\ntwo\n"


def test_a_device_is_written_in_place() -> None:
    write_file(Path(os.devnull), "gone")


@pytest.mark.parametrize("path", ["missing/answer.md", "/dev/full", "."], ids=["no directory", "full", "a directory"])
def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="cannot write"):
        write_file(Path(path), "text")
    assert list(tmp_path.glob(".*")) == []
