"""`loom run` as its callers see it: what is sent, what comes out where, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.llm_server import BadJSON, Calls, Hold, LLMServer, Say, Silence, Status, Turn
from tests.support.program import LOOM, environment, loom, start
from tests.support.terminal import Terminal


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def until_file(path: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().strip():
            return path.read_text().strip()
        time.sleep(0.01)
    raise AssertionError(f"{path} never came")


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


def user_text(server: LLMServer, request: int = 0) -> str:
    messages = server.requests[request].body["messages"]
    return str(next(m["content"] for m in reversed(messages) if m["role"] == "user"))


def test_goal_and_data_are_sent_apart(server: LLMServer) -> None:
    server.script(Say("fine"))
    done = loom("run", "-g", "review this", server_url=server.url, stdin=b"+new line\n")
    assert (done.returncode, done.stdout) == (0, b"fine\n"), done.stderr
    text = user_text(server)
    assert text.startswith("review this\n\n<input ")
    assert '<input name="stdin" bytes="10"' in text
    assert "+new line" in text


def test_the_tool_round_goes_out_and_back(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("forty-two")
    server.script(Calls(("Read", {"path": "a.txt"})), Say("It says forty-two."))
    done = loom("run", "-g", "what is in a.txt?", server_url=server.url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"It says forty-two.\n"), done.stderr
    assert "forty-two" in server.requests[1].body["messages"][-1]["content"]
    assert b"Read a.txt" in done.stderr or b"turn" in done.stderr


def test_json_is_one_object_on_success(server: LLMServer) -> None:
    server.script(Say("yes", usage=(100, 20)))
    done = loom("run", "-g", "go", "--json", server_url=server.url)
    found = json.loads(done.stdout)
    assert (found["ok"], found["answer"], found["exit_code"], found["stop_reason"]) == (True, "yes", 0, "completed")
    assert found["usage"]["input_tokens"] == 100
    assert found["session"]
    assert done.stdout.count(b"\n") == 1


FAILURES = [
    ([], [Status(401)], 4, "authentication_failed"),
    ([], [Status(400)], 1, "bad_request"),
    (["--set", "model.retries=1"], [Status(500)], 75, "provider_unavailable"),
    (["--set", "model.retries=1"], [Status(429)], 75, "rate_limited"),
    ([], [Say("half", truncate=True)], 1, "bad_response"),
    ([], [BadJSON()], 1, "bad_response"),
    (["--max-turns", "1"], [Calls(("Glob", {"pattern": "*"}))], 5, "budget_exhausted"),
    (["--max-tokens", "10"], [Calls(("Glob", {"pattern": "*"}), usage=(50, 5))], 5, "budget_exhausted"),
    (["--timeout", "0.3"], [Silence()], 5, "budget_exhausted"),
    (["--cap", "shell"], [Calls(("Shell", {"command": "touch x"}))], 6, "approval_unavailable"),
    (["--mode", "reckless"], [], 2, "usage"),
    (["-s", "nosuchsession"], [], 2, "session_not_found"),
    (["-m", "gibberish"], [], 2, None),
]


@pytest.mark.parametrize(("flags", "steps", "code", "error"), FAILURES, ids=lambda value: str(value)[:40])
def test_json_is_one_object_on_failure(
    server: LLMServer, tmp_path: Path, flags: list[str], steps: list[Say], code: int, error: str | None
) -> None:
    server.script(*steps)
    done = loom("run", "-g", "go", "--json", *flags, server_url=server.url, cwd=tmp_path)
    assert done.returncode == code, (done.stdout, done.stderr)
    found = json.loads(done.stdout)
    assert (found["ok"], found["exit_code"]) == (False, code)
    assert found["error"]["message"]
    if error:
        assert found["error"]["code"] == error
    assert done.stderr


@pytest.mark.parametrize(("flags", "steps", "code", "error"), FAILURES, ids=lambda value: str(value)[:40])
def test_text_is_nothing_on_failure(
    server: LLMServer, tmp_path: Path, flags: list[str], steps: list[Say], code: int, error: str | None
) -> None:
    server.script(*steps)
    done = loom("run", "-g", "go", *flags, server_url=server.url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    assert done.stderr.startswith(b"loom: ") or b"\nloom: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_jsonl_is_the_logs_events(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Glob", {"pattern": "*"}), text="looking"), Say("done", chunk=1))
    done = loom("run", "-g", "go", "--format", "jsonl", server_url=server.url, cwd=tmp_path)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = [event["type"] for event in events]
    assert (names[0], names[-1]) == ("run.start", "run.end")
    assert "".join(
        event["text"] for event in events if event["type"] == "model.delta" and event["kind"] == "text"
    ).endswith("done")
    assert {"user.message", "tool.call", "tool.decision", "tool.start", "tool.result"} <= set(names)


def test_jsonl_ends_with_a_result_even_where_nothing_ran(server: LLMServer) -> None:
    done = loom("run", "-g", "go", "--format", "jsonl", "-s", "nosuch", server_url=server.url)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events] == ["error", "run.end"]
    assert done.returncode == 2


def test_an_approval_nobody_gives_names_the_flag(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Shell", {"command": "touch made"})))
    done = loom("run", "-g", "go", "--cap", "shell", server_url=server.url, cwd=tmp_path)
    assert done.returncode == 6
    assert b"--allow 'Shell(touch made)'" in done.stderr
    assert not (tmp_path / "made").exists()


def test_and_with_that_flag_it_runs(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Shell", {"command": "touch made"})), Say("made"))
    done = loom("run", "-g", "go", "--allow", "Shell(touch made)", server_url=server.url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"made\n"), done.stderr
    assert (tmp_path / "made").exists()


def test_denials_are_listed_and_do_not_end_the_run(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Read", {"path": "/etc/passwd"})), Say("could not"))
    done = loom("run", "-g", "go", "--json", server_url=server.url, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["ok"]
    assert [denial["tool"] for denial in found["denials"]] == ["Read"]


def at_terminal(server: LLMServer, workspace: Path, *arguments: str) -> Terminal:
    command = [*LOOM, "run", "-g", "go", "--cap", "shell", *arguments]
    return Terminal(command, env=environment(server.url), cwd=workspace)


@pytest.mark.parametrize(("answer", "ran"), [("y", True), ("n", False)], ids=str)
def test_at_a_terminal_the_user_is_asked(server: LLMServer, tmp_path: Path, answer: str, ran: bool) -> None:
    server.script(Calls(("Shell", {"command": "touch made"})), Say("went on"))
    with at_terminal(server, tmp_path) as terminal:
        terminal.until("n no >")
        assert "│ touch made" in terminal.text
        assert not (tmp_path / "made").exists()
        terminal.send(f"{answer}\n")
        assert terminal.end() == 0
    assert (tmp_path / "made").exists() == ran
    assert "went on" in terminal.text
    assert ("1 call was refused: Shell touch made (rejected by user)" in terminal.text) == (not ran)


def test_an_interrupt_at_the_question_ends_the_run(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Shell", {"command": "touch made"})))
    with at_terminal(server, tmp_path) as terminal:
        terminal.until("n no >")
        terminal.send("\x03")
        assert terminal.end() == -signal.SIGINT
    assert not (tmp_path / "made").exists()


def test_with_no_input_nobody_is_asked(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Shell", {"command": "touch made"})))
    with at_terminal(server, tmp_path, "--no-input") as terminal:
        assert terminal.end() == 6
    assert "--allow 'Shell(touch made)'" in terminal.text


def test_refused_calls_are_named_at_the_end(server: LLMServer, tmp_path: Path) -> None:
    calls = [("Shell", {"command": f"touch {number}"}) for number in range(5)]
    server.script(Calls(*calls), Say("could not"))
    done = loom("run", "-g", "go", "--cap", "shell", "--deny", "Shell(touch *)", server_url=server.url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"could not\n"), done.stderr
    *_, title, first, _, _, last = done.stderr.decode().splitlines()
    assert title == "  5 calls were refused:"
    assert first == "    Shell touch 0 (the deny rule Shell(touch *) forbids it)"
    assert last == "    and 2 more"


def test_the_reader_goes_away(server: LLMServer) -> None:
    server.script(Say("x" * 200_000, chunk=1000))
    pipeline = subprocess.run(
        ["bash", "-c", f'{" ".join(LOOM)} run -g go --format jsonl | head -1; echo "${{PIPESTATUS[0]}}"'],
        capture_output=True,
        env=environment(server.url),
        timeout=15,
        check=False,
    )
    lines = pipeline.stdout.splitlines()
    assert json.loads(lines[0])["type"] == "run.start"
    assert (lines[1], pipeline.stderr) == (b"141", b"")


@pytest.mark.parametrize("redirect", [">/dev/full", ">&-"])
def test_an_answer_that_cannot_be_delivered_is_not_asked_for(server: LLMServer, redirect: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{' '.join(LOOM)} run -g go {redirect}"],
        capture_output=True,
        env=environment(server.url),
        timeout=15,
        check=False,
    )
    assert done.returncode == 74
    assert b"cannot write" in done.stderr
    assert server.requests == []


def test_closed_and_empty_stdin_are_no_input(server: LLMServer) -> None:
    server.script(Say("1"), Say("2"))
    closed = subprocess.run(
        ["bash", "-c", f"{' '.join(LOOM)} run -g go <&-"],
        capture_output=True,
        env=environment(server.url),
        timeout=15,
        check=False,
    )
    assert (closed.returncode, closed.stdout) == (0, b"1\n"), closed.stderr
    assert loom("run", "-g", "go", server_url=server.url).stdout == b"2\n"
    assert all("<input" not in user_text(server, n) for n in (0, 1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_silent_stdin_can_be_interrupted(server: LLMServer, number: signal.Signals) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*LOOM, "run", "-g", "go"],
        stdin=reader,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(server.url),
    )
    os.close(reader)
    try:
        until_reading(process.pid)
        process.send_signal(number)
        assert process.wait(10) == -number
        assert server.requests == []
    finally:
        process.kill()
        process.communicate()
        os.close(writer)


def until_reading(pid: int) -> None:
    """Wait until the process sleeps with nothing more to do: it is waiting for its input."""
    deadline, quiet, last = time.monotonic() + 10, 0, ""
    while time.monotonic() < deadline:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used = " ".join(fields[11:13])
        quiet = quiet + 1 if fields[0] == "S" and used == last else 0
        if quiet > 20:
            return
        last = used
        time.sleep(0.02)
    raise AssertionError("it never came to rest")


def test_no_stdin_leaves_it_to_the_loop(server: LLMServer) -> None:
    server.script(Say("1"), Say("2"), Say("3"))
    done = subprocess.run(
        ["bash", "-c", f"printf 'a\\nb\\nc\\n' | while read line; do {' '.join(LOOM)} run -n -g \"$line\"; done"],
        capture_output=True,
        env=environment(server.url),
        timeout=20,
        check=False,
    )
    assert done.stdout == b"1\n2\n3\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_tool(server: LLMServer, tmp_path: Path, number: signal.Signals) -> None:
    command = f"echo $$ > {tmp_path}/pid; sleep 60 & sleep 60"
    server.script(Calls(("Shell", {"command": command})))
    process = start(
        "run", "-g", "go", "--cap", "shell", "--mode", "auto", "--json", server_url=server.url, cwd=tmp_path
    )
    pid = int(until_file(tmp_path / "pid"))
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == -number
    until_gone(pid)
    found = json.loads(out)
    assert (found["ok"], found["stop_reason"], found["exit_code"]) == (False, "cancelled", 128 + number)
    assert found["error"]["code"] == "cancelled"
    assert b"loom sessions resume " + found["session"].encode() in err
    log = events_of(found["session"])
    assert log[-1]["type"] == "run.end"
    assert [event["outcome"] for event in log if event["type"] == "tool.result"] == ["cancelled"]


def events_of(session: str) -> list[dict[str, str]]:
    shown = loom("sessions", "show", session, "--raw")
    return [json.loads(line) for line in shown.stdout.splitlines()]


def test_an_interrupt_stops_the_shell_loop_around_it(server: LLMServer) -> None:
    server.script(Silence())
    process = subprocess.Popen(
        ["bash", "-c", f"for i in 1 2 3; do {' '.join(LOOM)} run -g go; done; echo survived"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(server.url),
        start_new_session=True,
    )
    server.wait_for(lambda s: len(s.requests) == 1)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert b"survived" not in out
    assert len(server.requests) == 1


def test_a_second_interrupt_is_immediate(server: LLMServer, tmp_path: Path) -> None:
    command = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 60; done"
    server.script(Calls(("Shell", {"command": command})))
    process = start("run", "-g", "go", "--cap", "shell", "--mode", "auto", server_url=server.url, cwd=tmp_path)
    pid = int(until_file(tmp_path / "pid"))
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < 5:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert process.returncode == -signal.SIGINT
    assert time.monotonic() - begun < 1.5
    process.communicate()
    until_gone(pid)


def test_words_said_before_the_signal_are_kept(server: LLMServer) -> None:
    never = threading.Event()
    server.script(Turn(Say("half an answer"), Hold(never)))
    process = start("run", "-g", "go", "--format", "jsonl", server_url=server.url)
    assert process.stdout is not None
    seen = b""
    while b"half an answer" not in seen:
        seen += os.read(process.stdout.fileno(), 4096)
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=10)
    never.set()
    assert process.returncode == -signal.SIGTERM
    events = [json.loads(line) for line in (seen + rest).splitlines()]
    response = next(event for event in events if event["type"] == "model.response")
    assert response["partial"] is True
    assert response["parts"][0]["text"] == "half an answer"
    assert events[-1]["type"] == "run.end"


def test_the_answer_in_a_file(server: LLMServer, tmp_path: Path) -> None:
    target = tmp_path / "out.md"
    server.script(Say("one"), Say("two"), Status(400))
    first = loom("run", "-g", "go", "-o", str(target), server_url=server.url)
    assert (first.returncode, first.stdout, target.read_text()) == (0, b"", "one\n"), first.stderr
    loom("run", "-g", "go", "-o", str(target), "--append", server_url=server.url)
    assert target.read_text() == "one\ntwo\n"
    assert loom("run", "-g", "go", "-o", str(target), server_url=server.url).returncode == 1
    assert target.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("target", ["nowhere/out.md", "."])
def test_a_file_that_cannot_be_written_is_found_before_anything_is_sent(
    server: LLMServer, tmp_path: Path, target: str
) -> None:
    done = loom("run", "-g", "go", "-o", target, server_url=server.url, cwd=tmp_path)
    assert done.returncode == 74
    assert b"cannot write" in done.stderr
    assert server.requests == []


def test_no_escape_sequence_of_the_model_reaches_a_pipe(server: LLMServer) -> None:
    server.script(Say("a\x1b[31mred\x1b]0;t\x07\u202eb\x00"))
    done = loom("run", "-g", "go", server_url=server.url)
    assert done.returncode == 0
    assert not set(done.stdout[:-1]) & set(range(0x20))
    assert b"red" in done.stdout
    assert "\u202e" not in done.stdout.decode()


def test_a_mended_log_is_said(server: LLMServer, tmp_path: Path) -> None:
    server.script(Say("a1"), Say("a2"))
    loom("run", "-g", "q1", server_url=server.url, cwd=tmp_path)
    directory = Path(loom("sessions", "path", "@last").stdout.decode().strip())
    assert directory.is_absolute()
    with (directory / "events.jsonl").open("ab") as log:
        log.write(b'{"type":"tor')
    done = loom("run", "-c", "-g", "q2", server_url=server.url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"a2\n")
    assert b"12 bytes were put aside" in done.stderr


def test_what_cannot_be_reached_makes_no_session(server: LLMServer) -> None:
    assert loom("run", "-m", "opneai:gpt", "-g", "go", server_url=server.url).returncode == 2
    assert loom("run", "-m", "anthropic:claude", "-g", "go").returncode == 4
    assert loom("sessions", "list").stdout == b""


def test_a_session_goes_on(server: LLMServer, tmp_path: Path) -> None:
    server.script(Say("a1"), Say("a2"), Say("a3"))
    loom("run", "-g", "q1", server_url=server.url, cwd=tmp_path)
    assert loom("run", "-c", "-g", "q2", server_url=server.url, cwd=tmp_path).stdout == b"a2\n"
    done = loom("sessions", "resume", "@last", "-g", "q3", server_url=server.url, cwd=tmp_path)
    assert done.stdout == b"a3\n", done.stderr
    sent = [(m["role"], m["content"]) for m in server.requests[2].body["messages"] if m["role"] != "system"]
    assert sent == [("user", "q1"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2"), ("user", "q3")]


def test_tool_rounds_come_back_with_a_resumed_session(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("remembered")
    server.script(Calls(("Read", {"path": "a.txt"})), Say("read"), Say("yes"))
    loom("run", "-g", "q1", server_url=server.url, cwd=tmp_path)
    loom("run", "-c", "-g", "q2", server_url=server.url, cwd=tmp_path)
    roles = [m["role"] for m in server.requests[2].body["messages"]]
    assert roles[-5:] == ["user", "assistant", "tool", "assistant", "user"]
    assert "remembered" in str(server.requests[2].body)


def test_no_session_leaves_no_file(server: LLMServer) -> None:
    server.script(Say("x"))
    done = loom("run", "-g", "go", "--no-session", "--json", server_url=server.url)
    assert json.loads(done.stdout)["session"] is None
    assert loom("sessions", "list").stdout == b""


def test_inputs_and_files(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("from a file")
    server.script(Say("x"))
    done = loom(
        "run",
        "-g",
        "go",
        "-I",
        "a=1",
        "-I",
        "b:=[1,2]",
        "-I",
        "c=@n.txt",
        "-f",
        "n.txt",
        server_url=server.url,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = user_text(server)
    assert text.count("from a file") == 2
    assert "[1, 2]" in text


def test_a_task_file(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        'schema = 1\ngoal = "Look at ${branch}."\ncriteria = ["short"]\n'
        '[params.branch]\ntype = "string"\ndefault = "main"\n'
    )
    server.script(Say("one"), Say("two"))
    assert loom("run", "t.toml", server_url=server.url, cwd=tmp_path).stdout == b"one\n"
    loom("run", "t.toml", "-p", "branch=dev", server_url=server.url, cwd=tmp_path)
    assert user_text(server).startswith("Look at main.\n")
    assert "- short" in user_text(server)
    assert user_text(server, 1).startswith("Look at dev.\n")


def test_a_task_file_on_stdin(server: LLMServer) -> None:
    server.script(Say("one"))
    done = loom("run", "-", server_url=server.url, stdin=b'schema = 1\ngoal = "go"\n')
    assert done.stdout == b"one\n", done.stderr
    assert "<input" not in user_text(server)


def test_a_task_file_grants_itself_nothing(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        'schema = 1\ngoal = "go"\n[capabilities.shell]\nenabled = true\n'
        '[governance]\nmode = "auto"\nallow = ["Shell(touch *)"]\n'
    )
    server.script(Calls(("Shell", {"command": "touch made"})), Say("could not"))
    done = loom("run", "t.toml", server_url=server.url, cwd=tmp_path)
    assert not (tmp_path / "made").exists()
    assert b"--cap shell" in done.stderr
    assert all(tool["function"]["name"] != "Shell" for tool in server.requests[0].body["tools"])


def test_a_task_file_writes_its_answer_only_where_that_is_granted(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('schema = 1\ngoal = "go"\n[output]\nfile = "report.md"\n')
    server.script(Say("one"), Say("two"))
    withheld = loom("run", "t.toml", server_url=server.url, cwd=tmp_path)
    assert (withheld.returncode, withheld.stdout) == (0, b"one\n")
    assert b"-o " in withheld.stderr
    assert not (tmp_path / "report.md").exists()
    loom("run", "t.toml", "--cap", "files=write", server_url=server.url, cwd=tmp_path)
    assert (tmp_path / "report.md").read_text() == "two\n"


def test_calls_of_a_tool_can_be_counted_out(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Glob", {"pattern": "a"})), Calls(("Glob", {"pattern": "b"})), Say("enough"))
    limit = ("--set", "governance.max_calls.Glob=1")
    done = loom("run", "-g", "go", "--json", *limit, server_url=server.url, cwd=tmp_path)
    denials = json.loads(done.stdout)["denials"]
    assert [(denial["tool"], denial["rule"]) for denial in denials] == [("Glob", "max_calls.Glob: 1")]


def test_dry_run_sends_nothing(server: LLMServer) -> None:
    done = loom("run", "-g", "go", "--dry-run", server_url=server.url, stdin=b"data")
    assert done.returncode == 0, done.stderr
    assert "go" in json.loads(done.stdout)["messages"][0]["content"]
    assert server.requests == []


def test_without_any_model_it_says_what_to_do() -> None:
    done = loom("run", "-g", "go", env={"OLLAMA_HOST": "127.0.0.1:9"})
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"ANTHROPIC_API_KEY" in done.stderr
    assert b"loom keys set" in done.stderr


def test_no_goal_is_a_usage_error() -> None:
    done = loom("run")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"-g" in done.stderr


def test_a_restarted_stream_is_not_shown_twice(server: LLMServer) -> None:
    server.script(Say("half", cut_after=300), Say("whole"))
    done = loom("run", "-g", "go", "--format", "jsonl", server_url=server.url)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert "stream.restarted" in [event["type"] for event in events]
    assert events[-1]["answer"] == "whole"


def test_the_other_wire_format(server: LLMServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("forty-two")
    server.script(Calls(("Read", {"path": "a.txt"})), Say("It says forty-two."))
    env = {"LOOM_MODEL": "anthropic:scripted", "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-canary-1"}
    done = loom("run", "-g", "what?", "--format", "jsonl", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["answer"] == "It says forty-two."
    assert server.requests[1].body["messages"][-1]["content"][0]["type"] == "tool_result"
    assert b"canary" not in done.stdout + done.stderr


def test_a_key_leaks_nowhere(server: LLMServer, tmp_path: Path) -> None:
    server.script(Calls(("Shell", {"command": "env"})), Status(401, body="no: sk-canary-1"))
    env = {"COMPATIBLE_API_KEY": "sk-canary-1"}
    done = loom(
        "run",
        "-g",
        "go",
        "--cap",
        "shell",
        "--mode",
        "auto",
        "--json",
        "--debug",
        server_url=server.url,
        env=env,
        cwd=tmp_path,
    )
    assert done.returncode == 4
    assert server.requests[0].headers["authorization"] == "Bearer sk-canary-1"
    assert b"canary" not in done.stdout
    assert b"canary" not in done.stderr
