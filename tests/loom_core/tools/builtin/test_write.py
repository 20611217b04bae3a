"""Writing a whole file: at once, not over what was not read, and with what it had kept."""

import os
import stat
from pathlib import Path

import pytest

from loom_core.tools.builtin import files
from tests.support.tool_context import DirectoryContext, call, context_in

READ, _, _, WRITE, _ = files(read_only=False)


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    return context_in(tmp_path)


def test_a_new_file_and_its_directories_are_made(context: DirectoryContext) -> None:
    output = call(WRITE, context, path="a/b/c.txt", content="é\r\nx")
    path = context.workspace.root / "a/b/c.txt"
    assert path.read_bytes() == b"\xc3\xa9\r\nx"
    assert output.content == "Created a/b/c.txt: 2 lines, 5 bytes"
    assert output.display == (
        "--- a/a/b/c.txt\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+é\r\n+x\n\\ No newline at end of file"
    )
    assert context.files.contents == {path: path.read_bytes()}
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["c.txt"]


def test_the_mode_of_a_new_file_is_the_users(context: DirectoryContext) -> None:
    before = os.umask(0o027)
    try:
        call(WRITE, context, path="file", content="")
    finally:
        os.umask(before)
    assert stat.S_IMODE((context.workspace.root / "file").stat().st_mode) == 0o640


def test_a_file_that_was_not_read_is_not_overwritten(context: DirectoryContext) -> None:
    path = context.workspace.root / "file"
    path.write_text("old\n")
    assert call(WRITE, context, path="file", content="new\n").is_error
    call(READ, context, path="file")
    path.write_text("changed meanwhile\n")
    assert call(WRITE, context, path="file", content="new\n").is_error
    assert path.read_text() == "changed meanwhile\n"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_a_file_that_was_read_is_replaced_and_keeps_its_mode(context: DirectoryContext, mode: int) -> None:
    path = context.workspace.root / "file"
    path.write_text("old\nsame\n")
    path.chmod(mode)
    call(READ, context, path="file")
    output = call(WRITE, context, path="file", content="new\nsame\n")
    assert path.read_text() == "new\nsame\n"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert output.display == "--- a/file\n+++ b/file\n@@ -1,2 +1,2 @@\n-old\n+new\n same"
    assert not call(WRITE, context, path="file", content="again\n").is_error


def test_a_link_stays_a_link(context: DirectoryContext) -> None:
    root = context.workspace.root
    (root / "link").symlink_to("target")
    call(WRITE, context, path="link", content="x")
    assert (root / "link").is_symlink()
    assert (root / "target").read_text() == "x"


def test_what_cannot_be_written_is_said(context: DirectoryContext) -> None:
    root = context.workspace.root
    (root / "directory").mkdir()
    (root / "file").write_text("x")
    os.mkfifo(root / "pipe")
    for path, words in {
        "directory": "is a directory",
        "file/below": "Not a directory",
        "pipe": "no regular file",
        "../outside": "outside",
        ".env": "protected",
        "n" * 300: "File name too long",
    }.items():
        output = call(WRITE, context, path=path, content="y")
        assert output.is_error, path
        assert words in output.content
    assert "lone surrogate" in call(WRITE, context, path="new", content="\ud800").content
    assert sorted(entry.name for entry in root.iterdir()) == ["directory", "file", "pipe"]


def test_a_binary_file_is_not_shown_as_a_diff(context: DirectoryContext) -> None:
    path = context.workspace.root / "file"
    path.write_bytes(b"\0\1\2")
    call(READ, context, path="file")
    assert call(WRITE, context, path="file", content="x").display == "file: a binary file of 3 bytes became text"


def test_a_directory_swapped_for_a_link_is_not_written_through(
    context: DirectoryContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outside = context.workspace.root, tmp_path / "outside"
    outside.mkdir()
    (root / "deep").mkdir()
    resolved = root / "deep" / "below" / "file"
    (outside / "below").mkdir()
    (root / "deep").rmdir()
    (root / "deep").symlink_to(outside)
    monkeypatch.setattr(type(context.workspace), "resolve", lambda *_, **__: resolved)
    output = call(WRITE, context, path="deep/below/file", content="x")
    assert output.is_error
    assert "moved or replaced" in output.content
    assert list((outside / "below").iterdir()) == []
