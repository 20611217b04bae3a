"""Doubles for programs that embed loom: a model that says what a script tells it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

from loom_core.messages import JSON, Part, Text, ToolCall, Usage
from loom_core.providers.base import Delta, ModelRequest, Reply, StreamItem

Step: TypeAlias = "str | Reply | Exception | Callable[[ModelRequest], Step]"


def calls(*wanted: tuple[str, Mapping[str, JSON]], text: str = "") -> Reply:
    """A reply that asks for tools: `calls(("Read", {"path": "a.txt"}))`."""
    parts: list[Part] = [Text(text=text)] if text else []
    parts += [
        ToolCall(id=f"call_{number}", name=name, arguments=dict(arguments))
        for number, (name, arguments) in enumerate(wanted, 1)
    ]
    return Reply(parts=tuple(parts), usage=Usage(), stop="tool_calls")


class ScriptedModel:
    """A provider that answers each request with the next step of its script.

    A step is the answer's text, a whole `Reply` (see `calls`), an exception to raise, or a function of the request
    that gives one of these. A request beyond the script, and on leaving the `with` block a step that was not used,
    both fail.
    """

    def __init__(self, steps: Iterable[Step] = (), *, name: str = "scripted") -> None:
        self._steps = list(steps)
        self._name = name
        self._unexpected = 0
        self.requests: list[ModelRequest] = []
        """What was asked, in order."""

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.verify()

    def verify(self) -> None:
        """Raise `AssertionError` unless every step was used and no request came beyond them."""
        if self._unexpected:
            raise AssertionError(f"{self._unexpected} requests came after the script's end")
        if self._steps:
            raise AssertionError(f"{len(self._steps)} steps of the script were not used")

    async def stream(self, request: ModelRequest) -> AsyncIterator[StreamItem]:
        """The next step, its text in one delta."""
        self.requests.append(request)
        if not self._steps:
            self._unexpected += 1
            raise AssertionError("the script has ended and the model was asked again")
        step = self._steps.pop(0)
        while callable(step):
            step = step(request)
        if isinstance(step, Exception):
            raise step
        reply = Reply(parts=(Text(text=step),), usage=Usage(), stop="end") if isinstance(step, str) else step
        for part in reply.parts:
            if isinstance(part, Text):
                yield Delta(kind="text", text=part.text)
        yield reply

    async def aclose(self) -> None:
        """Nothing to give back."""
