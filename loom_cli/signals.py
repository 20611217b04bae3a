"""Ending by a signal."""

import os
import signal
from typing import NoReturn


def die_by(number: int) -> NoReturn:
    """End this process as the signal would have without a handler.

    A shell tells `exit(130)` from death by SIGINT, and only the latter stops the loop or script the program runs in.
    """
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # process 1 of a container is immune to signals it does not handle
