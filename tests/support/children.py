"""Watching processes from outside: each is known by its id, which it wrote to a file itself."""

import time
from collections.abc import Callable
from pathlib import Path


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the awaited state did not come"
        time.sleep(0.01)


def ids_in(file: Path, count: int) -> list[int]:
    """The `count` process ids that a file holds, one a line, once they are there."""
    wait_until(lambda: file.exists() and file.read_text().count("\n") >= count)
    return [int(line) for line in file.read_text().split()]


def is_running(process: int) -> bool:
    """Whether it lives; a zombie that its parent has not fetched yet does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(processes: list[int]) -> None:
    wait_until(lambda: not any(map(is_running, processes)))
