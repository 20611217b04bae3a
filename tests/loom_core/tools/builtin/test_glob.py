"""Listing files by pattern."""

import os
from pathlib import Path

import pytest

from loom_core.tools.builtin import files
from tests.support.tool_context import DirectoryContext, call, context_in

GLOB = files(read_only=True)[1]


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    made = context_in(tmp_path)
    root = made.workspace.root
    for age, name in enumerate(("a.py", "src/b.py", "src/deep/c.py", "src/d.txt", "ignored/e.py", ".env", ".git/f.py")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
        os.utime(root / name, (1_000 - age, 1_000 - age))
    (root / ".gitignore").write_text("ignored/\n")
    os.utime(root / ".gitignore", (1, 1))
    return made


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"pattern": "**/*.py"}, ["a.py", "src/b.py", "src/deep/c.py"]),
        ({"pattern": "*.py"}, ["a.py"]),
        ({"pattern": "./src/*"}, ["src/b.py", "src/d.txt"]),
        ({"pattern": "**/*.{txt,py}", "path": "src"}, ["src/b.py", "src/deep/c.py", "src/d.txt"]),
        ({"pattern": "*", "path": "src/deep"}, ["src/deep/c.py"]),
        ({"pattern": ".*"}, [".gitignore"]),
        ({"pattern": "*.md"}, ["No file matches *.md in .; **/*.md looks in the directories below too."]),
        ({"pattern": "**/*.md"}, ["No file matches **/*.md in .."]),
    ],
    ids=str,
)
def test_files_are_listed_newest_first(context: DirectoryContext, arguments: dict[str, str], found: list[str]) -> None:
    assert call(GLOB, context, **arguments).content.split("\n") == found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": "/etc/*"}, "not relative"),
        ({"pattern": "../*"}, "not relative"),
        ({"pattern": "*", "path": ".."}, "outside"),
        ({"pattern": "*", "path": "srv"}, "did you mean src"),
        ({"pattern": "*", "path": "a.py"}, "is no directory"),
    ],
    ids=str,
)
def test_what_cannot_be_looked_in_is_said(context: DirectoryContext, arguments: dict[str, str], words: str) -> None:
    output = call(GLOB, context, **arguments)
    assert output.is_error
    assert words in output.content


def test_many_files_are_counted_and_the_newest_shown(context: DirectoryContext) -> None:
    many = context.workspace.root / "many"
    many.mkdir()
    for number in range(250):
        (many / f"{number}").touch()
        os.utime(many / f"{number}", (number, number))
    lines = call(GLOB, context, pattern="many/*").content.split("\n")
    assert lines[0] == "many/249"
    assert lines[200:] == ["[the newest 200 of 250 files]"]


def test_a_name_cannot_pretend_to_be_two(context: DirectoryContext) -> None:
    (context.workspace.root / "src" / "x\n\x1b[2Jy").touch()
    assert call(GLOB, context, pattern="src/x*").content == "src/x\\n\\x1b[2Jy"
