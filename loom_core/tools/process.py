"""Running a child process in a group of its own, and never leaving any of the group behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from loom_core.tools.descendants import strays
from loom_core.tools.lifeline import Lifeline

Receiver: TypeAlias = Callable[[bytes], bool | None]
"""Takes output as it comes; returning True says that it was enough, and ends the process."""

TERMINATION = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_PIPE = 0.2  # seconds that children left in the background may go on writing after the process itself has ended
_REAPED = 5.0  # seconds a killed process may take to die; one in uninterruptible sleep can take for ever
_CHUNK = 256 * 1024


class Ending(Struct, frozen=True, kw_only=True):
    """How a process ended."""

    code: int
    """The exit code, or minus the number of the signal that killed it."""
    timed_out: bool


async def run_process(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float, receive: Receiver
) -> Ending:
    """Run `argv`, stdout and stderr in one stream, stdin empty, `environment` and nothing else as its environment.

    After `timeout` seconds, or when this is cancelled, the process group gets SIGTERM and, 2 s later, SIGKILL; what a
    process leaves in its group when it ends is killed too. Descendants that left the group are killed when the process
    is ended early, as far as their parents still live; a daemon of a process that ended by itself goes its own way.
    Should this process be killed itself, the group is killed all the same. Raises `ToolError` when `argv` cannot run.
    """
    child = _Child(argv, cwd=cwd, environment=environment, receive=receive)
    try:
        timed_out = not await child.finished(timeout)
    finally:
        await _in_any_case(child.end())
    return Ending(code=child.code, timed_out=timed_out)


class _Child:
    """A child from its start until it is reaped."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], receive: Receiver) -> None:
        self._loop = asyncio.get_running_loop()
        self._receive = receive
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._enough: asyncio.Future[None] = self._loop.create_future()
        self._lifeline = Lifeline()
        try:
            self._process, self._output = _start(argv, cwd, environment)
        except BaseException:
            self._lifeline.release()
            raise
        self._lifeline.guard(self._process.pid)
        self._exited = self._watch_exit()
        self._loop.add_reader(self._output, self._read)

    @property
    def code(self) -> int:
        """Known after `end`."""
        return self._process.returncode

    async def finished(self, timeout: float) -> bool:
        """Wait until it ended or its receiver had enough; False when that takes longer than `timeout` seconds."""
        ended: set[asyncio.Future[None]] = {self._exited, self._enough}
        done, _ = await asyncio.wait(ended, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._exited in done:
            await asyncio.wait({self._closed, self._enough}, timeout=_PIPE, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    async def end(self) -> None:
        """End what still runs, take the last output, reap. Takes 2 s at most where the processes can be killed."""
        escaped: list[int] = []
        if not self._exited.done():
            escaped = strays(self._process.pid)
            self._signal(signal.SIGTERM, escaped)
            await asyncio.wait({self._exited, self._closed}, timeout=TERMINATION)
        # The process is reaped only after this, so that its number cannot have become another group's.
        self._signal(signal.SIGKILL, escaped)
        for descriptor in escaped:
            os.close(descriptor)
        await asyncio.wait({self._exited}, timeout=_REAPED)
        while not self._closed.done() and self._read():
            pass
        self._close()
        self._process.poll()
        self._lifeline.release()

    def _signal(self, number: signal.Signals, escaped: list[int]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
            os.killpg(self._process.pid, number)
        for descriptor in escaped:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)

    def _read(self) -> bool:
        """Take what the pipe holds; whether there was something."""
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._close()
        elif not self._enough.done() and self._receive(data):
            self._enough.set_result(None)
        return bool(data)
