"""Sync code off the event loop."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], /, **arguments: Any) -> Result:
    """Call `function` in a thread of its own and in this context.

    When this is cancelled the call goes on unheard. The thread is a daemon, so unlike one of `asyncio.to_thread` it
    neither holds up the end of the program nor takes one of a few places in a pool.
    """
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    results: list[Result] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()

    def finish() -> None:
        if not finished.done():
            finished.set_result(None)

    def work() -> None:
        try:
            results.append(context.run(function, **arguments))
        except BaseException as error:  # noqa: BLE001  # raised again where it is awaited
            errors.append(error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish)

    threading.Thread(target=work, name=f"loom-{getattr(function, '__name__', 'call')}", daemon=True).start()
    await finished
    if errors:
        raise errors[0]
    return results[0]
