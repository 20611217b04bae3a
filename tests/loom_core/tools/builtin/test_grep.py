"""Searching, with ripgrep and with Python: the same files, the same lines, the same form."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from loom_core.tools.builtin import files, grep
from loom_core.tools.builtin.programs import find_program
from tests.support.tool_context import DirectoryContext, call, context_in

GREP = files(read_only=True)[2]
CORPUS = {
    "a.py": b"import os\n\ndef needle():\n    return 'Needle'\n",
    "src/b.py": b"one\ntwo\nneedle three\nfour\nfive\nsix\nseven needle\neight\n",
    "src/deep/c.txt": "nádel\nneedle é\n".encode(),
    "crlf.txt": b"first\r\nneedle\r\nlast\r\n",
    "wide.txt": "needle in utf-16\n".encode("utf-16"),
    "binary.bin": b"\0\1needle\n",
    "noend": b"needle",
    "long.txt": b"needle " + b"x" * 5_000 + b"\nneedle again\n",
    "escape.txt": b"\x1b[31mneedle\x1b[0m\n",
    "-dash.txt": b"needle\n",
    ".hidden/x.txt": b"needle\n",
    ".env": b"needle=secret\n",
    "private/.env": b"needle=secret\n",
    ".git/config": b"needle\n",
    "ignored.log": b"needle\n",
    "build/out.txt": b"needle\n",
    "src/.ignore": b"*.py\n",
    ".gitignore": b"*.log\n/build\n",
}


@pytest.fixture(params=["ripgrep", "python"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> DirectoryContext:
    made = context_in(tmp_path)
    for name, data in CORPUS.items():
        path = made.workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if request.param == "python":
        made.environment["PATH"] = "/nonexistent"
    elif find_program("rg", made.environment, made.workspace.root) is None:
        pytest.skip("ripgrep is not installed")
    return made


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            {"pattern": "needle", "output": "files"},
            [
                "-dash.txt",
                ".hidden/x.txt",
                "a.py",
                "crlf.txt",
                "escape.txt",
                "long.txt",
                "noend",
                "src/b.py",
                "src/deep/c.txt",
                "wide.txt",
            ],
        ),
        ({"pattern": "needle", "output": "count", "path": "src"}, ["src/b.py:2", "src/deep/c.txt:1"]),
        ({"pattern": "needle", "path": "a.py"}, ["a.py:3:def needle():"]),
        ({"pattern": "NEEDLE", "path": "a.py"}, ["No matches."]),
        (
            {"pattern": "NEEDLE", "path": "a.py", "case_insensitive": True},
            ["a.py:3:def needle():", "a.py:4:    return 'Needle'"],
        ),
        (
            {"pattern": "needle", "path": "src/b.py", "context": 1},
            [
                "src/b.py-2-two",
                "src/b.py:3:needle three",
                "src/b.py-4-four",
                "--",
                "src/b.py-6-six",
                "src/b.py:7:seven needle",
                "src/b.py-8-eight",
            ],
        ),
        (
            {"pattern": "three|eight", "path": "src/b.py", "context": 2, "limit": 3},
            [
                "src/b.py-1-one",
                "src/b.py-2-two",
                "src/b.py:3:needle three",
                "[there is more; narrow the search or raise limit]",
            ],
        ),
        ({"pattern": "needle", "glob": "*.py", "output": "files"}, ["a.py", "src/b.py"]),
        ({"pattern": "needle", "glob": "src/**/*.txt", "output": "files"}, ["src/deep/c.txt"]),
        ({"pattern": "needle", "glob": "*.{py,txt}", "path": "src", "output": "files"}, ["src/b.py", "src/deep/c.txt"]),
        ({"pattern": "needle", "glob": "!*.{py,txt}", "output": "files"}, ["noend"]),
        ({"pattern": "needle", "glob": "*.log"}, ["No matches."]),
        ({"pattern": "needle", "path": "ignored.log"}, ["ignored.log:1:needle"]),
        ({"pattern": "^needle$", "path": "crlf.txt"}, ["crlf.txt:2:needle"]),
        ({"pattern": "utf", "path": "."}, ["wide.txt:1:needle in utf-16"]),
        ({"pattern": "é$", "path": "src"}, ["src/deep/c.txt:2:needle é"]),
        ({"pattern": "red|31m", "path": "escape.txt"}, ["escape.txt:1:\\x1b[31mneedle\\x1b[0m"]),
        ({"pattern": "needle x", "path": "long.txt"}, ["long.txt:1:needle " + "x" * 493 + " [...]"]),
        ({"pattern": "-e"}, ["No matches."]),
        ({"pattern": "--files"}, ["No matches."]),
        (
            {"pattern": "needle", "output": "files", "limit": 1},
            ["-dash.txt", "[there is more; narrow the search or raise limit]"],
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_found(context: DirectoryContext, arguments: dict[str, Any], lines: list[str]) -> None:
    output = call(GREP, context, **arguments)
    assert not output.is_error
    assert output.content.split("\n") == lines


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": "("}, "regex parse error"),
        ({"pattern": "x", "path": "nowhere"}, "does not exist"),
        ({"pattern": "x", "path": ".."}, "outside"),
        ({"pattern": "x", "path": ".env"}, "protected"),
        ({"pattern": "x", "glob": "../*"}, "not relative"),
    ],
    ids=str,
)
def test_what_cannot_be_searched_is_said(context: DirectoryContext, arguments: dict[str, Any], words: str) -> None:
    output = call(GREP, context, **arguments)
    assert output.is_error
    assert words in output.content


def test_rules_above_a_workspace_without_repository_do_not_count(context: DirectoryContext, tmp_path: Path) -> None:
    (context.workspace.root / ".git" / "config").unlink()
    (context.workspace.root / ".git").rmdir()
    (tmp_path / ".gitignore").write_text("*\n")
    (context.workspace.root / "src" / "x.log").write_text("needle\n")
    assert call(GREP, context, pattern="needle", path="src", output="files").content == "src/b.py\nsrc/deep/c.txt"
    assert "src/b.py" in call(GREP, context, pattern="needle", output="files").content


def test_a_configuration_of_ripgrep_has_no_say(context: DirectoryContext, tmp_path: Path) -> None:
    (tmp_path / "ripgreprc").write_text("--files-without-match\n--no-ignore\n")
    context.environment["RIPGREP_CONFIG_PATH"] = str(tmp_path / "ripgreprc")
    assert call(GREP, context, pattern="needle", path="a.py").content == "a.py:3:def needle():"


def test_a_search_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_in(tmp_path)
    context.environment["PATH"] = ""
    (context.workspace.root / "a").write_text("found\n")
    (context.workspace.root / "b").write_text("a" * 40 + "\n")
    monkeypatch.setattr(grep, "_SECONDS", 0.5)
    begun = time.monotonic()
    output = call(GREP, context, pattern="(a+)+$|found")
    assert not output.timed_out
    output = call(GREP, context, pattern="(a+)+b|found")
    assert output.timed_out
    assert output.is_error
    assert output.content == "a:1:found\n[the search was stopped after 0.5 s; narrow it by path or glob]"
    assert time.monotonic() - begun < 5


def test_a_program_of_the_project_is_not_taken_for_ripgrep(tmp_path: Path) -> None:
    root = tmp_path / "work"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "rg").write_text("#!/bin/sh\necho gotcha\n")
    (root / "bin" / "rg").chmod(0o755)
    for path in (str(root / "bin"), "bin", "."):
        assert find_program("rg", {"PATH": path}, root) is None
    assert find_program("sh", {"PATH": f"{root}/bin{os.pathsep}/bin"}, root) == "/bin/sh"
