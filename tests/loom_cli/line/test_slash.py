from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from loom_cli.line import slash
from loom_cli.line.completion import command_candidates, file_word
from loom_cli.line.context_report import context_lines
from loom_cli.line.files import FileNames, best
from loom_cli.line.tab import certain
from loom_cli.render.paint import Line, paint
from loom_core.config import AgentConfig, Memory
from loom_core.messages import Message, Text, ToolCall, ToolResult, Usage, user


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/help", ("help", "")),
        ("/Model  ollama:x ", ("model", "ollama:x")),
        ("/quit\n", ("quit", "")),
        ("hello /help", None),
        ("//help", None),
        ("/usr/bin is a path", None),
        ("/", None),
        ("/note\nsecond line", None),
    ],
    ids=repr,
)
def test_what_is_a_command(text: str, command: tuple[str, str] | None) -> None:
    assert slash.parse(text) == command


def test_a_doubled_slash_is_a_single_one() -> None:
    assert slash.literal("//etc") == "/etc"
    assert slash.literal("a // b") == "a // b"


class Chat:
    """What commands need of a chat, where no agent is."""

    def __init__(self) -> None:
        self.told: list[Line] = []
        self.left = False

    def tell(self, lines: list[Line]) -> None:
        self.told += lines

    def leave(self) -> None:
        self.left = True


def obey(name: str, argument: str = "") -> Chat:
    chat: Any = Chat()
    slash.obey(chat, name, argument)
    return chat  # type: ignore[no-any-return]


def test_help_names_every_command_within_80_columns() -> None:
    text = paint(obey("help").told, color=False)
    assert all(f"/{name}" in text for name in slash.COMMANDS)
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_command_is_told_with_what_was_meant() -> None:
    assert "did you mean /clear" in paint(obey("claer").told, color=False)
    assert "/help lists them" in paint(obey("xyzzy").told, color=False)


def test_a_wrong_argument_is_told() -> None:
    assert "'fast' is not one of default, plan, auto" in paint(obey("mode", "fast").told, color=False)


def test_quit_leaves() -> None:
    assert obey("quit").left


@pytest.mark.parametrize(
    ("before", "texts"),
    [
        ("/mo", ["/model ", "/mode "]),
        ("/mode", ["/mode ", "/model "]),
        ("/cl", ["/clear"]),
        ("/mode p", ["plan"]),
        ("/mode ", ["default", "plan", "auto"]),
        ("say /mo", []),
        ("/model x", []),
    ],
    ids=repr,
)
def test_commands_complete(before: str, texts: list[str]) -> None:
    assert [each.text for each in command_candidates(before)] == texts


@pytest.mark.parametrize(
    ("word", "candidates", "whole"),
    [
        ("/mo", ["/model ", "/mode "], "/mode"),
        ("/mode", ["/mode ", "/model "], "/mode "),
        ("/cl", ["/clear"], "/clear"),
        ("", ["default", "plan", "auto"], ""),
        ("a", ["alpha1", "alpha2", "beta"], "alpha"),
        ("needle", ["src/needle.py"], "src/needle.py"),
        ("test", ["src/test", "other/test"], "test"),
        ("x", [], "x"),
    ],
    ids=repr,
)
def test_tab_completes_what_is_certain(word: str, candidates: list[str], whole: str) -> None:
    assert certain(word, candidates) == whole


@pytest.mark.parametrize(
    ("before", "word"), [("see @src/a", "src/a"), ("@", ""), ("me@home", None), ("@a b", None)], ids=repr
)
def test_where_a_file_is_named(before: str, word: str | None) -> None:
    assert file_word(before) == word


def test_files_that_begin_with_the_word_come_first() -> None:
    names = ("src/tests.py", "tests/a.py", "docs/contest.md", "other")
    assert best(names, "test") == ["tests/a.py", "src/tests.py", "docs/contest.md"]


def test_files_are_listed_without_what_git_ignores(tmp_path: Path) -> None:
    for name in ("kept.py", "ignored.log", "sub/deep.py", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert FileNames(tmp_path).matching("") == ["ignored.log", "kept.py", "sub/deep.py"]
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert FileNames(tmp_path).matching("e") == [".gitignore", ".hidden", "kept.py", "sub/deep.py"]


def test_the_context_report_counts_by_kind() -> None:
    messages = (
        user("x" * 40),
        Message(role="assistant", parts=(ToolCall(id="c", name="Read", arguments={"path": "a"}),)),
        Message(role="tool", parts=(ToolResult(call_id="c", name="Read", content="y" * 400, is_error=False),)),
        Message(role="assistant", parts=(Text(text="z" * 80),)),
    )
    config = AgentConfig(model="ollama:x", instructions="i" * 20, memory=Memory(blocks=("m" * 12,)))
    text = paint(context_lines(config, messages, Usage(input_tokens=130, output_tokens=9), "ollama:x"), color=False)
    counts = {line[4:18].strip(): line[18:27].strip() for line in text.splitlines() if line.startswith("    ")}
    assert counts == {
        "instructions": "5",
        "memory": "3",
        "your words": "10",
        "answers": "20",
        "tool calls": "4",
        "tool results": "100",
        "in all": "142",
    }
    assert "130 tokens in, 9 out" in text
