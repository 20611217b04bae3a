"""Processes that are started quickly, and killed."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.session_processes"])


def spawn(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs `target(*arguments, connection)`, and our end of the connection."""
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def kill(process: BaseProcess) -> None:
    """SIGKILL, and wait until it is gone."""
    process.kill()
    process.join()
    process.close()


def rest(connection: Connection) -> list[bytes]:
    """What a process sent before it was killed, a message cut short left out."""
    received = []
    try:
        while True:
            received.append(connection.recv_bytes())
    except (EOFError, OSError):
        connection.close()
        return received
