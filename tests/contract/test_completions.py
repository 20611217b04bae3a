"""The completion script for bash, in a real bash, held against the command tree."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from typer._click.core import Command, Context
from typer.core import TyperGroup, TyperOption

from loom_cli.fields import Fields, leaves
from loom_cli.topics import TOPICS
from loom_cli.tree import COMMANDS, root
from loom_core.providers.catalog import PROVIDERS
from tests.support.program import loom

SCRIPT = Path(__file__).parents[2] / "completions" / "loom.bash"


def bash(code: str, cwd: Path | None = None) -> str:
    """What bash prints; it finds no program but itself, so the script can start none."""
    done = subprocess.run(
        ["/bin/bash", "--norc", "--noprofile", "-c", f"PATH=/nonexistent; source {SCRIPT}; compopt() {{ :; }}; {code}"],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def complete(line: str, cwd: Path | None = None) -> list[str]:
    """What TAB offers at the end of the line, whose words are cut as bash cuts them: at `=` too."""
    words = line.replace("=", " = ").split(" ") if "=" in line else line.split(" ")
    listed = " ".join(shlex.quote(word) for word in words if word) + (' ""' if line.endswith(" ") else "")
    return bash(
        f'COMP_WORDS=({listed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _loom; printf "%s\\n" "${{COMPREPLY[@]}}"',
        cwd,
    ).split()


CASES = [
    ("loom ", list(COMMANDS)),
    ("loom ch", ["chat"]),
    ("loom --color never ke", ["keys"]),
    ("loom -C keys ke", ["keys"]),
    ("loom keys ", ["set", "list", "delete", "check"]),
    ("loom keys -q se", ["set"]),
    ("loom keys set o", ["openai", "ollama"]),
    ("loom run --max-c", ["--max-cost"]),
    ("loom run --mode ", ["plan", "default", "auto"]),
    ("loom run --mode=pl", ["plan"]),
    ("loom run --mode=", ["plan", "default", "auto"]),
    ("loom run --cap f", ["files=read", "files=write", "files=off"]),
    ("loom run --cap files=w", ["write"]),
    ("loom run -g help --form", ["--format"]),
    ("loom run --format json", ["json", "jsonl"]),
    ("loom run --set model.na", ["model.name="]),
    ("loom --color ", ["auto", "always", "never"]),
    ("loom help ex", ["exit-codes"]),
    ("loom config set budget.max_tu", ["budget.max_turns"]),
    ("loom completions show ", ["bash"]),
    ("loom run -f no", ["notes.txt"]),
    ("loom run no", ["notes.txt"]),
    ("loom run -C d", ["docs"]),
    ("loom sessions show 2", ["20260101-000000-aa"]),
    ("loom run -s ", ["@last", "20260101-000000-aa"]),
]


@pytest.mark.parametrize(("line", "offered"), CASES, ids=[line for line, _ in CASES])
def test_tab(line: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "docs").mkdir()
    monkeypatch.setenv("LOOM_HOME", str(tmp_path))
    (tmp_path / "state" / "sessions" / "20260101-000000-aa").mkdir(parents=True)
    assert complete(line, tmp_path) == offered


def tree() -> Iterator[tuple[str, Command, Context]]:
    """Every command by its path, the root's being empty."""
    top = root()
    context = Context(top, info_name="loom")
    yield "", top, context
    for name in COMMANDS:
        command = below(top, context, name)
        yield name, command, context
        if isinstance(command, TyperGroup):
            yield from ((f"{name} {inner}", below(command, context, inner), context) for inner in command.commands)


def below(group: Command, context: Context, name: str) -> Command:
    assert isinstance(group, TyperGroup)
    command = group.get_command(context, name)
    assert command is not None
    return command


def test_the_script_knows_exactly_the_commands_and_options_there_are() -> None:
    levels = {
        path: (
            {name for each in command.get_params(context) if isinstance(each, TyperOption) for name in each.opts},
            set(command.list_commands(context)) if isinstance(command, TyperGroup) else set(),
        )
        for path, command, context in tree()
    }
    code = "".join(
        f'echo "$(_loom_options "{path}") $_loom_global"; echo "$(_loom_commands "{path}")";' for path in levels
    )
    lines = iter(bash(code).split("\n"))
    for path, known in levels.items():
        assert (set(next(lines).split()), set(next(lines).split())) == known, path


def test_the_script_knows_which_options_take_a_value() -> None:
    found = [
        (name, path, not (each.is_flag or each.count))
        for path, command, context in tree()
        for each in command.get_params(context)
        if isinstance(each, TyperOption)
        for name in each.opts
    ]
    code = "".join(f'_loom_values {name} "{path}" >/dev/null && echo "{path} {name}";' for name, path, _ in found)
    assert bash(code + ":").splitlines() == [f"{path} {name}" for name, path, takes in found if takes]


def test_the_script_knows_the_settings_topics_and_providers() -> None:
    assert bash("_loom_settings").split() == [key for key, _ in leaves(Fields)]
    assert bash("_loom_arguments help").split() == [*TOPICS, *COMMANDS]
    assert bash('_loom_arguments "keys set"').split() == list(PROVIDERS)


def test_it_is_shown_as_it_is() -> None:
    assert loom("completions", "show", "bash").stdout == SCRIPT.read_bytes()


def test_tab_in_an_interactive_shell(tmp_path: Path) -> None:
    child = pexpect.spawn(
        "/bin/bash",
        ["--norc", "--noprofile", "-i"],
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=10,
        dimensions=(24, 200),
    )
    child.sendline("PS1='ready> '; bind 'set enable-bracketed-paste off'")
    child.expect("ready> ")
    child.sendline(f'source {SCRIPT}; loom() {{ echo "<$*>"; }}')
    child.expect("ready> ")
    child.send("loom run --mo\t=pl\t\r")
    child.expect("<run --mode")
    child.expect("ready> ")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
