"""The scripted LLM server's two wire formats: OpenAI chat completions and Anthropic messages."""

import itertools
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from tests.support.llm_steps import BadJSON, Calls, Hold, Huge, Piece, Say, Think, Turn

Item = bytes | threading.Event
"""A piece of a body, or something to wait for before the next."""

_numbers = itertools.count(1)


class Format(Protocol):
    """How one service would put a turn."""

    def stream(self, turn: Turn, model: str) -> Iterator[Item]:
        """The turn as server-sent events."""

    def whole(self, turn: Turn, model: str) -> dict[str, Any]:
        """The turn as one JSON object."""

    def error(self, code: int) -> dict[str, Any]:
        """An error of this status."""


def _split(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] if size else [text]


def _texts(piece: Say | Think | Huge) -> Iterator[str]:
    if not isinstance(piece, Huge):
        yield from _split(piece.text, piece.chunk)
        return
    size = piece.size if piece.single else 65536
    for left in range(piece.size, 0, -size):
        yield "x" * min(size, left)


def _arguments(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, separators=(",", ":"))


def _plain(turn: Turn) -> Iterator[Piece]:
    """The pieces of a turn, the text of calls as a piece of its own."""
    for piece in turn.pieces:
        if isinstance(piece, Calls) and piece.text:
            yield Say(piece.text, piece.chunk)
        yield piece


def _calls(turn: Turn) -> bool:
    return any(isinstance(piece, Calls) and piece.calls for piece in turn.pieces)


class ChatFormat:
    """OpenAI chat completions."""

    def stream(self, turn: Turn, model: str) -> Iterator[Item]:
        head = {"id": f"chatcmpl-{next(_numbers)}", "object": "chat.completion.chunk", "created": 0, "model": model}

        def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            return _event({**head, "choices": choices, "usage": None})

        yield event({"role": "assistant", "content": None})
        index = 0
        for piece in _plain(turn):
            match piece:
                case Say() | Huge():
                    yield from (event({"content": text}) for text in _texts(piece))
                case Think():
                    yield from (event({"reasoning_content": text}) for text in _texts(piece))
                case Calls():
                    for name, arguments in piece.calls:
                        yield from map(event, self._call(index, name, _arguments(arguments), piece.chunk))
                        index += 1
                case Hold():
                    yield piece.event
                case BadJSON():
                    yield f"data: {piece.data}\n\n".encode()
        if turn.truncate:
            return
        yield event({}, turn.stop or ("tool_calls" if index else "stop"))
        if turn.usage:
            yield _event({**head, "choices": [], "usage": self._usage(*turn.usage)})
        yield b"data: [DONE]\n\n"

    def whole(self, turn: Turn, model: str) -> dict[str, Any]:
        said = "".join(text for piece in _plain(turn) if isinstance(piece, Say | Huge) for text in _texts(piece))
        message: dict[str, Any] = {"role": "assistant", "content": said or None}
        if _calls(turn):
            message["tool_calls"] = [
                fragment
                for piece in turn.pieces
                if isinstance(piece, Calls)
                for name, arguments in piece.calls
                for delta in self._call(0, name, _arguments(arguments), 0)
                for fragment in delta["tool_calls"]
            ]
        finish = turn.stop or ("tool_calls" if _calls(turn) else "stop")
        return {
            "id": f"chatcmpl-{next(_numbers)}",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": self._usage(*turn.usage) if turn.usage else None,
        }

    def error(self, code: int) -> dict[str, Any]:
        kinds = {401: "invalid_request_error", 429: "rate_limit_exceeded", 400: "invalid_request_error"}
        error = {"message": f"scripted {code}", "type": kinds.get(code, "server_error"), "param": None, "code": None}
        return {"error": error}

    @staticmethod
    def _call(index: int, name: str, arguments: str, chunk: int) -> Iterator[dict[str, Any]]:
        first, *others = _split(arguments, chunk)
        function = {"name": name, "arguments": first}
        yield {
            "tool_calls": [{"index": index, "id": f"call_{next(_numbers)}", "type": "function", "function": function}]
        }
        for text in others:
            yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}

    @staticmethod
    def _usage(sent: int, received: int) -> dict[str, Any]:
        return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


class MessagesFormat:
    """Anthropic messages."""

    def stream(self, turn: Turn, model: str) -> Iterator[Item]:
        usage = {"input_tokens": turn.usage[0], "output_tokens": 1} if turn.usage else {}
        yield _named({"type": "message_start", "message": {**self._head(model), "content": [], "usage": usage}})
        yield _named({"type": "ping"})
        index = 0
        for piece in _plain(turn):
            match piece:
                case Hold():
                    yield piece.event
                case BadJSON():
                    yield f"event: content_block_delta\ndata: {piece.data}\n\n".encode()
                case Say() | Huge() | Think() | Calls():
                    for block, deltas in self._blocks(piece):
                        yield _named({"type": "content_block_start", "index": index, "content_block": block})
                        for delta in deltas:
                            yield _named({"type": "content_block_delta", "index": index, "delta": delta})
                        yield _named({"type": "content_block_stop", "index": index})
                        index += 1
        if turn.truncate:
            return
        reason = turn.stop or ("tool_use" if _calls(turn) else "end_turn")
        final = {"output_tokens": turn.usage[1]} if turn.usage else {}
        yield _named({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": final})
        yield _named({"type": "message_stop"})

    def whole(self, turn: Turn, model: str) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        for piece in _plain(turn):
            if isinstance(piece, Say | Huge | Think | Calls):
                for block, deltas in self._blocks(piece):
                    for delta in deltas:
                        _grow(block, delta)
                    content.append(block)
        reason = turn.stop or ("tool_use" if _calls(turn) else "end_turn")
        usage = {"input_tokens": turn.usage[0], "output_tokens": turn.usage[1]} if turn.usage else {}
        return {**self._head(model), "content": content, "stop_reason": reason, "usage": usage}

    def error(self, code: int) -> dict[str, Any]:
        kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
        error = {"type": kinds.get(code, "overloaded_error" if code == 529 else "api_error")}
        return {"type": "error", "error": {**error, "message": f"scripted {code}"}, "request_id": "req_scripted"}

    @staticmethod
    def _head(model: str) -> dict[str, Any]:
        return {"id": f"msg_{next(_numbers)}", "type": "message", "role": "assistant", "model": model}

    @staticmethod
    def _blocks(piece: Say | Huge | Think | Calls) -> Iterator[tuple[dict[str, Any], Iterable[dict[str, Any]]]]:
        match piece:
            case Say() | Huge():
                yield {"type": "text", "text": ""}, ({"type": "text_delta", "text": text} for text in _texts(piece))
            case Think():
                thoughts = ({"type": "thinking_delta", "thinking": text} for text in _texts(piece))
                seal = {"type": "signature_delta", "signature": f"sealed:{len(piece.text)}"}
                yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, seal]
            case Calls():
                for name, arguments in piece.calls:
                    texts = ["", *_split(_arguments(arguments), piece.chunk)]
                    deltas = [{"type": "input_json_delta", "partial_json": text} for text in texts]
                    yield {"type": "tool_use", "id": f"toolu_{next(_numbers)}", "name": name, "input": {}}, deltas


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "input_json_delta":
        if delta["partial_json"]:
            block["input"] = json.loads(delta["partial_json"])
        return
    key = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}[delta["type"]]
    block[key] += delta[key]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _named(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\n".encode() + _event(data)
