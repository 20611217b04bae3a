"""`loom chat` in a terminal, and its line mode in a pipe, as the person and the caller see them."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import ids_in, wait_until, wait_until_gone
from tests.support.llm_server import Calls, Hold, LLMServer, Say, Status, Turn
from tests.support.program import LOOM, environment, loom
from tests.support.terminal import Terminal

CTRL_C, CTRL_D, UP, ALT_ENTER = "\x03", "\x04", "\x1b[A", "\x1b\r"
IDLE = "ask for something"
KEYS = "y yes, once"
MODES = ("default", "plan", "auto")


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    directory = tmp_path / "workspace"
    directory.mkdir()
    return directory


def chat(server: LLMServer, workspace: Path, *arguments: str, **env: str) -> Terminal:
    return Terminal([*LOOM, "chat", *arguments], env=environment(server.url, **env), cwd=workspace)


def shell(command: str) -> Calls:
    return Calls(("Shell", {"command": command}))


def said(server: LLMServer, request: int) -> list[str]:
    """The user's words in a request."""
    return [m["content"] for m in server.requests[request].body["messages"] if m["role"] == "user"]


def tool_result(server: LLMServer, request: int) -> str:
    return str(next(m["content"] for m in reversed(server.requests[request].body["messages"]) if m["role"] == "tool"))


def is_idle(text: str) -> bool:
    return IDLE in text and "Ctrl-C again" not in text


def test_an_answer_streams_block_by_block(server: LLMServer, workspace: Path) -> None:
    rest = threading.Event()
    server.script(Turn(Say("First **paragraph**.\n\n"), Say("Second, "), Hold(rest), Say("whole.\n\n- a list")))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send("hello\r")
        terminal.until(lambda text: "First paragraph." in text and "Second," in text)
        assert "› hello" in terminal.text
        rest.set()
        terminal.until(lambda text: "Second, whole." in text and "• a list" in text and is_idle(text))
        assert said(server, 0) == ["hello"]


def test_yes_runs_the_call_once(server: LLMServer, workspace: Path) -> None:
    server.script(shell("echo made > file"), shell("echo more >> file"), Say("done"))
    with chat(server, workspace, "go") as terminal:
        terminal.until(KEYS)
        for shown in ("echo made > file", f"where    {workspace}", "why      mode default asks", "s allows Shell("):
            assert shown in terminal.text
        assert not (workspace / "file").exists()
        terminal.send("y")
        terminal.until(lambda text: "echo more" in text and KEYS in text)
        assert (workspace / "file").read_text() == "made\n"
        terminal.send("y")
        terminal.until(lambda text: "done" in text and is_idle(text))
        assert terminal.text.count("✓ allowed once") == 2


def test_session_grants_the_rule_that_was_shown(server: LLMServer, workspace: Path) -> None:
    server.script(shell("touch file"), shell("touch file"), Say("done"))
    with chat(server, workspace, "go") as terminal:
        terminal.until(KEYS)
        terminal.send("s")
        terminal.until(lambda text: "done" in text and is_idle(text))
        assert "✓ allowed for this session: Shell(touch file)" in terminal.text
        assert terminal.text.count("May Shell run?") == 1


def test_no_tells_the_model_why(server: LLMServer, workspace: Path) -> None:
    server.script(shell("touch file"), Say("then not"))
    with chat(server, workspace, "go") as terminal:
        terminal.until(KEYS)
        terminal.send("n")
        terminal.until("why not")
        terminal.send("use git\r")
        terminal.until(lambda text: "then not" in text and is_idle(text))
    assert "use git" in tool_result(server, 1)
    assert not (workspace / "file").exists()


def test_no_other_key_answers(server: LLMServer, workspace: Path) -> None:
    server.script(shell("touch file"), Say("then not"))
    with chat(server, workspace, "go") as terminal:
        for keys in ("\x1by", "yy", "\x1b[200~y\x1b[201~"):  # Alt-y, typing from before, a paste
            terminal.until(KEYS)
            terminal.send(keys)
            terminal.until("read first")
        terminal.until(KEYS)
        for keys in ("\r", " ", "q", "\x1b", CTRL_C):
            terminal.send(keys)
        terminal.until(lambda text: "refused: the user cancelled the turn" in text and IDLE in text)
    assert not (workspace / "file").exists()


def test_keys_typed_ahead_do_not_answer(server: LLMServer, workspace: Path) -> None:
    asked = threading.Event()
    server.script(Turn(Hold(asked), shell("touch file")), Say("over"))
    with chat(server, workspace, "go") as terminal:
        terminal.until("waiting for compatible:scripted")
        terminal.send("yes, say")
        terminal.until("› yes, say")
        asked.set()
        terminal.until("pause typing to see the question")
        terminal.send(" hey")
        terminal.until(KEYS)
        assert "✓ allowed" not in terminal.text
        assert "› yes, say" not in terminal.text.splitlines()[-2:]
        terminal.send("n")
        terminal.until("why not")
        terminal.send("\r")
        terminal.until(lambda text: "over" in text and "› yes, say hey" in text)
    assert not (workspace / "file").exists()


def test_ctrl_c_cancels_the_turn_and_its_tool(server: LLMServer, workspace: Path) -> None:
    server.script(shell("sleep 60 & echo $$ > pids; echo $! >> pids; wait"), Say("still here"))
    with chat(server, workspace, "go", "--mode", "auto") as terminal:
        processes = ids_in(workspace / "pids", 2)
        terminal.send(CTRL_C)
        terminal.until(lambda text: "✗ cancelled" in text and is_idle(text))
        wait_until_gone(processes)
        terminal.send("and now?\r")
        terminal.until("still here")


def test_ctrl_c_clears_then_warns_then_leaves_by_the_signal(server: LLMServer, workspace: Path) -> None:
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send("draft")
        terminal.until("› draft")
        terminal.send(CTRL_C)
        terminal.until(IDLE)
        terminal.send(CTRL_C)
        terminal.until("press Ctrl-C again to leave")
        terminal.send(CTRL_C)
        assert terminal.end() == -signal.SIGINT


def test_words_said_during_a_run_reach_its_next_turn(server: LLMServer, workspace: Path) -> None:
    (workspace / "gate").touch()
    server.script(shell("while test -e gate; do sleep 0.02; done"), Say("understood"))
    with chat(server, workspace, "go", "--mode", "auto") as terminal:
        terminal.until("Shell while test")
        terminal.send("first\r")
        terminal.until("queued: first")
        terminal.send("second\r")
        terminal.until("queued: second")
        terminal.send(UP)
        terminal.until(lambda text: "queued: second" not in text and "› second" in text)
        (workspace / "gate").unlink()
        terminal.until(lambda text: "understood" in text and "queued" not in text)
        assert "› second" in terminal.text
    assert said(server, 1) == ["go", "first"]


def test_words_that_come_too_late_are_the_next_prompt(server: LLMServer, workspace: Path) -> None:
    rest = threading.Event()
    server.script(Turn(Say("one"), Hold(rest)), Say("two"))
    with chat(server, workspace, "go") as terminal:
        terminal.until("answering")
        terminal.send("go on\r")
        terminal.until("queued: go on")
        rest.set()
        terminal.until(lambda text: "two" in text and is_idle(text))
    assert said(server, 1) == ["go", "go on"]


def test_words_queued_in_a_cancelled_run_are_given_back(server: LLMServer, workspace: Path) -> None:
    server.script(Turn(Say("one"), Hold(threading.Event())))
    with chat(server, workspace, "go") as terminal:
        terminal.until("answering")
        terminal.send("go on\r")
        terminal.until("queued: go on")
        terminal.send(CTRL_C)
        terminal.until(lambda text: "✗ cancelled" in text and "› go on" in text)


def test_the_terminal_is_left_as_it_was(server: LLMServer, workspace: Path) -> None:
    server.script(Say("fine"))
    line = f"stty -g > before; {' '.join(LOOM)} chat hello; echo code $?; stty -g > after"
    with Terminal(["/bin/sh", "-c", line], env=environment(server.url), cwd=workspace) as terminal:
        terminal.until(lambda text: "fine" in text and is_idle(text))
        assert (terminal.screen.cursor_visible, terminal.screen.bracketed_paste) == (True, True)
        terminal.send(CTRL_D)
        terminal.end()
        assert (workspace / "before").read_text() == (workspace / "after").read_text()
        assert (terminal.screen.cursor_visible, terminal.screen.bracketed_paste) == (True, False)
        *_, answer, resume, code = terminal.screen.lines
        assert answer == "fine"
        assert resume.startswith("loom: to go on: loom sessions resume ")
        assert code == "code 0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_the_run_and_the_program(server: LLMServer, workspace: Path, number: signal.Signals) -> None:
    server.script(shell("echo $$ > pids; sleep 60"))
    with chat(server, workspace, "go", "--mode", "auto") as terminal:
        processes = ids_in(workspace / "pids", 1)
        terminal.signal(number)
        assert terminal.end() == -number
        wait_until_gone(processes)
        assert not terminal.screen.bracketed_paste
        assert "loom sessions resume" in terminal.text
    (log,) = Path(os.environ["LOOM_HOME"]).glob("state/sessions/*/events.jsonl")
    assert json.loads(log.read_text().splitlines()[-1])["type"] == "run.end"


def test_a_resumed_session_begins_with_what_was_said_last(server: LLMServer, workspace: Path) -> None:
    server.script(Say("the first answer"), Say("the second"))
    with chat(server, workspace, "the first question") as terminal:
        terminal.until(lambda text: "the first answer" in text and is_idle(text))
        terminal.send("/quit\r")
        assert terminal.end() == 0
    with chat(server, workspace, "-c") as terminal:
        terminal.until(lambda text: "the first answer" in text and is_idle(text))
        assert "› the first question" in terminal.text
        terminal.send("more\r")
        terminal.until("the second")
    assert said(server, 1) == ["the first question", "more"]


def test_commands(server: LLMServer, workspace: Path) -> None:
    server.script(Say("fine"))
    with chat(server, workspace, "hello") as terminal:
        terminal.until(lambda text: "fine" in text and is_idle(text))
        for command, shown in (
            ("/help", "/context                  what fills the next request"),
            ("/mode plan", "mode plan: nothing that changes anything runs"),
            ("/context", "The service counted for the last request: 11 tokens in, 7 out"),
            ("/cost", "1 request, 11 tokens in, 7 out"),
            ("/sessions", "here        hello"),
            ("/model opneai:x", "Did you mean openai?"),
            ("/model ollama:other", "from now on ollama:other answers"),
            ("/clear", "the conversation starts afresh"),
            ("/hlep", "there is no command /hlep; did you mean /help?"),
        ):
            terminal.send(f"{command}\r")
            terminal.until(shown)
        terminal.until("ollama:other · mode plan")
    assert len(server.requests) == 1


def test_completion_of_commands_and_files(server: LLMServer, workspace: Path) -> None:
    (workspace / "needle.txt").touch()
    server.script(Say("fine"))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send("/")
        terminal.until("recent sessions")
        terminal.send("cle")
        terminal.until(lambda text: "forget the conversation" in text and "recent sessions" not in text)
        terminal.send("\t")
        terminal.until("› /clear")
        terminal.send(CTRL_C)
        terminal.until(IDLE)
        terminal.send("see @nee\t")
        terminal.until("› see @needle.txt")
        terminal.send("\r")
        terminal.until("fine")
    assert said(server, 0) == ["see @needle.txt"]


def test_completion_chooses_nothing_that_is_not_certain(server: LLMServer, workspace: Path) -> None:
    for name in ("alpha1.txt", "alpha2.txt", "beta.txt"):
        (workspace / name).touch()
    server.script(Say("fine"))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send("/mo\t")
        terminal.until(lambda text: "› /mode\n" in text and "/model [PROVIDER:NAME]" in text)
        terminal.send(" \t")
        terminal.until(lambda text: "› /mode\n" in text and all(f"\n {mode}" in text for mode in MODES))
        terminal.send("\t")
        terminal.until("› /mode default")
        terminal.send("\r")  # takes the choice
        terminal.send("\r")
        terminal.until("mode default: you are asked")
        terminal.send("@a\t")
        terminal.until(lambda text: "› @alpha\n" in text and "alpha1.txt" in text and "alpha2.txt" in text)
        terminal.send("\t\t")
        terminal.until("› @alpha2.txt")
        terminal.send("\r")
        terminal.until(lambda text: "alpha1.txt" not in text)
        terminal.send("\r")
        terminal.until("fine")
    assert said(server, 0) == ["@alpha2.txt"]


def test_a_message_forgets_the_ctrl_c_before_it(server: LLMServer, workspace: Path) -> None:
    server.script(Turn(Say("one"), Hold(threading.Event())))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send(CTRL_C)
        terminal.until("press Ctrl-C again to leave")
        terminal.send("go\r")
        terminal.until("answering")
        terminal.send(CTRL_C)
        terminal.until(lambda text: "✗ cancelled" in text and IDLE in text)


def test_what_a_kill_left_is_told_when_the_session_goes_on(server: LLMServer, workspace: Path) -> None:
    server.script(Turn(Say("I wait."), shell("echo $$ > pids; while test -e pids; do sleep 0.02; done")))
    with chat(server, workspace, "go", "--mode", "auto") as terminal:
        ids_in(workspace / "pids", 1)
        terminal.signal(signal.SIGKILL)
        assert terminal.end() == -signal.SIGKILL
    (workspace / "pids").unlink()
    fate = "interrupted, outcome unknown"
    shown = loom("sessions", "show", "@last").stdout.decode()
    assert f"✗ Shell echo $$ > pids; while test -e pids; do sleep 0.02; done · {fate}" in shown
    with chat(server, workspace, "-c") as terminal:
        terminal.until(lambda text: fate in text and is_idle(text))
        assert "I wait." in terminal.text


def test_a_message_may_have_lines_and_a_leading_slash(server: LLMServer, workspace: Path) -> None:
    server.script(Say("fine"), Say("fine too"))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send(f"one{ALT_ENTER}two\n")
        terminal.send("\x1b[200~three\nfour\x1b[201~\r")
        terminal.until("fine")
        terminal.send("//etc is a path\r")
        terminal.until("fine too")
    assert said(server, 1) == ["one\ntwo\nthree\nfour", "/etc is a path"]


def test_an_error_is_told_and_the_session_goes_on(server: LLMServer, workspace: Path) -> None:
    server.script(Status(401), Say("fine"))
    with chat(server, workspace, "hello") as terminal:
        terminal.until(lambda text: "✗ " in text and is_idle(text))
        terminal.send("again\r")
        terminal.until("fine")


def test_what_the_model_says_controls_nothing(server: LLMServer, workspace: Path) -> None:
    server.script(Say("a\x1b]52;c;AAAA\x07b\x1b[2Jc \x9b31m [red]x[/red] &#8238; `\x1b[8mhidden`\n\n", chunk=1))
    with chat(server, workspace, "hello") as terminal:  # the emulator refuses what it does not know
        terminal.until(lambda text: "[red]x[/red]" in text and "hidden" in text and is_idle(text))


def test_without_color_no_color_is_sent(server: LLMServer, workspace: Path) -> None:
    server.script(Calls(("Read", {"path": "no-such-file"})), Say("# Title\n\n```python\nx = 1\n```\n"))
    with chat(server, workspace, "hello", NO_COLOR="1") as terminal:
        terminal.until(lambda text: "x = 1" in text and is_idle(text))
        assert terminal.screen.sgr_seen <= {"", "0", "1", "2", "7", "22", "27", "39", "49"}


def test_what_was_typed_is_remembered_in_a_private_file(server: LLMServer, workspace: Path) -> None:
    server.script(Say("fine"), Say("fine again"))
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send("remember me\r")
        terminal.until("fine")
        terminal.send(CTRL_D)
        terminal.end()
    history = Path(os.environ["LOOM_HOME"]) / "state" / "history.jsonl"
    assert history.stat().st_mode & 0o777 == 0o600
    with chat(server, workspace) as terminal:
        terminal.until(IDLE)
        terminal.send(UP)
        terminal.until("› remember me")
        terminal.send("\r")
        terminal.until("fine again")


def test_a_terminal_without_cursor_movements_gets_plain_lines(server: LLMServer, workspace: Path) -> None:
    server.script(shell("touch file"), Say("done"))
    with chat(server, workspace, TERM="dumb") as terminal:
        terminal.until(">")
        terminal.send("go\n")
        terminal.until(KEYS)
        terminal.send("y\n")
        terminal.until("done")
        terminal.send(CTRL_D)
        assert terminal.end() == 0
        assert not terminal.screen.sgr_seen
    assert (workspace / "file").exists()


def test_a_pipe_gets_an_answer_a_line(server: LLMServer, workspace: Path) -> None:
    server.script(Say("one\n"), Say("two \x1b[31m"))
    done = loom("chat", "--line", server_url=server.url, stdin=b"first\n\nsecond", cwd=workspace)
    assert (done.returncode, done.stdout) == (0, b"one\ntwo \n"), done.stderr
    assert said(server, 1) == ["first", "second"]
    assert b"\x1b" not in done.stderr


def test_a_pipe_goes_on_after_an_approval_nobody_can_give(server: LLMServer, workspace: Path) -> None:
    server.script(shell("touch file"), Say("two"))
    done = loom("chat", "--line", server_url=server.url, stdin=b"first\nsecond\n", cwd=workspace)
    assert (done.returncode, done.stdout) == (0, b"two\n")
    assert b"--allow 'Shell(touch file)'" in done.stderr
    assert not (workspace / "file").exists()


def test_without_a_terminal_chat_says_what_to_use() -> None:
    done = loom("chat")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"chat needs a terminal; use run" in done.stderr


def test_the_title_is_the_sessions(server: LLMServer, workspace: Path) -> None:
    server.script(Say("fine"))
    done = loom("chat", "--line", "--title", "my title", "hello", server_url=server.url, cwd=workspace)
    assert done.stdout == b"fine\n"
    (log,) = Path(os.environ["LOOM_HOME"]).glob("state/sessions/*/events.jsonl")
    assert json.loads(log.read_text().splitlines()[0])["title"] == "my title"
    wait_until(lambda: "my title" in (log.parent / "session.toml").read_text())
