"""What the scripted LLM server can be told to answer. One step answers one request."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypedDict, Unpack


class Options(TypedDict, total=False):
    """The options every step takes; see `Step`."""

    delay: float
    pause: float
    cut_after: int | None
    truncate: bool
    usage: tuple[int, int] | None
    stop: str | None
    linger: float


@dataclass(frozen=True)
class Step:
    """What is common to all steps. Times in seconds."""

    _: KW_ONLY
    delay: float = 0.0
    """Before the first byte of the response."""
    pause: float = 0.0
    """Between two events of the stream."""
    cut_after: int | None = None
    """Bytes of the body after which the connection is broken off."""
    truncate: bool = False
    """End cleanly, but without finish reason and end marker."""
    usage: tuple[int, int] | None = (11, 7)
    """Input and output tokens, or none said."""
    stop: str | None = None
    """The finish reason in the service's words, instead of the natural one."""
    linger: float = 0.0
    """Between the end marker and the end of the body."""


@dataclass(frozen=True)
class Say(Step):
    """Text, in pieces of `chunk` characters (0: whole)."""

    text: str
    chunk: int = 0


@dataclass(frozen=True)
class Think(Step):
    """Reasoning, in pieces of `chunk` characters (0: whole)."""

    text: str
    chunk: int = 0


@dataclass(frozen=True, init=False)
class Calls(Step):
    """Tool calls, each a name and arguments: a mapping, or text to be sent as it is."""

    calls: tuple[tuple[str, Mapping[str, Any] | str], ...]
    text: str
    chunk: int

    def __init__(
        self,
        *calls: tuple[str, Mapping[str, Any] | str],
        text: str = "",
        chunk: int = 0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "chunk", chunk)


@dataclass(frozen=True)
class Hold(Step):
    """Send nothing more until the event is set."""

    event: threading.Event


@dataclass(frozen=True)
class BadJSON(Step):
    """An event whose data is no JSON."""

    data: str = '{"choices": [{"delta": {"content": "half'


@dataclass(frozen=True)
class Huge(Step):
    """Text of `size` letters, in events of 64 KiB or (`single`) in one."""

    size: int
    single: bool = False


Piece = Say | Think | Calls | Hold | BadJSON | Huge


@dataclass(frozen=True, init=False)
class Turn(Step):
    """Several pieces in one answer. Options are the turn's own; those of its pieces do not count."""

    pieces: tuple[Piece, ...]

    def __init__(self, *pieces: Piece, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        object.__setattr__(self, "pieces", pieces)


@dataclass(frozen=True)
class Status(Step):
    """An error status. `body` is sent as JSON, text as it is; by default the shape the asked format has for it."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw(Step):
    """A body byte for byte."""

    data: bytes
    code: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence(Step):
    """Nothing at all (`head`: after the head of a stream) for `seconds`, or until the client goes."""

    seconds: float = 60.0
    head: bool = False


AnyStep = Piece | Turn | Status | Raw | Silence


def from_json(steps: list[dict[str, Any]]) -> Iterator[AnyStep]:
    """Steps written as JSON: one key names the step, the others are its fields and options.

    `{"say": "hi", "chunk": 2}`, `{"calls": [["Read", {"path": "x"}]], "text": "..."}`, `{"think": "..."}`,
    `{"turn": [...]}`, `{"status": 429}`, `{"silence": 5}`, `{"huge": 1000000}`, `{"raw": "data: ..."}`, and
    `{"loop": 3, "steps": [...]}`, endless when the number is negative.
    """
    for step in steps:
        if "loop" in step:
            left = step["loop"]
            while left:
                left -= 1
                yield from from_json(step["steps"])
        else:
            yield _from_json(step)


def _from_json(step: dict[str, Any]) -> AnyStep:
    name, *_ = step
    value = step[name]
    rest: dict[str, Any] = {key: other for key, other in step.items() if key != name}
    if rest.get("usage"):
        rest["usage"] = tuple(rest["usage"])
    match name:
        case "calls":
            return Calls(*((tool, arguments) for tool, arguments in value), **rest)
        case "turn":
            pieces = [_from_json(piece) for piece in value]
            return Turn(*(piece for piece in pieces if isinstance(piece, Piece)), **rest)
        case "raw":
            return Raw(value.encode(), **rest)
    kinds: dict[str, Any] = {"say": Say, "think": Think, "status": Status, "silence": Silence, "huge": Huge}
    made: AnyStep = kinds[name](value, **rest)
    return made
