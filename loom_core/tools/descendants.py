"""Descendants of a process that left its group (`setsid`, job control): found on Linux, through /proc."""

import contextlib
import os
from pathlib import Path


def strays(root: int) -> list[int]:
    """A pidfd of each living descendant of `root` outside its process group; the caller closes them.

    A pidfd goes on meaning the same process, whatever becomes of its number. Elsewhere than on Linux the list is empty.
    """
    found: list[int] = []
    unvisited = [root]
    while unvisited:
        for child in _children(unvisited.pop()):
            unvisited.append(child)
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(child) != root:
                    found.append(os.pidfd_open(child))
    return found


def _children(process: int) -> list[int]:
    children: list[int] = []
    for thread in Path("/proc").glob(f"{process}/task/*/children"):
        with contextlib.suppress(OSError):  # gone in the meantime
            children += map(int, thread.read_text("ascii").split())
    return children
