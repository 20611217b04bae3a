"""The calls of a run that were refused, which its answer may not mention."""

from loom_core.events import Event, ToolCalled, ToolResulted

_SHOWN = 3
_COLUMNS = 100
"""Of a call."""


class Refusals:
    """Takes a run's events."""

    def __init__(self) -> None:
        self._calls: dict[str, ToolCalled] = {}
        self._refused: list[ToolResulted] = []

    def apply(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, ToolCalled):
            self._calls[event.call] = event
        elif isinstance(event, ToolResulted) and event.outcome == "denied":
            self._refused.append(event)

    def lines(self) -> list[str]:
        """`1 call was refused: Shell touch file (the deny rule Shell(touch *) forbids it)`; none where none was."""
        count = len(self._refused)
        known = [self._told(each) for each in self._refused[:_SHOWN]]
        if count <= 1:
            return [f"1 call was refused: {each}" for each in known]
        more = [f"  and {count - _SHOWN} more"] if count > _SHOWN else []
        return [f"{count} calls were refused:", *(f"  {each}" for each in known), *more]

    def _told(self, refused: ToolResulted) -> str:
        from loom_cli.render.narrator import describe_call
        from loom_cli.render.paint import fit

        called = self._calls.get(refused.call)
        call = refused.tool if called is None else describe_call(called.tool, called.arguments)
        return f"{fit(call, _COLUMNS)} ({fit(refused.content.removeprefix('denied: '), 2 * _COLUMNS)})"
