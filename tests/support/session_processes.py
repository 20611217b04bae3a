"""What other processes do to a session in tests. Each function is the whole life of one; it may be killed anywhere."""

import itertools
import os
import subprocess
from multiprocessing.connection import Connection
from pathlib import Path

from loom_core.runtime.private_files import replace_file
from loom_core.runtime.session_store import FileSessionStore
from tests.support.session_files import message

# Below a page, above one, and far above: the kernel stops between pages when a process is killed.
SIZES = (300, 300, 5_000, 300, 50_000, 300, 2_000_000)


def append_for_ever(root: Path, seed: int, acknowledge: Connection) -> None:
    """Append messages of many sizes to session `s`, saying the text's head only once `append` returned."""
    log = FileSessionStore(root).open("s")
    for number in itertools.count():
        head = f"{seed}-{number}:"
        log.append(message(head + "x" * SIZES[(seed + number) % len(SIZES)]))
        acknowledge.send_bytes(head.encode())


def replace_for_ever(path: Path, ready: Connection) -> None:
    """Replace a file again and again; its first line is always its last."""
    for number in itertools.count():
        replace_file(path, b"%d\n%b\n%d" % (number, b"x" * 20_000, number))
        if number == 0:
            ready.send_bytes(b"ready")


def hold(root: Path, said: Connection) -> None:
    """Keep session `s` open, with a child process running, until killed. Says the child's id."""
    log = FileSessionStore(root).open("s")
    log.append(message("theirs"))
    child = subprocess.Popen(["sleep", "60"])
    said.send(child.pid)
    os.read(os.pipe()[0], 1)  # for ever
