"""OpenAI chat completions: the answer, put together from its chunks.

The grammar is OpenAI's; the tolerances are for servers that imitate it. Each stands beside the server seen to need it.
"""

import json
from collections.abc import Iterable, Iterator

from loom_core.errors import BadResponse
from loom_core.messages import JSON, Opaque, Part, Text, Thinking, ToolCall, Usage
from loom_core.providers import classify
from loom_core.providers.assembly import count, cut_off, decode, mend, mend_all, unique
from loom_core.providers.base import Delta, ModelRequest, Reply, parse_arguments
from loom_core.providers.service import Service
from loom_core.providers.sse import ServerSentEvent

_STOP = {
    "stop": "end",
    "length": "max_tokens",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refusal",
}


class _Words:
    """Text or reasoning that is still growing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []


class _Call:
    """A tool call that is still growing."""

    def __init__(self, index: JSON, call_id: str) -> None:
        self.index = index
        self.id = call_id
        self.name = ""
        self.arguments: list[str] = []


class ChatAssembler:
    """Assembles one answer. Tool calls are told apart by index and id, never by the order they arrive in."""

    def __init__(self, service: Service, request: ModelRequest) -> None:
        self._service = service
        self._origin = f"{service.name}:{request.model}"
        self._taken = {call.id for message in request.messages for call in message.calls}
        self._blocks: list[_Words | _Call] = []
        self._calls: list[_Call] = []
        self._details: list[JSON] = []
        self._reasoning: list[str] = []
        """What came as `reasoning_content`; what came as `reasoning` no service wants back."""
        self._usage = Usage()
        self._finish = ""
        self._refused = False
        self._done = False

    @property
    def finished(self) -> bool:
        """Whether `[DONE]` was seen."""
        return self._done

    def feed(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Take one event and return what of it is to be shown."""
        if self._done or not event.data:
            return ()
        if event.data.strip() == "[DONE]":
            self._done = True
            return ()
        chunk = decode(self._service, event)
        if event.event == "error" or classify.has_error(chunk):
            raise classify.from_payload(self._service, chunk)
        if not isinstance(chunk, dict):
            raise BadResponse(f"a chunk of the answer is {type(chunk).__name__}, not an object")
        if isinstance(chunk.get("usage"), dict):
            self._usage = _usage(chunk["usage"])
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return ()
        if classify.has_error(choice):  # OpenRouter, when the provider behind it fails in between
            raise classify.from_payload(self._service, choice)
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:  # null may follow it (OpenRouter)
            self._finish = finish
        delta = choice.get("delta")
        return self._delta(delta) if isinstance(delta, dict) else ()

    def reply(self) -> Reply:
        """The whole turn. `BadResponse` when neither `[DONE]` nor a finish reason was seen."""
        if not self._done and not self._finish:
            raise BadResponse("the answer ends before its end marker", kind="truncated_stream")
        cut = self._blocks[-1] if self._blocks and self._finish == "length" else None
        parts = [self._part(block, cut=block is cut) for block in self._blocks]
        parts += self._returned()
        stop = _STOP.get(self._finish, self._finish or "end")
        if self._refused:
            stop = "refusal"
        elif stop == "end" and self._calls:  # Ollama and Gemini's compatible route say stop
            stop = "tool_calls"
        return Reply(parts=tuple(parts), usage=self._usage, stop=stop)

    def _delta(self, delta: dict[str, JSON]) -> list[Delta]:
        shown: list[Delta] = []
        thought = delta.get("reasoning_content")
        if thought and isinstance(thought, str):
            self._reasoning.append(thought)
        else:
            thought = delta.get("reasoning")
        if isinstance(thought, str):
            self._say("thinking", thought, shown)
        details = delta.get("reasoning_details")
        if isinstance(details, list):
            self._add_details(details)
        for kind, text in _content(delta.get("content")):
            self._say(kind, text, shown)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refused = True
            self._say("text", refusal, shown)
        fragments = delta.get("tool_calls")
        if isinstance(delta.get("function_call"), dict):  # the form before tool_calls
            fragments = [{"index": 0, "function": delta["function_call"]}]
        for fragment in fragments if isinstance(fragments, list) else ():
            if isinstance(fragment, dict):
                self._fragment(fragment, shown)
        return shown

    def _say(self, kind: str, text: str, shown: list[Delta]) -> None:
        if not text:
            return
        block = self._blocks[-1] if self._blocks else None
        if not isinstance(block, _Words) or block.kind != kind:
            block = _Words(kind)
            self._blocks.append(block)
        block.pieces.append(text)
        shown.append(Delta(kind="thinking" if kind == "thinking" else "text", text=mend(text)))

    def _fragment(self, fragment: dict[str, JSON], shown: list[Delta]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
        call = self._call(fragment.get("index"), fragment.get("id"), name)
        if not call.arguments and name != call.name:  # a name split in two; one repeated whole stays itself
            call.name += name
        if text:
            call.arguments.append(text)
            shown.append(Delta(kind="tool", text=mend(text)))

    def _call(self, index: JSON, call_id: JSON, name: str) -> _Call:
        """The call a fragment belongs to, which may be a new one."""
        call_id = call_id if isinstance(call_id, str) else ""
        known = [call for call in self._calls if index is None or call.index == index]
        if known:
            call = known[-1]
            another = call_id != call.id if call_id and call.id else bool(name) and _whole(call.arguments)
            if not another:
                call.id = call.id or call_id
                return call
        call = _Call(index, call_id)
        self._calls.append(call)
        self._blocks.append(call)
        return call

    def _part(self, block: _Words | _Call, *, cut: bool) -> Part:
        if isinstance(block, _Words):
            text = mend("".join(block.pieces))
            return Thinking(text=text, origin=self._origin) if block.kind == "thinking" else Text(text=text)
        arguments, invalid = parse_arguments(mend("".join(block.arguments)))
        invalid = cut_off(arguments, invalid) if cut else invalid
        return ToolCall(id=unique(block.id, self._taken), name=mend(block.name), arguments=arguments, invalid=invalid)

    def _returned(self) -> Iterator[Part]:
        """Fields of the message that go back with it, for the services that demand their reasoning in later turns:
        OpenRouter any (https://openrouter.ai/docs/use-cases/reasoning-tokens), DeepSeek and Kimi where it has calls.
        """
        if self._details:
            yield Opaque(origin=self._origin, data={"reasoning_details": mend_all(self._details)})
        elif self._calls and self._reasoning:
            yield Opaque(origin=self._origin, data={"reasoning_content": mend("".join(self._reasoning))})

    def _add_details(self, details: list[JSON]) -> None:
        """OpenRouter's reasoning, to be sent back unchanged: the pieces of one entry are joined, their order kept."""
        for piece in details:
            last = self._details[-1] if self._details else None
            if not isinstance(piece, dict):
                continue
            if last is None or any(last.get(key) != piece.get(key) for key in ("type", "index")):
                self._details.append(dict(piece))
                continue
            for key, value in piece.items():
                grows = key in ("text", "summary", "data") and isinstance(last.get(key), str)
                last[key] = last[key] + value if grows and isinstance(value, str) else value or last.get(key)


def _content(content: JSON) -> Iterator[tuple[str, str]]:
    """Pairs of kind and text. Mistral sends a list: `{type: thinking, thinking: [{type: text, text}]}` and text."""
    if isinstance(content, str):
        yield "text", content
    for item in content if isinstance(content, list) else ():
        if not isinstance(item, dict):
            continue
        inner = item.get("thinking")
        if isinstance(inner, list):
            yield from (("thinking", text) for _, text in _content(inner))
        elif isinstance(item.get("text"), str):
            yield "text", item["text"]


def _whole(arguments: list[str]) -> bool:
    """Whether arguments are complete, so that another name is another call (Gemini's route gives all index 0)."""
    text = "".join(arguments)
    return bool(text) and parse_arguments(text)[1] is None


def _usage(usage: dict[str, JSON]) -> Usage:
    prompt = usage.get("prompt_tokens_details")
    prompt = prompt if isinstance(prompt, dict) else {}
    completion = usage.get("completion_tokens_details")
    completion = completion if isinstance(completion, dict) else {}
    cached = prompt.get("cached_tokens")
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        cached_tokens=count(usage.get("prompt_cache_hit_tokens") if cached is None else cached),  # DeepSeek's name
        cache_write_tokens=count(prompt.get("cache_write_tokens")),
        reasoning_tokens=count(completion.get("reasoning_tokens")),
    )
