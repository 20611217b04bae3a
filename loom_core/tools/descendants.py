"""All descendants of a process, also those that left its group (`setsid`, job control): on Linux, through /proc."""

import contextlib
import os
from pathlib import Path


def descendants(root: int) -> dict[int, int]:
    """A pidfd of each living descendant of `root`, by its id; the caller closes them.

    A pidfd goes on meaning the same process, whatever becomes of the id. Elsewhere than on Linux nothing is found.
    """
    found: dict[int, int] = {}
    unvisited = [root]
    while unvisited:
        for child in _children(unvisited.pop()):
            with contextlib.suppress(OSError):  # gone in the meantime
                found[child] = os.pidfd_open(child)
                unvisited.append(child)
    return found


def _children(process: int) -> list[int]:
    children: list[int] = []
    for thread in Path("/proc").glob(f"{process}/task/*/children"):
        with contextlib.suppress(OSError):  # gone in the meantime
            children += map(int, thread.read_text("ascii").split())
    return children
