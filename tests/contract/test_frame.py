"""The program as its callers see it, in everything that needs no model."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from typer._click.core import Command, Context
from typer.core import TyperGroup

from loom_cli.keys import store_key, stored_keys
from loom_cli.main import run
from loom_cli.topics import TOPICS, topic_text
from loom_cli.tree import COMMANDS, root
from loom_core import __version__
from tests.support.llm_server import LLMServer
from tests.support.program import LOOM, environment, loom

HEAVY = {"asyncio", "httpx", "prompt_toolkit", "pydantic", "rich", "textual", "ssl", "tomli_w", "platformdirs"}


def modules_after(*arguments: str) -> set[str]:
    """The modules imported once the program has done this, beyond those of a bare interpreter."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from loom_cli.main import run\n"
        "run(sys.argv[1:])\n"
        "print(*(set(sys.modules) - before), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def call(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the program, run within this process."""
    return (run([*arguments]), *capfd.readouterr())


def commands(command: Command, context: Context, path: str = "loom") -> Iterator[tuple[str, Command, Context]]:
    """Every command of the tree with its path."""
    yield path, command, context
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            inner = Context(below, info_name=name, parent=context)
            yield from commands(below, inner, f"{path} {name}")


def tree() -> list[tuple[str, Command, Context]]:
    top = root()
    return list(commands(top, Context(top, info_name="loom")))


# Start-up


def test_version_imports_next_to_nothing() -> None:
    new = modules_after("--version")
    assert {name for name in new if name.startswith("loom_")} == {
        "loom_cli",
        "loom_cli.main",
        "loom_cli.output",
        "loom_core",
        "loom_core._version",
    }
    assert not new & {"typer", "msgspec", "pathlib", "inspect", "dataclasses", "argparse", "tomllib", *HEAVY}


def test_help_imports_no_command() -> None:
    new = modules_after("--help")
    assert not {name for name in new if name.startswith("loom_cli.commands.")}
    assert not new & HEAVY


def test_help_of_a_command_imports_that_command_only() -> None:
    new = modules_after("run", "--help")
    assert {name for name in new if name.startswith("loom_cli.commands.")} == {"loom_cli.commands.run"}
    assert not new & HEAVY


# Help


def test_version() -> None:
    done = loom("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"loom {__version__}\n".encode(), b"")
    assert loom("-q", "-V").stdout == done.stdout


@pytest.mark.parametrize(("path", "command", "context"), tree(), ids=[path for path, _, _ in tree()])
def test_help_fits_a_screen_and_has_examples(path: str, command: Command, context: Context) -> None:
    lines = command.get_help(context).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"Usage: {path} ")
    if not isinstance(command, TyperGroup):
        start = lines.index("Examples:")
        assert all("loom" in line for line in itertools.takewhile(str.strip, lines[start + 1 :]))


def test_root_help_lists_every_command_with_the_line_of_the_table() -> None:
    text = loom("-h").stdout.decode()
    assert all(f"  {name} " in text and line in text for name, line in COMMANDS.items())


def test_bare_loom_says_how_to_begin_and_which_model(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    code, out, err = call(capfd)
    assert (code, err) == (0, "")
    assert "loom demo" in out
    assert "its key is in ANTHROPIC_API_KEY" in out
    assert "canary" not in out
    monkeypatch.setenv("LOOM_MODEL", "openai:gpt-5")
    assert "Model: openai:gpt-5 (set by LOOM_MODEL)" in call(capfd)[1]


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_fit_the_width(topic: str) -> None:
    text = topic_text(topic)
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith("\n")


def test_help_of_a_topic_and_of_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert "Exit codes:" in call(capfd, "help", "exit-codes")[1]
    assert call(capfd, "help", "keys") == call(capfd, "keys", "--help")


# Usage errors

USAGE = [
    (["hlep"], "loom has no command 'hlep'", "did you mean help?"),
    (["zzz"], "loom has no command 'zzz'", "there are: chat, run"),
    (["keys", "lst"], "loom keys has no command 'lst'", "did you mean list"),
    (["keys"], "loom keys: which command?", "set, list, delete, check"),
    (["--colour", "never"], "no such option: --colour", "did you mean --color?"),
    (["run", "--modle", "x"], "no such option: --modle", "--model"),
    (["run", "--mode", "wild"], "invalid value for '--mode': 'wild' is not one of 'plan', 'default', 'auto'", "--help"),
    (["run", "--max-turns", "many"], "'--max-turns'", "loom run --help shows how"),
    (["run", "--max-turns", "0", "-g", "x"], "--max-turns: budget.max_turns: a whole number of at least 1, not 0", ""),
    (["config", "get"], "missing argument 'KEY'", "loom config get --help shows how"),
    (["config", "get", "model.nam"], "no setting 'model.nam'", "did you mean model.name"),
    (["config", "show", "extra"], "got unexpected extra argument(s) (extra)", ""),
    (["help", "exitcodes"], "no topic or command 'exitcodes'", "did you mean exit-codes?"),
    (["keys", "set", "opena"], "no provider 'opena'", "did you mean openai?"),
    (["-C", "/nonexistent", "help"], "--cwd /nonexistent: No such file or directory", ""),
    (["--config", "/nonexistent", "config", "show"], "there is no configuration file /nonexistent", ""),
    (["completions", "show", "tcsh"], "'tcsh' is not one of 'bash'", ""),
]


@pytest.mark.parametrize(("arguments", "what", "hint"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_usage_errors_say_what_and_what_to_do(
    arguments: list[str], what: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capfd, *arguments)
    assert (code, out) == (2, "")
    first, *rest = err.splitlines()
    assert first.startswith("loom: ")
    assert what in first
    assert hint in "\n".join(rest)


def test_a_wrong_configuration_is_told_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[modle]\n[budget]\nmax_turns = 0\n")
    code, out, err = call(capfd, "config", "check", str(path))
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"loom: {path}:1: modle: unknown key; did you mean model?",
        f"{path}:3: budget.max_turns: a whole number of at least 1, not 0",
    ]


# Standard output


def test_piped_output_is_the_same_bytes_whatever_the_environment_says() -> None:
    choices = itertools.product(
        [{"TERM": "dumb"}, {"TERM": "xterm-256color"}],
        [{}, {"NO_COLOR": "1"}],
        [{}, {"FORCE_COLOR": "1"}],
        [{}, {"GITHUB_ACTIONS": "true"}],
    )
    running = [
        subprocess.Popen(
            [*LOOM, "config", "show", "--origin"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**{name: value for part in parts for name, value in part.items()}),
        )
        for parts in choices
    ]
    outputs = {process.communicate() for process in running}
    assert len(running) == 16
    assert len(outputs) == 1
    assert b"budget.max_turns\t40\tbuilt-in\n" in outputs.pop()[0]


@pytest.mark.parametrize(
    "arguments",
    ["", "--help", "help", "help events", "doctor", "config show", "models default", "keys list", "run --help", "nope"],
)
def test_piped_output_holds_no_escape_byte(
    arguments: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("LOOM_MODEL", "openai:x")
    _, out, err = call(capfd, *arguments.split())
    assert "\x1b" not in out + err


@pytest.mark.parametrize("arguments", ["--version", "help rules"])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_said(arguments: str, redirection: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", *LOOM, *arguments.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 74
    assert done.stderr.startswith("loom: cannot write standard output: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["--version", "help rules"])
def test_a_reader_that_goes_away_ends_the_program_silently(arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([*LOOM, *arguments.split()], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert process.communicate()[1] == b""
    assert process.returncode == -signal.SIGPIPE


def test_closed_standard_streams_are_not_taken_by_files(tmp_path: Path) -> None:
    """With descriptor 1 free, a file opened next would get it, and the answer would go into that file."""
    script = '"$@" <&- >&- 2>"$ERRORS"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *LOOM, "config", "set", "budget.max_turns", "3"],
        env=environment(ERRORS=str(tmp_path / "errors")),
        check=False,
    )
    assert (done.returncode, (tmp_path / "errors").read_text()) == (0, "")
    assert loom("config", "get", "budget.max_turns").stdout == b"3\n"


def test_text_that_the_locale_cannot_say_is_written_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('instructions = "ü"\n', encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = loom("--config", str(path), "config", "get", "instructions", env=ascii_only)
    assert done.stdout == "ü\n".encode()


# Keys


def test_keys_set_piped_says_saved_and_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    old = os.umask(0)
    try:
        done = loom("keys", "set", "openai", stdin=b"sk-canary\nmore\n")
    finally:
        os.umask(old)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"saved\n")
    path = Path(os.environ["LOOM_HOME"]) / "config" / "keys.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert call(capfd, "keys", "list") == (0, f"openai\t{path}\n", "")
    for arguments in ("config show --origin", "doctor", "keys list --json", "--debug models default", "--debug nope"):
        _, out, err = call(capfd, *arguments.split())
        assert "canary" not in out + err


@pytest.mark.parametrize("key", ["", "\n", "two words\n", "schlüssel\n"], ids=["none", "empty", "blank", "ü"])
def test_what_is_no_key_is_not_stored(key: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(key)
    saved = os.dup(0)
    with (tmp_path / "key").open() as file:
        os.dup2(file.fileno(), 0)
    try:
        assert call(capfd, "keys", "set", "openai")[0] == 2
    finally:
        os.dup2(saved, 0)
        os.close(saved)
    assert call(capfd, "keys", "list") == (0, "", "")


def test_keys_delete_asks_and_without_anyone_to_ask_wants_yes(capfd: pytest.CaptureFixture[str]) -> None:
    store_key("openai", "sk-canary")
    code, out, err = call(capfd, "keys", "delete", "openai")
    assert (code, out) == (6, "")
    assert "add --yes" in err
    assert call(capfd, "keys", "delete", "openai", "--yes") == (0, "", "loom: deleted\n")
    assert stored_keys() == {}


def test_keys_check_asks_the_service(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(capfd, "keys", "check", "openai")[0] == 4
    with LLMServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
        assert call(capfd, "keys", "check", "openai") == (0, "openai\tok\tOPENAI_API_KEY\n", "")


def spawn(*arguments: str) -> pexpect.spawn:
    return pexpect.spawn(LOOM[0], [*LOOM[1:], *arguments], env=environment(), timeout=15)


def test_on_a_terminal_the_key_is_not_shown_and_a_question_is_asked() -> None:
    child = spawn("keys", "set", "openai")
    child.expect("Key for openai")
    child.sendline("sk-canary")
    child.expect("saved")
    child.expect(pexpect.EOF)
    assert b"canary" not in child.before
    child.close()
    child = spawn("keys", "delete", "openai")
    child.expect(r"\[y/N\]")
    child.sendline("n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert loom("keys", "list").stdout.startswith(b"openai\t")


def test_an_interrupt_ends_the_program_by_that_signal() -> None:
    child = spawn("keys", "set", "openai")
    child.expect("Key for openai")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT
    assert b"Traceback" not in child.before


# Configuration


def test_settings_are_set_shown_with_their_origin_and_taken_back(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(capfd, "config", "set", "model.name", "openai:gpt-5") == (0, "", "")
    assert call(capfd, "config", "set", "budget.max_turns", "7") == (0, "", "")
    path = call(capfd, "config", "path")[1].strip()
    monkeypatch.setenv("LOOM_MAX_TURNS", "5")
    shown = call(capfd, "config", "show", "--origin")[1]
    assert f"model.name\topenai:gpt-5\t{path}:2\n" in shown
    assert "budget.max_turns\t5\tLOOM_MAX_TURNS\n" in shown
    assert "budget.timeout_s\t1800\tbuilt-in\n" in shown
    assert call(capfd, "config", "unset", "model.name")[0] == 0
    assert call(capfd, "config", "get", "model.name") == (0, "", "")


def test_looking_makes_no_directory(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_MODEL", "openai:x")
    for arguments in ("", "--help", "config show", "keys list", "doctor"):
        call(capfd, *arguments.split())
    assert not Path(os.environ["LOOM_HOME"]).exists()


def test_doctor_says_what_is_wrong(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_MODEL", "openai:x")
    directory = Path(os.environ["LOOM_HOME"]) / "config"
    directory.mkdir(parents=True)
    (directory / "config.toml").write_text("nonsense = 1\n")
    directory.chmod(0o755)
    code, out, _ = call(capfd, "doctor")
    assert code == 1
    assert "config directory\twarning\t" in out
    assert "configuration\tproblem\t" in out
