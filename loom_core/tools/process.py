"""Running a child process in a group of its own, and never leaving any of the group behind."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from loom_core.errors import ToolError
from loom_core.tools.descendants import descendants
from loom_core.tools.lifeline import Lifeline
from loom_core.tools.threads import in_thread

Receiver: TypeAlias = Callable[[bytes], bool | None]
"""Takes output as it comes; returning True says that it was enough, and ends the process."""

TERMINATION = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_PIPE = 0.2  # seconds that children left in the background may go on writing after the process itself has ended
_REAPED = 5.0  # seconds a killed process may take to die; one in uninterruptible sleep can take for ever
_PIPE_HOLDS = 1024 * 1024  # bytes at most, by Linux's own limit for unprivileged users
_CHUNK = 256 * 1024


class Ending(Struct, frozen=True, kw_only=True):
    """How a process ended."""

    code: int
    """The exit code, or minus the number of the signal that killed it."""
    timed_out: bool


async def run_process(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], seconds: float, receive: Receiver
) -> Ending:
    """Run `argv`, stdout and stderr in one stream, stdin empty, `environment` and nothing else as its environment.

    After `seconds`, or when this is cancelled, the process group gets SIGTERM and, 2 s later, SIGKILL; what a
    process leaves in its group when it ends is killed too. Descendants that left the group are killed when the process
    is ended early, as far as their parents still live; a daemon of a process that ended by itself goes its own way.
    Should this process be killed itself, the group is killed all the same. Raises `ToolError` when `argv` cannot run,
    and what `receive` raises.
    """
    try:
        child = _Child(argv, cwd=cwd, environment=environment, receive=receive)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
        raise ToolError(f"cannot run {argv[0]}: {error}") from error
    try:
        timed_out = not await child.finished(seconds)
    finally:
        await _in_any_case(child.end())
    child.raise_fault()
    return Ending(code=child.code, timed_out=timed_out)


class _Child:
    """A child from its start until it is reaped."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], receive: Receiver) -> None:
        self._loop = asyncio.get_running_loop()
        self._receive = receive
        self._closed: asyncio.Future[Any] = self._loop.create_future()
        self._enough: asyncio.Future[Any] = self._loop.create_future()
        self._lifeline = Lifeline()
        try:
            self._process, self._output, gate = _start(argv, cwd, environment)
        except BaseException:
            self._lifeline.release()
            raise
        self._lifeline.guard(self._process.pid)
        with contextlib.suppress(BrokenPipeError):  # it was killed already
            os.write(gate, b"\n")
        os.close(gate)
        self._loop.add_reader(self._output, self._read)
        self._exited = _exit_of(self._process)

    @property
    def code(self) -> int:
        """Known after `end`."""
        code = self._process.returncode
        return -signal.SIGKILL if code is None else code

    async def finished(self, seconds: float) -> bool:
        """Wait until it ended or its receiver had enough; False when that takes longer than `seconds`."""
        done = await self._first(self._exited, self._enough, within=seconds)
        if self._exited in done:
            await self._first(self._closed, self._enough, within=_PIPE)
        return bool(done)

    def raise_fault(self) -> None:
        """Raise what the receiver raised, if it did."""
        if self._enough.done():
            self._enough.result()

    async def end(self) -> None:
        """End what still runs, take the last output, reap. Takes 2 s where the processes can be killed at all."""
        known: dict[int, int] = {}
        if not self._exited.done():
            known = descendants(self._process.pid)
            self._signal(signal.SIGTERM, known)
            await asyncio.wait({self._exited, self._closed}, timeout=TERMINATION)
        # It is reaped only after this, so that its number cannot mean another group by now.
        self._signal(signal.SIGKILL, known)
        for descriptor in known.values():
            os.close(descriptor)
        await asyncio.wait({self._exited}, timeout=_REAPED)
        for _ in range(_PIPE_HOLDS // _CHUNK):  # counted: who escaped may write for ever
            self._read()
        self._close()
        self._process.poll()
        self._lifeline.release()

    async def _first(self, *futures: asyncio.Future[Any], within: float) -> set[asyncio.Future[Any]]:
        done, _ = await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        return done

    def _signal(self, number: signal.Signals, known: Mapping[int, int]) -> None:
        """Signal the group, and of the `known` descendants those outside it; all of them with SIGKILL.

        One may be just leaving the group, and nothing shall get SIGTERM twice.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
            os.killpg(self._process.pid, number)
        for process, descriptor in known.items():
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL or os.getpgid(process) != self._process.pid:
                    signal.pidfd_send_signal(descriptor, number)

    def _read(self) -> None:
        """Take what the pipe holds, if it is still open and holds something."""
        if self._closed.done():
            return
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close()
        elif not self._enough.done():
            try:
                if self._receive(data):
                    self._enough.set_result(None)
            except Exception as error:  # noqa: BLE001  # a callback of the loop; `raise_fault` raises it
                self._enough.set_exception(error)

    def _close(self) -> None:
        if not self._closed.done():
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._closed.set_result(None)


# Becomes the program once a line comes, and nothing if this process dies before: so none runs that is not guarded.
_GATE = 'read -r _ && exec "$0" "$@" </dev/null'


def _start(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int, int]:
    """The process, the end of a pipe from which its output comes without blocking, and that of its gate.

    The program begins when a line is written to the gate. Raises `OSError` where it cannot run, `ValueError`.
    """
    if shutil.which(argv[0], path=environment.get("PATH", os.defpath)) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    reading, writing = os.pipe()
    waiting, gate = os.pipe()
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GATE, *argv],
            cwd=cwd,
            env=environment,
            stdin=waiting,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        os.close(gate)
        raise
    finally:
        os.close(writing)
        os.close(waiting)
    os.set_blocking(reading, False)
    return process, reading, gate


def _exit_of(process: subprocess.Popen[bytes]) -> asyncio.Future[Any]:
    """Done when the process has exited; on Linux before it is reaped."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # another system, or a container that forbids it
        return asyncio.ensure_future(in_thread(process.wait))
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[Any] = loop.create_future()

    def ended() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        exited.set_result(None)

    loop.add_reader(descriptor, ended)
    return exited


async def _in_any_case(work: Coroutine[None, None, None]) -> None:
    """Await `work` to its end, however often this task is cancelled meanwhile; `work` must be bounded itself."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
