"""Anthropic messages: the answer, put together from its events."""

from collections.abc import Iterable, Mapping
from typing import Literal

from loom_core.errors import BadResponse
from loom_core.messages import JSON, Opaque, Part, Text, Thinking, ToolCall, Usage
from loom_core.providers import classify
from loom_core.providers.assembly import count, cut_off, decode, mend, mend_all, unique
from loom_core.providers.base import Delta, ModelRequest, Reply, parse_arguments
from loom_core.providers.service import Service
from loom_core.providers.sse import ServerSentEvent

_STOP = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tool_calls",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "pause_turn": "pause",
    "refusal": "refusal",
}


_SHOWN: Mapping[str, Literal["text", "thinking", "tool"]] = {
    "text": "text",
    "thinking": "thinking",
    "partial_json": "tool",
}


class _Block:
    """A content block that is still growing: its start, and the pieces of each field that its deltas add to."""

    def __init__(self, start: dict[str, JSON]) -> None:
        self.start = start
        self.pieces: dict[str, list[str]] = {}

    def add(self, name: str, text: str) -> None:
        self.pieces.setdefault(name, []).append(text)

    def text(self, name: str) -> str:
        first = self.start.get(name)
        return mend((first if isinstance(first, str) else "") + "".join(self.pieces.get(name, ())))


class MessagesAssembler:
    """Assembles one answer. Blocks are told apart by their index; unknown ones are kept as they came."""

    def __init__(self, service: Service, request: ModelRequest) -> None:
        self._service = service
        self._origin = f"{service.name}:{request.model}"
        self._taken = {call.id for message in request.messages for call in message.calls}
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, JSON] = {}
        self._stop = ""
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether `message_stop` was seen."""
        return self._finished

    def feed(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Take one event and return what of it is to be shown."""
        if self._finished or not event.data.strip():
            return ()
        data = decode(self._service, event)
        if event.event == "error" or classify.has_error(data):
            raise classify.from_payload(self._service, data)
        if not isinstance(data, dict):
            raise BadResponse(f"an event of the answer is {type(data).__name__}, not an object")
        match data.get("type", event.event):
            case "message_start":
                self._add_usage(data.get("message"))
            case "content_block_start":
                return self._start(data)
            case "content_block_delta":
                return self._delta(data)
            case "message_delta":
                self._add_usage(data)
                delta = data.get("delta")
                reason = delta.get("stop_reason") if isinstance(delta, dict) else None
                self._stop = reason if isinstance(reason, str) else self._stop
            case "message_stop":
                self._finished = True
        return ()

    def reply(self) -> Reply:
        """The whole turn. `BadResponse` when `message_stop` was not seen."""
        if not self._finished:
            raise BadResponse("the answer ends before its end marker", kind="truncated_stream")
        stop = _STOP.get(self._stop, self._stop or "end")
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        parts = tuple(self._part(block, cut=stop == "max_tokens" and block is blocks[-1]) for block in blocks)
        if stop == "end" and any(isinstance(part, ToolCall) for part in parts):
            stop = "tool_calls"
        return Reply(parts=parts, usage=_usage(self._usage), stop=stop)

    def _start(self, data: dict[str, JSON]) -> Iterable[Delta]:
        start = data.get("content_block")
        if not isinstance(start, dict):
            raise BadResponse("a block of the answer has no content")
        block = self._blocks[_index(data)] = _Block(start)
        kind = start.get("type")
        shown = block.text(kind) if kind in ("text", "thinking") else ""
        return (Delta(kind="thinking" if kind == "thinking" else "text", text=shown),) if shown else ()

    def _delta(self, data: dict[str, JSON]) -> Iterable[Delta]:
        block, delta = self._blocks.get(_index(data)), data.get("delta")
        if block is None or not isinstance(delta, dict):
            raise BadResponse("the answer adds to a block it did not begin")
        own = block.start.get("type")
        shown: list[Delta] = []
        for name, value in delta.items():
            if name == "type" or value is None:
                continue
            if not isinstance(value, str):
                block.start[name] = value  # matters to blocks that are kept whole; of text, citations are lost
                continue
            block.add(name, value)
            if value and name in _SHOWN and own in ("text", "thinking", "tool_use"):
                shown.append(Delta(kind=_SHOWN[name], text=mend(value)))
        return shown

    def _part(self, block: _Block, *, cut: bool) -> Part:
        match block.start.get("type"):
            case "text":
                return Text(text=block.text("text"))
            case "thinking":
                signature = block.text("signature")
                return Thinking(text=block.text("thinking"), origin=self._origin, signature=signature or None)
            case "redacted_thinking":
                return Thinking(text="", origin=self._origin, redacted=block.text("data"))
            case "tool_use":
                return self._call(block, cut=cut)
        data = mend_all(block.start)
        for name in block.pieces:
            if name == "partial_json":
                data["input"], _ = parse_arguments(block.text(name))
            else:
                data[name] = block.text(name)
        return Opaque(origin=self._origin, data=data)

    def _call(self, block: _Block, *, cut: bool) -> ToolCall:
        arguments, invalid = parse_arguments(block.text("partial_json"))
        started = block.start.get("input")
        if not arguments and invalid is None and isinstance(started, dict):
            arguments = started
        call_id, name = block.text("id"), block.text("name")
        invalid = cut_off(arguments, invalid) if cut else invalid
        return ToolCall(id=unique(call_id, self._taken), name=name, arguments=arguments, invalid=invalid)

    def _add_usage(self, holder: JSON) -> None:
        usage = holder.get("usage") if isinstance(holder, dict) else None
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}


def _index(data: dict[str, JSON]) -> int:
    index = data.get("index")
    if not isinstance(index, int):
        raise BadResponse("an event of the answer does not say which block it is about")
    return index


def _usage(usage: dict[str, JSON]) -> Usage:
    """The service counts what it read from and wrote to its cache apart from `input_tokens`; here they are in it."""
    fresh = count(usage.get("input_tokens"))
    cached = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (cached or 0) + (written or 0),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
    )
