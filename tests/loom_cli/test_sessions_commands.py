"""`loom sessions`, on sessions really written by the store."""

import json
import os
import pty
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from loom_cli.places import session_store
from loom_cli.program import run
from loom_core.errors import ApprovalUnavailable, SessionError, SessionLocked, SessionNotFound, UsageError
from loom_core.events import (
    ModelResponse,
    Notice,
    RunEnd,
    RunStart,
    SessionClear,
    SessionRecovered,
    ToolCalled,
    ToolResulted,
    UserMessage,
)
from loom_core.messages import Text, Usage
from tests.support.program import LOOM, loom

HOSTILE = "a\x1b[31mred\x1b]0;title\x07 \u202e\x9b31m"


class Output:
    """What a command wrote."""

    def __init__(self, capture: pytest.CaptureFixture[str], *arguments: str) -> None:
        run(["sessions", *arguments])
        self.out, self.err = capture.readouterr()

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.lines]


@pytest.fixture
def sessions(capfd: pytest.CaptureFixture[str]) -> Callable[..., Output]:
    """Runs `loom sessions ...` in this process."""
    return lambda *arguments: Output(capfd, *arguments)


def written(session_id: str, *, title: str = "", cwd: str = "/elsewhere", age: int = 0) -> Path:
    """A session with one run of one tool call, last written `age` seconds after 2001-09-09."""
    log = session_store().create(cwd=cwd, title=title, session_id=session_id)
    call = f"call-{session_id}"
    usage = Usage(input_tokens=1200, output_tokens=34)
    for event in (
        RunStart(model="a:b", mode="default", cwd=cwd, tools=("Shell",), limits={}, run="run_1"),
        UserMessage(text="How many\nlines?", run="run_1"),
        ModelResponse(
            turn=1,
            model="a:b",
            parts=(Text(text="I count them."),),
            usage=usage,
            stop="tool_calls",
            duration_ms=1,
            cost_usd=0.0125,
            run="run_1",
        ),
        ToolCalled(call=call, tool="Shell", arguments={"command": f"wc -l {HOSTILE}"}, run="run_1"),
        ToolResulted(
            call=call,
            tool="Shell",
            content="not allowed by the rule Shell(wc *)",
            is_error=True,
            outcome="denied",
            duration_ms=0,
            run="run_1",
        ),
        RunEnd(state="completed", stop_reason="completed", answer="", usage=usage, turns=1, duration_ms=1, run="run_1"),
    ):
        log.append(event)
    log.close()
    path = session_store().path(session_id)
    os.utime(path / "events.jsonl", (10**9 + age, 10**9 + age))
    return path


def test_a_piped_listing_is_records_without_header_or_truncation(sessions: Callable[..., Output]) -> None:
    written("old", title="x" * 300, age=-100)
    written("new", title=f"tab\t{HOSTILE}\n")
    found = sessions("list")
    assert [row[0] for row in found.rows] == ["new", "old"]
    assert {len(row) for row in found.rows} == {10}
    assert found.rows[1][2:] == ["completed", "1", "1200", "34", "0.012500", "a:b", "/elsewhere", "x" * 300]
    assert "\x1b" not in found.out
    assert found.err == ""


def test_json_is_one_array_with_everything(sessions: Callable[..., Output]) -> None:
    written("s", title="T")
    [record] = json.loads(sessions("list", "--json").out)
    assert (record["id"], record["title"], record["cost_usd"], record["pid"]) == ("s", "T", 0.0125, None)


@pytest.mark.parametrize("arguments", [(), ("--here",), ("--all",), ("--status", "failed")], ids=" ".join)
def test_a_listing_of_nothing_is_empty(sessions: Callable[..., Output], arguments: tuple[str, ...]) -> None:
    assert sessions("list", *arguments).out == ""
    assert json.loads(sessions("list", *arguments, "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-n", "1"), ["c"]),
        (("--all",), ["c", "b", "a"]),
        (("--here",), ["b"]),
        (("--status", "crashed"), ["c"]),
        (("--status", "completed", "-n", "1"), ["b"]),
        (("--since", "2001-09-09T12:00:00+00:00"), ["c"]),
        (("--since", "1h"), []),
        (("--since", "9999w"), ["c", "b", "a"]),
    ],
)
def test_listings_are_narrowed(
    sessions: Callable[..., Output], arguments: tuple[str, ...], expected: list[str]
) -> None:
    written("a", age=-3600)
    written("b", cwd=str(Path.cwd()))
    path = written("c")
    log = session_store().open("c")
    log.append(RunStart(model="a:b", mode="default", cwd="/", tools=(), limits={}))
    log.close()
    os.utime(path / "events.jsonl", (10**9 + 86_400, 10**9 + 86_400))
    assert [row[0] for row in sessions("list", *arguments).rows] == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--status", "complete"), "no such state"),
        (("list", "--since", "yesterday"), "neither a span nor a date"),
        (("list", "-n", "0"), "range"),
        (("show", "s", "--type", "tol.call"), "no such event"),
        (("show", "s", "--json", "--raw"), "neither"),
        (("show",), "missing argument"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    sessions: Callable[..., Output], arguments: tuple[str, ...], said: str
) -> None:
    written("s")
    with pytest.raises(UsageError, match=said):
        sessions(*arguments)


def on_a_terminal(columns: int, *arguments: str) -> list[str]:
    """What the program writes where its output is a terminal of this width."""
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=theirs, check=True)
    done = subprocess.run([*LOOM, "sessions", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, check=True)
    os.close(theirs)
    assert done.returncode == 0
    data = b""
    try:
        while piece := os.read(ours, 65_536):
            data += piece
    except OSError:  # Linux says so where nobody holds the other end any more
        pass
    os.close(ours)
    return data.decode().splitlines()


def test_on_a_terminal_a_table_fits_its_width() -> None:
    written("long", title="你好 " * 60)
    written("short", title=HOSTILE)
    for number in range(20):
        written(f"n{number}", age=1)
    lines = on_a_terminal(60, "list", "-n", "22")
    assert len(lines) == 22
    assert max(sum(2 if "\u2e80" < char < "\uff00" else 1 for char in line) for line in lines) <= 60
    assert len({line.index("completed") for line in lines}) == 1
    assert "\x1b" not in "".join(lines)
    assert any(line.endswith("…") and "你好" in line for line in lines)
    assert on_a_terminal(60, "list")[-1] == "loom: these are the 20 newest; --all shows every one"


def test_a_session_reads_as_it_happened(sessions: Callable[..., Output]) -> None:
    written("s")
    log = session_store().open("s")
    log.append(Notice(text=f"careful {HOSTILE}"))
    log.append(SessionClear())
    log.append(SessionRecovered(torn_bytes=7, saved_as="events.jsonl.torn-x"))
    log.close()
    found = sessions("show", "s")
    assert "› How many\n  lines?" in found.out
    assert "I count them." in found.out
    assert "✗ Shell wc -l" in found.out
    assert "not allowed by the rule Shell(wc *)" in found.out
    assert "starts afresh" in found.out
    assert "events.jsonl.torn-x" in found.out
    assert not set(found.out) & set("\x1b\x07\x9b\u202e")


def test_events_are_chosen_by_type_run_and_number(sessions: Callable[..., Output]) -> None:
    written("s")
    assert [row[2] for row in sessions("show", "s", "--type", "tool").rows] == ["tool.call", "tool.result"]
    both = sessions("show", "s", "--type", "tool.call", "--type", "run.end").rows
    assert [row[2] for row in both] == ["tool.call", "run.end"]
    assert len(json.loads(sessions("show", "s", "--run", "run_1", "--json").out)) == 6
    assert [event["type"] for event in json.loads(sessions("show", "s", "--tail", "2", "--json").out)] == [
        "tool.result",
        "run.end",
    ]
    assert json.loads(sessions("show", "s", "--run", "other", "--json").out) == []


def test_raw_is_the_log_as_it_stands_and_damage_is_counted(sessions: Callable[..., Output]) -> None:
    path = written("s") / "events.jsonl"
    assert sessions("show", "s", "--raw").out == path.read_text()
    path.write_bytes(path.read_bytes().replace(b'"turn":1', b'"turn":\xff'))
    assert len(sessions("show", "s", "--raw").lines) == 7
    found = sessions("show", "s", "--json")
    assert len(json.loads(found.out)) == 6
    assert "damaged lines left out: 1" in found.err


def test_a_newer_schema_can_be_shown(sessions: Callable[..., Output]) -> None:
    path = written("s") / "events.jsonl"
    path.write_bytes(path.read_bytes() + b'{"type":"user.message","v":9,"seq":9,"said":["x"]}\n')
    assert sessions("show", "s", "--raw", "--tail", "1").lines == ['{"type":"user.message","v":9,"seq":9,"said":["x"]}']


def test_following_ends_with_the_writer_and_misses_nothing(sessions: Callable[..., Output]) -> None:
    log = session_store().create(cwd="/", session_id="s")
    log.append(UserMessage(text="0"))

    def write_on() -> None:
        for number in range(1, 200):
            log.append(UserMessage(text=str(number)))
        log.close()

    writer = threading.Timer(0.1, write_on)
    writer.start()
    found = sessions("show", "s", "--follow", "--tail", "1", "--type", "user")
    writer.join()
    assert [json.loads(row[3])["text"] for row in found.rows] == [str(number) for number in range(200)]


def test_a_path_is_printed_alone(sessions: Callable[..., Output]) -> None:
    path = written("s")
    assert sessions("path", "@last").out == f"{path}\n"


def test_verification_fails_where_something_is_damaged(
    sessions: Callable[..., Output], capfd: pytest.CaptureFixture[str]
) -> None:
    written("a", age=-1)
    path = written("b") / "events.jsonl"
    assert [row[:3] for row in sessions("verify").rows] == [["b", "7", "whole"], ["a", "7", "whole"]]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(SessionError, match="1 of 2 sessions damaged"):
        sessions("verify")
    assert "b\t6\ttorn bytes at the end: " in capfd.readouterr().out
    sessions("verify", "a")


def test_deleting_needs_a_yes(sessions: Callable[..., Output]) -> None:
    written("s")
    with pytest.raises(ApprovalUnavailable) as caught:
        sessions("delete", "s")
    assert caught.value.hint == "add --yes"
    assert session_store().exists("s")
    found = sessions("delete", "s", "-y")
    assert (found.out, "moved to" in found.err) == ("", True)
    assert not session_store().exists("s")


def test_a_mistyped_name_deletes_nothing(sessions: Callable[..., Output]) -> None:
    written("s-1")
    written("s-2")
    with pytest.raises(SessionNotFound):
        sessions("delete", "s-1", "s-3", "--yes")
    with pytest.raises(SessionNotFound, match="2 sessions begin"):
        sessions("delete", "s-", "--yes")
    assert len(session_store().list()) == 2


def test_a_session_in_use_is_not_deleted(sessions: Callable[..., Output]) -> None:
    log = session_store().create(cwd="/", session_id="s")
    with pytest.raises(SessionLocked):
        sessions("delete", "s", "--yes")
    log.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list",), 0, b""),
        (("show", "zzz"), 2, b"no session 'zzz'"),
        (("delete", "s"), 6, b"add --yes"),
        (("verify", "s"), 1, b"1 of 1 session damaged"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_exit_codes_and_streams(arguments: tuple[str, ...], code: int, said: bytes) -> None:
    path = written("s") / "events.jsonl"
    path.write_bytes(path.read_bytes() + b"torn")
    done = loom("sessions", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert (done.stdout == b"") == (code in (2, 6))
