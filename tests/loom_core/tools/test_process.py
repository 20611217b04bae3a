"""A child runs in its own group, within its limits, and nothing of the group outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom_core.errors import ToolError
from loom_core.tools import process
from loom_core.tools.lifeline import Lifeline
from loom_core.tools.process import Ending, run_process
from tests.support.children import ids_in, is_running, wait_until_gone


async def bash(command: str, cwd: Path, output: list[bytes] | None = None, *, seconds: float = 10.0) -> Ending:
    return await run_process(
        ["/bin/bash", "--noprofile", "--norc", "-c", command],
        cwd=cwd,
        environment={"PATH": os.environ["PATH"], "ONLY": "this"},
        seconds=seconds,
        receive=([] if output is None else output).append,
    )


@pytest.mark.parametrize(
    ("command", "code", "output"),
    [
        ("echo out; echo err >&2; echo out", 0, b"out\nerr\nout\n"),
        ("exit 3", 3, b""),
        ("kill -9 $$", -9, b""),
        ("pwd", 0, b"{cwd}\n"),
        ("cat; echo end", 0, b"end\n"),
        ("echo $ONLY$HOME", 0, b"this\n"),
        ("ps -o sid= -p $$ | tr -d ' '; echo $$", 0, None),
        ("kill -PIPE $$", -signal.SIGPIPE, b""),
    ],
    ids=["merged", "code", "signal", "cwd", "stdin", "environment", "session", "sigpipe"],
)
def test_a_command_runs(tmp_path: Path, command: str, code: int, output: bytes | None) -> None:
    received: list[bytes] = []
    assert asyncio.run(bash(command, tmp_path, received)) == Ending(code=code, timed_out=False)
    if output is None:
        session, leader = b"".join(received).split()
        assert session == leader
    else:
        assert b"".join(received) == output.replace(b"{cwd}", os.fsencode(tmp_path))


@pytest.mark.parametrize(
    "command",
    [
        "echo $$ > ids; sleep 60 & echo $! >> ids; wait",
        "echo $$ > ids; (trap '' TERM; sleep 60) & echo $! >> ids; trap '' TERM; sleep 60; sleep 60",
        "echo $$ > ids; setsid sleep 60 & echo $! >> ids; wait",
        "echo $$ > ids; setsid bash -c 'trap \"\" TERM; echo $$ >> ids; sleep 60; true'; true",
    ],
    ids=["grandchild", "deaf to SIGTERM", "own session", "own session, deaf"],
)
@pytest.mark.parametrize("by", ["time-out", "cancel"])
def test_nothing_is_left_of_a_command_ended_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, by: str
) -> None:
    monkeypatch.setattr(process, "TERMINATION", 0.3)

    async def main() -> None:
        if by == "time-out":
            assert (await bash(command, tmp_path, seconds=0.5)).timed_out
            return
        task = asyncio.create_task(bash(command, tmp_path))
        await asyncio.to_thread(ids_in, tmp_path / "ids", 2)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # impatience does not leave processes behind either
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_until_gone(ids_in(tmp_path / "ids", 2))


@pytest.mark.parametrize("redirection", ["", ">/dev/null 2>&1"], ids=["holding the pipe", "without it"])
def test_what_runs_on_in_the_background_is_not_waited_for(tmp_path: Path, redirection: str) -> None:
    received: list[bytes] = []
    command = f"sleep 60 {redirection} & echo $! > ids; echo done"
    assert asyncio.run(bash(command, tmp_path, received, seconds=5)) == Ending(code=0, timed_out=False)
    assert received == [b"done\n"]
    wait_until_gone(ids_in(tmp_path / "ids", 1))


def test_a_process_group_dies_with_a_program_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib; from loom_core.tools.process import run_process;"
        "asyncio.run(run_process(['/bin/bash', '-c', 'echo $$ > ids; sleep 60 & echo $! >> ids; wait'],"
        " cwd=pathlib.Path.cwd(), environment={'PATH': '/usr/bin:/bin'}, seconds=60, receive=print))"
    )
    program = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    children = ids_in(tmp_path / "ids", 2)
    assert all(map(is_running, children))
    program.kill()
    program.wait()
    wait_until_gone(children)


def test_a_receiver_that_has_enough_ends_the_process(tmp_path: Path) -> None:
    received: list[bytes] = []

    def receive(data: bytes) -> bool:
        received.append(data)
        return True

    async def main() -> Ending:
        return await run_process(
            ["yes"], cwd=tmp_path, environment={"PATH": os.environ["PATH"]}, seconds=10, receive=receive
        )

    assert asyncio.run(main()) == Ending(code=-signal.SIGTERM, timed_out=False)
    assert len(received) == 1


def test_a_fault_of_the_receiver_ends_the_process_and_is_raised(tmp_path: Path) -> None:
    def receive(data: bytes) -> None:
        raise LookupError(data)

    async def main() -> None:
        await run_process(
            ["/bin/sh", "-c", "echo a; sleep 60"], cwd=tmp_path, environment={}, seconds=10, receive=receive
        )

    with pytest.raises(LookupError):
        asyncio.run(main())


@pytest.mark.parametrize(
    "argv",
    [["/no/such/program"], ["/bin/echo", "a\0b"], ["/bin/echo", "x" * 3_000_000]],
    ids=["missing", "nul", "too long"],
)
def test_what_cannot_be_started_is_a_tool_error(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(ToolError, match=f"cannot run {argv[0]}"):
        asyncio.run(run_process(argv, cwd=tmp_path, environment={}, seconds=1, receive=lambda _: None))


def test_a_command_runs_though_its_guard_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Orphaned(Lifeline):
        def guard(self, group: int) -> None:
            self._guard.kill()
            self._guard.wait()
            super().guard(group)

    monkeypatch.setattr(process, "Lifeline", Orphaned)
    assert asyncio.run(bash("exit 5", tmp_path)) == Ending(code=5, timed_out=False)


def test_it_works_without_pidfds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refused)
    received: list[bytes] = []
    assert asyncio.run(bash("echo hi; exit 4", tmp_path, received)) == Ending(code=4, timed_out=False)
    assert asyncio.run(bash("sleep 60", tmp_path, seconds=0.1)).timed_out
    assert received == [b"hi\n"]
