"""Reading: numbered lines, pages, and a word on everything that is no plain text."""

import os
from pathlib import Path

import pytest

from loom_core.tools.builtin import files
from loom_core.tools.builtin.paths import WHOLE
from tests.support.tool_context import DirectoryContext, call, context_in

READ = files(read_only=True)[0]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    return context_in(tmp_path)


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"one\ntwo\n", "     1\tone\n     2\ttwo"),
        (b"one\n\nno end", "     1\tone\n     2\t\n     3\tno end"),
        (b"a\r\nb\r\n", "     1\ta\n     2\tb"),
        (b"a\rb\n", "     1\ta\\x0db"),
        ("é€\n".encode(), "     1\té€"),
        (b"\xef\xbb\xbfmarked\n", "     1\tmarked"),
        ("wide é\nb".encode("utf-16"), "     1\twide é\n     2\tb\n[The file is encoded in utf-16-le.]"),
        (b"\xfe\xff" + "big".encode("utf-16-be"), "     1\tbig\n[The file is encoded in utf-16-be.]"),
        ("café crème\n".encode("latin-1"), "     1\tcafé crème\n[The file is encoded in latin-1.]"),
        (b"a" * 70_000 + b"\n\xff\n", None),
        (b"\x1b[31mred \xe2\x80\xae\n", "     1\t\\x1b[31mred \\u202e"),
        (b"", "[file is empty.]"),
        (b"\x7fELF\0\0", "[file is a binary file of 6 bytes, which cannot be shown as text.]"),
        (bytes(range(1, 32)) * 9 + b"\xff", "[file is a binary file of 280 bytes, which cannot be shown as text.]"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_a_file_is_shown(context: DirectoryContext, data: bytes, content: str | None) -> None:
    (context.workspace.root / "file").write_bytes(data)
    output = call(READ, context, path="file")
    assert not output.is_error
    if content is not None:
        assert output.content == content
    assert context.files.contents == {context.workspace.root / "file": data}


def test_a_byte_that_is_no_text_is_shown_as_one(context: DirectoryContext) -> None:
    (context.workspace.root / "file").write_bytes(b"x\n" * 40_000 + b"caf\xff\n")
    assert call(READ, context, path="file", offset=40_001).content == " 40001\tcaf\\xff"


@pytest.mark.parametrize(
    ("offset", "limit", "numbers", "notes"),
    [
        (1, 3, [1, 2, 3], ["[Lines 1 to 3 of a file of 51 bytes; more follow: offset=4.]"]),
        (4, 3, [4, 5, 6], ["[Lines 4 to 6 of a file of 51 bytes; more follow: offset=7.]"]),
        (19, 2_000, [19, 20], []),
        (1, 20, list(range(1, 21)), []),
    ],
    ids=["first", "next", "last", "all"],
)
def test_pages(context: DirectoryContext, offset: int, limit: int, numbers: list[int], notes: list[str]) -> None:
    (context.workspace.root / "file").write_text("".join(f"{n}\n" for n in range(1, 21)))
    lines = call(READ, context, path="file", offset=offset, limit=limit).content.split("\n")
    assert lines == [f"{number:>6}\t{number}" for number in numbers] + notes


def test_a_page_ends_where_a_result_would_be_cut(context: DirectoryContext) -> None:
    (context.workspace.root / "file").write_text("".join(f"{n:<99}\n" for n in range(1, 1_001)))
    content = call(READ, context, path="file").content
    *lines, note = content.split("\n")
    assert len(content) < 30_000
    assert "left out" not in content
    assert note.endswith(f"more follow: offset={len(lines) + 1}.]")
    following = call(READ, context, path="file", offset=len(lines) + 1).content
    assert following.startswith(f"{len(lines) + 1:>6}\t")


def test_a_long_line_is_cut_and_said_so(context: DirectoryContext) -> None:
    (context.workspace.root / "file").write_text("a" * 100_000 + "\nnext\n")
    assert call(READ, context, path="file").content == (
        "     1\t" + "a" * 2_000 + " [... 98,000 more characters in this line]\n     2\tnext"
    )


def test_a_huge_file_is_shown_without_being_read(context: DirectoryContext) -> None:
    path = context.workspace.root / "file"
    with path.open("wb") as file:
        file.write(b"first\n")
        file.truncate(50 * 1024**3)
    assert "     1\tfirst\n     2\t" not in call(READ, context, path="file").content  # a NUL within 8 KiB: binary
    path.write_bytes(b"line\n" * (WHOLE // 5 + 1))
    content = call(READ, context, path="file", limit=1).content
    assert content == "     1\tline\n[Lines 1 to 1 of a file of 8,388,610 bytes; more follow: offset=2.]"
    assert context.files.contents == {}


def test_a_picture_is_a_binary_file(context: DirectoryContext) -> None:
    (context.workspace.root / "file").write_bytes(PNG)
    assert "binary file" in call(READ, context, path="file").content


def test_errors_name_the_way_on(context: DirectoryContext) -> None:
    root = context.workspace.root
    (root / "src").mkdir()
    (root / "src" / "main.py").write_text("x\n")
    (root / ".env").write_text("SECRET=1\n")
    os.mkfifo(root / "pipe")
    (root / "out").symlink_to("/etc/passwd")
    for path, words in {
        "src/mian.py": "src/mian.py does not exist; did you mean src/main.py",
        "scr/main.py": "scr/main.py does not exist; the last directory on the way is .",
        "src": "src is a directory, not a file; it holds main.py",
        ".": "it holds out, pipe, src/",
        "pipe": "pipe is no regular file",
        "out": "outside",
        "../x": "outside",
        "/etc/passwd": "outside",
        ".env": "protected",
        "nul\0": "ValueError",
    }.items():
        output = call(READ, context, path=path)
        assert output.is_error, path
        assert words in output.content
    output = call(READ, context, path="src/main.py", offset=9)
    assert output.content == "the file has only 1 lines; there is none at offset=9"


def test_a_link_inside_the_workspace_is_followed(context: DirectoryContext) -> None:
    (context.workspace.root / "file").write_text("x\n")
    (context.workspace.root / "link").symlink_to("file")
    assert call(READ, context, path="link").content == "     1\tx"
