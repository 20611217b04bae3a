"""Carrying out one run for a command: its events shown, signals obeyed, and nothing of it left behind."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from loom_core.events import Event
from loom_core.runtime.run import Run, RunContext, RunResult, RuntimeTask
from loom_core.runtime.session import Session

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_WORDS_S = 0.5
"""How long a slow reader gets for the last events after a signal."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a run ended, and the signal that ended it, if one did."""

    result: RunResult
    signal: int | None


async def perform(
    session: Session, task: RuntimeTask, context: RunContext, show: Callable[[Event], Awaitable[None]]
) -> Outcome:
    """Run the task to its end, showing each event.

    The first of SIGINT, SIGTERM and SIGHUP cancels the run: its tools' process groups end and its log is closed
    properly. A second SIGINT ends the program at once. Where showing fails (nobody reads any more), the run is
    cancelled likewise before the error goes on.
    """
    run = session.start(task, context)
    stopped = asyncio.get_running_loop().create_future()
    with _signals(run, stopped) as caught:
        showing = asyncio.get_running_loop().create_task(_show(run.events(), show))
        try:
            ended = asyncio.ensure_future(run.wait())
            await asyncio.wait({showing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if showing.done() and showing.exception() is not None:
                run.cancel()
            result = await ended
            await asyncio.wait({showing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({showing}, timeout=_LAST_WORDS_S)
        finally:
            run.cancel()
            if not showing.done():
                showing.cancel()
    if showing.done() and not showing.cancelled():
        showing.result()
    return Outcome(result=result, signal=caught[0] if caught else None)


async def _show(events: AsyncIterator[Event], show: Callable[[Event], Awaitable[None]]) -> None:
    async for event in events:
        await show(event)


@contextmanager
def _signals(run: Run, stopped: asyncio.Future[None]) -> Iterator[list[int]]:
    """Signals cancel the run; yields the list of those that came."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def catch(number: int) -> None:
        if caught and number == signal.SIGINT:
            from loom_cli.signals import die_by

            die_by(number)
        caught.append(number)
        if not stopped.done():
            stopped.set_result(None)
        run.cancel()

    # What the caller had ignored (nohup; a job in the background of a script) stays so.
    obeyed = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in obeyed:
        loop.add_signal_handler(number, catch, number)
    try:
        yield caught
    finally:
        for number in obeyed:
            loop.remove_signal_handler(number)
