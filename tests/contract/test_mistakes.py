"""Mistakes of the user, as the program tells them: before anything is sent, with the exit code of their kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from loom_cli.keys import keys_file, store_key
from loom_cli.main import run
from loom_cli.topics import topic_text
from tests.support.llm_server import LLMServer, Say
from tests.support.program import LOOM, environment, loom


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the program, run within this process."""
    return (run([*arguments]), *capfd.readouterr())


MISTAKES = [
    ("-f folder", "folder is a directory"),
    ("-f folder/*", "no file matches folder/*"),
    ("--append", "--append adds to a file, and no --output names one"),
    ("-p a=b", "--param a=b fills in a task's parameter, and no TASK is named"),
    ("--json --format text", "--json and --format text contradict each other"),
    ("-c -s x", "--continue and --session contradict each other"),
    ("--no-session -c", "--no-session and --continue contradict each other"),
    ("--no-session -s x", "--no-session and --session contradict each other"),
    ("-I a=1 -I a:=2", "--input a:=2: --input a=1 was given before"),
    ("task.toml -p x=1 -p x=2", "--param x=2: --param x=1 was given before"),
    ("--deny Shell(", "--deny: governance.deny: rule 'Shell(': write Tool or Tool(pattern)"),
    ("-m foo", "--model: model.name: 'foo' lacks its provider; write it as provider:name"),
    ("rules.toml", "rules.toml:3: governance.ask: rule ')': write Tool or Tool(pattern)"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_and_nothing_is_sent(server: LLMServer, here: Path, arguments: str, message: str) -> None:
    (here / "folder").mkdir()
    (here / "task.toml").write_text('schema = 1\ngoal = "${x}"\n[params.x]\n')
    (here / "rules.toml").write_text('schema = 1\ngoal = "go"\ngovernance.ask = [")"]\n')
    goal = [] if ".toml" in arguments else ["-g", "go"]
    done = loom("run", *goal, *arguments.split(), server_url=server.url)
    assert done.returncode == 2
    assert message in done.stderr.decode().splitlines()[0]
    assert server.requests == []


@pytest.mark.parametrize(("task", "name"), [("t.toml", "t.toml"), ("-", "standard input")])
def test_a_task_without_a_goal_is_named(here: Path, task: str, name: str) -> None:
    (here / "t.toml").write_text("schema = 1\n")
    done = loom("run", task, stdin=b"schema = 1\n")
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"loom: {name}: there is no goal\n")


def test_a_task_brings_the_file_that_is_added_to(server: LLMServer, here: Path) -> None:
    server.script(Say("more"))
    (here / "t.toml").write_text('schema = 1\ngoal = "go"\noutput.file = "out.md"\n')
    (here / "out.md").write_text("one\n")
    done = loom("run", "t.toml", "--append", "--cap", "files=write", server_url=server.url)
    assert done.returncode == 0, done.stderr
    assert (here / "out.md").read_text() == "one\nmore\n"


def test_a_rule_that_names_no_tool_is_said_and_the_run_goes_on(server: LLMServer) -> None:
    server.script(Say("fine"))
    rules = ["--deny", "Shel(x)", "--allow", "Telepathy", "--deny", "bash(x)", "--deny", "mcp__x", "--allow", "re*"]
    done = loom("run", "-g", "go", *rules, server_url=server.url)
    assert (done.returncode, done.stdout) == (0, b"fine\n")
    assert [line for line in done.stderr.decode().splitlines() if "rule" in line] == [
        "loom: the allow rule Telepathy names no tool; there are Read, Write, Edit, Glob, Grep, Shell, Bash",
        "loom: the deny rule Shel(x) names no tool; did you mean Shell?",
    ]


@pytest.mark.parametrize("arguments", ["--debug run none.toml", "run none.toml --debug", "run --debug none.toml"])
def test_debug_counts_wherever_it_stands(arguments: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capfd, *arguments.split())
    assert code == 2
    assert err.startswith("Traceback")


@pytest.mark.parametrize("home", ["/proc/nope", "/dev/null"])
@pytest.mark.parametrize("arguments", ["run -g hi", "config set model.seed 1"])
def test_a_home_that_cannot_be_made_is_no_internal_error(server: LLMServer, home: str, arguments: str) -> None:
    done = loom(*arguments.split(), server_url=server.url, env={"LOOM_HOME": home})
    assert done.returncode == 74
    assert done.stderr.startswith(f"loom: cannot write {home}/".encode())
    assert b"Errno" not in done.stderr
    assert server.requests == []


def test_keys_that_others_can_read_are_refused_as_credentials(server: LLMServer) -> None:
    store_key("openai", "sk-canary")
    keys_file().chmod(0o644)
    done = loom("run", "-g", "go", "-m", "openai:gpt", env={"OPENAI_BASE_URL": f"{server.url}/v1"})
    assert done.returncode == 4
    assert done.stderr.decode().splitlines()[1] == f"  chmod 600 {keys_file()}"
    assert server.requests == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model.name", "foo", "model.name: 'foo' lacks its provider"),
        ("model.name", "opnai:gpt", "model.name: no provider 'opnai'; did you mean openai?"),
        ("governance.deny", '["Read", "x("]', "governance.deny: rule 'x('"),
        ("budget.max_turns", "abc", "budget.max_turns: a whole number, not 'abc'"),
        ("budget.timeout_s", "0", "budget.timeout_s: a number above 0, not 0"),
    ],
)
def test_config_set_takes_no_wrong_value(key: str, value: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capfd, "config", "set", key, value)
    assert code == 2
    assert err.startswith(f"loom: the value given: {message}")
    assert call(capfd, "config", "get", key)[0] == 0


def test_config_check_names_variables_that_nothing_reads(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOM_DEBUG", "LOOM_GOAL", "LOOM_BUDGET_MAX_TOOL_CALLS"):
        monkeypatch.setenv(name, "1")
    assert call(capfd, "config", "check")[0] == 0
    monkeypatch.setenv("LOOM_MAX_TRUNS", "x")
    monkeypatch.setenv("LOOM_ZZZZ", "x")
    code, _, err = call(capfd, "config", "check")
    assert code == 2
    assert "loom: LOOM_MAX_TRUNS: unknown variable; did you mean LOOM_MAX_TURNS?\n" in err
    assert "LOOM_ZZZZ: unknown variable; loom help environment lists those there are\n" in err
    assert "environment\twarning\tLOOM_ZZZZ" in call(capfd, "doctor")[1]


@pytest.mark.parametrize(
    ("model", "address", "found"),
    [
        ("compatible:x", "", "model\tproblem\tcompatible:x needs the address of its server. Set model.base_url"),
        ("compatible:x", "http://127.0.0.1:9/v1", "model\tok\tcompatible:x (set by LOOM_MODEL)\n"),
        ("anthropic:x", "", "model\tproblem\tanthropic:x needs a key"),
        ("x", "", "configuration\tproblem\tLOOM_MODEL: model.name: 'x' lacks its provider"),
    ],
)
def test_doctor_says_whether_the_model_can_be_reached(
    model: str, address: str, found: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_MODEL", model)
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    code, out, _ = call(capfd, "doctor")
    assert found in out
    assert code == (1 if "problem" in found else 0)


def test_a_model_without_provider_is_approved_nowhere(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_MODEL", "gpt-5")
    for arguments in ((), ("config", "check"), ("models", "default")):
        code, out, err = call(capfd, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("loom: LOOM_MODEL: model.name: 'gpt-5' lacks its provider")


def test_a_listing_of_no_models_says_why_and_what_to_do(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    code, out, err = call(capfd, "models", "list")
    assert (code, out) == (0, "")
    assert "loom: anthropic: there is no key for anthropic\n" in err
    assert "loom: ollama: cannot connect to 127.0.0.1:9" in err
    assert err.endswith("give a service its key (loom keys set NAME), or start Ollama\n")


def test_help_follows_the_path_of_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(capfd, "help", "sessions", "list") == call(capfd, "sessions", "list", "--help")
    code, _, err = call(capfd, "help", "sessions", "lst")
    assert (code, err) == (2, "loom: loom sessions has no command 'lst'\n  did you mean list?\n")
    assert call(capfd, "help", "exit-codes", "more")[0] == 2


def test_help_on_the_environment_fits_a_screen() -> None:
    lines = topic_text("environment").splitlines()
    assert len(lines) <= 60
    assert {"LOOM_MAX_TURNS", "LOOM_MODEL_SEED", "LOOM_HOME", "LOOM_DEBUG"} <= set(" ".join(lines).split())


def on_terminal(*arguments: str) -> list[str]:
    """What the program writes on a terminal of 30 columns."""
    child = pexpect.spawn(
        LOOM[0], [*LOOM[1:], *arguments], env=environment(LOOM_NONSENSE="x"), dimensions=(24, 30), timeout=15
    )
    child.expect(pexpect.EOF)
    return str(child.before.decode()).splitlines()


def test_on_a_terminal_long_lines_are_broken_between_words() -> None:
    assert on_terminal("config", "check") == [
        "loom: LOOM_NONSENSE: unknown",
        "  variable; loom help",
        "  environment lists those",
        "  there are",
    ]
    assert on_terminal("models", "default", "--gaol", "much", "too", "long") == [
        "loom: no such option: --gaol",
        "  loom models default --help",
        "    shows how",
    ]
    findings = on_terminal("doctor")
    assert [line for line in findings if line.startswith("  variable; loom help")]
    assert not [line for line in findings if len(line) > 30 and " " in line.strip()]


def test_a_notice_on_a_terminal_is_broken_between_words(server: LLMServer, here: Path) -> None:
    server.script(Say("fine"))
    (here / "latin").write_bytes(b"\xe9")
    child = pexpect.spawn(
        LOOM[0],
        [*LOOM[1:], "run", "-g", "go", "-f", "latin"],
        env=environment(server.url, TERM="dumb"),
        dimensions=(24, 30),
        timeout=15,
    )
    child.expect(pexpect.EOF)
    assert "loom: latin is not UTF-8 (byte\r\n  0); what is not was replaced\r\n" in child.before.decode()
