"""History as a fold: a session's events in, the conversation a model can be sent out.

The same fold builds the context of a live session, of a resumed one, and of an export, so they cannot differ. It
holds the one invariant every service insists on: each tool call is followed, in the next message, by exactly one
result.
"""

from collections.abc import Collection, Iterable

from loom_core.context.rendering import render_user
from loom_core.events import Event, ModelResponse, SessionClear, ToolResulted, ToolStart, UserMessage
from loom_core.messages import Message, Part, ToolCall, ToolResult

INTERRUPTED = (
    "interrupted: loom ended while this tool was running, so it may have taken effect. Check before repeating it."
)
NOT_RUN = "not run: loom ended before this tool was started."


class Transcript:
    """The conversation so far. `apply` every event of the session in order; `messages` is what was said."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._messages: list[Message] = []
        self._open: dict[str, ToolCall] = {}
        self._started: set[str] = set()
        self._results: dict[str, ToolResult] = {}
        self._call_ids: set[str] = set()
        for event in events:
            self.apply(event)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, the pending tool round closed: a call without a result gets one that says so."""
        return (*self._messages, *self._round())

    def apply(self, event: Event) -> None:
        """Take in one event; those that say nothing to the model change nothing."""
        match event:
            case ModelResponse():
                self._close_round()
                self._respond(event)
            case ToolStart():
                self._started.add(event.call)
            case ToolResulted() if event.call in self._open:
                self._results.setdefault(
                    event.call,
                    ToolResult(call_id=event.call, name=event.tool, content=event.content, is_error=event.is_error),
                )
            case UserMessage():
                self._close_round()
                self._messages.append(render_user(event))
            case SessionClear():
                self._close_round()
                self._messages.clear()
            case _:
                pass

    def unique_id(self, call_id: str, besides: Collection[str] = ()) -> str:
        """The id itself, or with a number where an earlier call of the session, or one of `besides`, had it."""
        wanted = call_id or "call"
        candidate, number = wanted, 1
        while candidate in self._call_ids or candidate in besides:
            number += 1
            candidate = f"{wanted}_{number}"
        return candidate

    def _respond(self, event: ModelResponse) -> None:
        parts: tuple[Part, ...] = event.parts
        if event.partial:  # its calls never ran, and a cut signature would be refused
            parts = tuple(part for part in parts if part.__struct_config__.tag == "text")
        if not parts:
            return
        message = Message(role="assistant", parts=parts)
        self._messages.append(message)
        self._open = {call.id: call for call in message.calls}
        self._call_ids.update(self._open)

    def _round(self) -> tuple[Message, ...]:
        if not self._open:
            return ()
        return (Message(role="tool", parts=tuple(self._result(call) for call in self._open.values())),)

    def _result(self, call: ToolCall) -> ToolResult:
        known = self._results.get(call.id)
        if known is not None:
            return known
        text = INTERRUPTED if call.id in self._started else NOT_RUN
        return ToolResult(call_id=call.id, name=call.name, content=text, is_error=True)

    def _close_round(self) -> None:
        self._messages.extend(self._round())
        self._open, self._results, self._started = {}, {}, set()


def check_pairs(messages: Iterable[Message]) -> None:
    """Raise `AssertionError` unless every tool call has exactly one result, in the message right after it."""
    waiting: list[str] = []
    for message in messages:
        answered = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        if (message.role == "tool" or waiting) and sorted(answered) != sorted(waiting):
            raise AssertionError(f"tool calls {waiting} are followed by results {answered}")
        waiting = [call.id for call in message.calls]
    if waiting:
        raise AssertionError(f"tool calls {waiting} have no results")
