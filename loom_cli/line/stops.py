"""Signals, while an event loop runs."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handling(numbers: tuple[int, ...], handle: Callable[[int], None]) -> Iterator[None]:
    """Inside, each of these signals calls `handle` in the loop; afterwards they do what they do by default."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
