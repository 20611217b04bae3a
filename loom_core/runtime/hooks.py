"""Callbacks of the embedding program: told when a run, a request or a tool begins and ends."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

HookName: TypeAlias = Literal["before_run", "before_llm", "before_tool", "after_tool", "after_run"]
HOOK_NAMES: tuple[str, ...] = get_args(HookName)


class HookEvent(Struct, frozen=True, kw_only=True):
    """What a handler is told; fields that do not apply are None."""

    hook: HookName
    run_id: str
    iteration: int | None = None
    """Turn of the run, from 1."""
    tool_name: str | None = None
    success: bool | None = None


Handler: TypeAlias = Callable[[HookEvent], Awaitable[None] | None]


class Hooks:
    """Handlers by name, called in the order in which they were added."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    def on(self, name: str, handler: Handler) -> None:
        """Add a handler. `ValueError` for a name that is no hook."""
        if name not in HOOK_NAMES:
            raise ValueError(f"no hook {name!r}; there are {', '.join(HOOK_NAMES)}")
        if not callable(handler):
            raise TypeError(f"handler: a callable, not {type(handler).__name__}")
        self._handlers.setdefault(name, []).append(handler)

    def off(self, name: str, handler: Handler) -> None:
        """Remove a handler; nothing happens where it was not added."""
        handlers = self._handlers.get(name, [])
        if handler in handlers:
            handlers.remove(handler)

    async def fire(self, event: HookEvent) -> list[str]:
        """Call the handlers; returns what went wrong in each that raised, so that the run can say it and go on."""
        faults = []
        for handler in tuple(self._handlers.get(event.hook, ())):
            try:
                result = await asyncio.to_thread(handler, event)  # one that is async only makes its coroutine there
                if inspect.isawaitable(result):
                    await result
            except Exception as error:  # noqa: BLE001 - foreign code; the fault is reported, the run goes on
                faults.append(f"a {event.hook} handler raised {type(error).__name__}: {error}")
        return faults
