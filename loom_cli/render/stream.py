"""Writing to standard output from the event loop without ever stalling it."""

import asyncio
import select

from loom_cli.output import STDOUT, encode, write_out

_ATOMIC = 4096  # PIPE_BUF on Linux: a ready pipe takes that much without blocking


async def write_live(text: str) -> None:
    """`write_out`, in a thread where the reader is slow. Raises what it raises."""
    if len(text) <= _ATOMIC and len(encode(text)) <= _ATOMIC and _ready():
        write_out(text)
    else:
        await asyncio.to_thread(write_out, text)


def _ready() -> bool:
    poll = select.poll()
    try:
        poll.register(STDOUT, select.POLLOUT)
    except PermissionError:  # epoll's answer for a regular file, which is always ready; poll(2) does not give it
        return True
    return bool(poll.poll(0))
