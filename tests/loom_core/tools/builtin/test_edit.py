"""Editing: exactly one place, and everything else of the file as it was."""

import stat
from pathlib import Path

import pytest

from loom_core.tools.builtin import files
from tests.support.tool_context import DirectoryContext, call, context_in

READ, _, _, _, EDIT = files(read_only=False)


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    return context_in(tmp_path)


def known(context: DirectoryContext, data: bytes) -> Path:
    """A file of this content which the model has read."""
    path = context.workspace.root / "file"
    path.write_bytes(data)
    call(READ, context, path="file")
    return path


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"a\nb\nc\n", "b", "B", b"a\nB\nc\n"),
        (b"a\nb\nc\n", "a\nb", "x", b"x\nc\n"),
        (b"a\nb", "b", "", b"a\n"),
        (b"a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", b"x\r\ny\r\nz\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "a\r\nb", "x\r\ny", b"x\r\ny\r\nc\r\n"),
        (b"a\r\nb\r\n", "b", "b\nc", b"a\r\nb\r\nc\r\n"),
        (b"a\nb\nc\n", "a\r\nb", "x\r\ny", b"x\ny\nc\n"),
        (b"a\r\nb\nc\n", "b\nc", "x\ny", b"a\r\nx\ny\n"),
        (b"\xef\xbb\xbfa\n", "a", "b", b"\xef\xbb\xbfb\n"),
        (b"\xff\xfea\0\n\0", "a", "€", b"\xff\xfe\xac\x20\n\0"),
        (b"\xfe\xff\0a\0\n", "a", "b", b"\xfe\xff\0b\0\n"),
        ("café\n".encode("latin-1"), "café", "thé", "thé\n".encode("latin-1")),
        (b"\xc3\xa9\n" + b"x\n" * 40_000 + b"\xff\n", "é", "e", b"e\n" + b"x\n" * 40_000 + b"\xff\n"),
        (b"\x1b[31m\0"[:5] + b"a\n", "a", "b", b"\x1b[31m"[:5] + b"b\n"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_one_place_changes_and_nothing_else(
    context: DirectoryContext, before: bytes, old: str, new: str, after: bytes
) -> None:
    path = known(context, before)
    output = call(EDIT, context, path="file", old_string=old, new_string=new)
    assert not output.is_error, output.content
    assert path.read_bytes() == after
    assert context.files.contents[path] == after


def test_the_change_is_shown(context: DirectoryContext) -> None:
    known(context, "".join(f"{n}\r\n" for n in range(1, 11)).encode())
    output = call(EDIT, context, path="file", old_string="5\n", new_string="five\n")
    assert output.content == "Replaced in file at line 5"
    assert output.display == ("--- a/file\n+++ b/file\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8")


def test_the_mode_stays_and_a_link_stays_a_link(context: DirectoryContext) -> None:
    path = known(context, b"a\n")
    path.chmod(0o755)
    (path.parent / "link").symlink_to("file")
    assert not call(EDIT, context, path="link", old_string="a", new_string="b").is_error
    assert (path.parent / "link").is_symlink()
    assert path.read_text() == "b\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_every_occurrence_on_demand(context: DirectoryContext) -> None:
    path = known(context, b"x\ny\nx x\n")
    output = call(EDIT, context, path="file", old_string="x", new_string="z")
    assert output.is_error
    assert "stands in file 3 times, at lines 1, 3, 3" in output.content
    output = call(EDIT, context, path="file", old_string="x", new_string="z", replace_all=True)
    assert output.content == "Replaced in file 3 times, at lines 1, 3, 3"
    assert path.read_bytes() == b"z\ny\nz z\n"


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ("    indented", 'line 2 differs in white space only: the file has "\\tindented", old_string "    indented"'),
        ("def function(a, c):", 'the nearest is line 1: "def function(a, b):"'),
        ("     2\tindented", "leave out the line numbers"),
        ("\u2603\u2603\u2603", "no line is like it"),
        ("", "old_string is empty"),
        ("same", "are the same"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_not_found_is_explained(context: DirectoryContext, old: str, words: str) -> None:
    path = known(context, b"def function(a, b):\n\tindented\n")
    output = call(EDIT, context, path="file", old_string=old, new_string="same")
    assert output.is_error
    assert words in output.content
    assert path.read_bytes() == b"def function(a, b):\n\tindented\n"


def test_a_file_that_changed_since_it_was_read_is_left_alone(context: DirectoryContext) -> None:
    path = known(context, b"a\n")
    path.write_bytes(b"a\nmore\n")
    assert call(EDIT, context, path="file", old_string="a", new_string="b").is_error
    assert path.read_bytes() == b"a\nmore\n"


def test_what_the_encoding_cannot_say_changes_nothing(context: DirectoryContext) -> None:
    path = known(context, "café\n".encode("latin-1"))
    output = call(EDIT, context, path="file", old_string="café", new_string="5 €")
    assert output.is_error
    assert "encoded in latin-1, which has no '\\u20ac'" in output.content
    assert path.read_bytes() == "café\n".encode("latin-1")


@pytest.mark.parametrize(
    ("data", "words"), [(b"a\0b", "binary"), (b"\xff\xfea\0b", "starts as utf-16-le"), (bytes(9_000_000), "too many")]
)
def test_what_is_no_text_is_not_edited(context: DirectoryContext, data: bytes, words: str) -> None:
    known(context, data)
    output = call(EDIT, context, path="file", old_string="a", new_string="b")
    assert output.is_error
    assert words in output.content


def test_a_missing_file_is_said(context: DirectoryContext) -> None:
    known(context, b"a\n")
    output = call(EDIT, context, path="fil", old_string="a", new_string="b")
    assert output.content == "fil does not exist; did you mean file?"
