"""Options that commands share, and how Typer gets to see them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from loom_cli.flags import Flags, flag, given, spread
from loom_cli.invocation import Invocation
from loom_cli.options import AgentFlags, RunFlags
from loom_core.errors import ConfigError, UsageError


class Own(Flags, frozen=True, kw_only=True):
    size: Annotated[int | None, flag("-S", "--size", metavar="N", help="how large", group="Own")] = None
    names: Annotated[list[str] | None, flag("--name", metavar="NAME", help="which", group="Own")] = None
    loud: Annotated[bool, flag("--loud", help="or not", group="Own")] = False


def call(*arguments: str) -> dict[str, Any]:
    """Run a command with these arguments; what it was given."""
    got: dict[str, Any] = {}

    def function(own: Own, invocation: Invocation, word: Annotated[str, typer.Argument()] = "default") -> None:
        """A sentence."""
        got.update(own=own, invocation=invocation, word=word)

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(spread(function))
    command = typer.main.get_command(app)
    with command.make_context("test", list(arguments), obj=[]) as context:
        command.invoke(context)
    return got


def test_a_class_of_flags_becomes_options_and_comes_back_filled() -> None:
    got = call("--name", "a", "w", "-S", "3", "--name", "b", "-v", "-v")
    assert (got["own"], got["word"]) == (Own(size=3, names=["a", "b"]), "w")
    assert got["invocation"] == Invocation(verbosity=2)


def test_given_names_the_options() -> None:
    assert given(Own(size=0, loud=False), AgentFlags(max_turns=2)) == {"--size": 0, "--max-turns": 2}


def test_a_twin_fills_in_what_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_SIZE", "5")
    monkeypatch.setenv("LOOM_NAME", "a b\nc")
    monkeypatch.setenv("LOOM_LOUD", "1")
    monkeypatch.setenv("LOOM_QUIET", "true")
    monkeypatch.setenv("LOOM_COLOR", "never")
    assert call()["own"] == Own(size=5, names=["a b", "c"], loud=True)
    got = call("--size", "6", "--color", "always")
    assert got["own"].size == 6
    assert got["invocation"] == Invocation(quiet=True, color="always")


def test_a_wrong_twin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_SIZE", "big")
    with pytest.raises(ConfigError, match="LOOM_SIZE: a whole number, not 'big'"):
        call()


def test_fields_of_the_settings_are_not_filled_in_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_MAX_TURNS", "5")
    monkeypatch.setenv("LOOM_NO_STDIN", "1")
    monkeypatch.setenv("LOOM_CAP", "shell")
    got: dict[str, Any] = {}
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    def function(agent: AgentFlags, run: RunFlags) -> None:
        got.update(given(agent, run))

    app.command()(spread(function))
    command = typer.main.get_command(app)
    with command.make_context("test", [], obj=[]) as context:
        command.invoke(context)
    assert got == {}


def test_the_directory_is_entered_and_a_variable_only_without_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("LOOM_CWD", "a")
    call("-C", "b")
    assert Path.cwd() == tmp_path / "b"
    monkeypatch.chdir(tmp_path)
    call()
    assert Path.cwd() == tmp_path / "a"
    with pytest.raises(UsageError, match="--cwd none: No such file"):
        call("-C", "none")
