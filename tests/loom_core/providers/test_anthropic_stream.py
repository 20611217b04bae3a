import json
from typing import Any

import pytest

from loom_core.errors import BadResponse, ContextTooLong, ProviderError, ProviderUnavailable
from loom_core.messages import Opaque, Text, Thinking, ToolCall, Usage
from loom_core.providers.anthropic_stream import MessagesAssembler
from loom_core.providers.base import Delta, Reply
from loom_core.providers.service import Service
from loom_core.providers.sse import EventDecoder
from tests.support.asking import assistant, request

SERVICE = Service(name="anthropic", base_url="http://127.0.0.1:1")
ORIGIN = "anthropic:m"


def event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}"


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[str]:
    return [
        event("content_block_start", index=index, content_block=start),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def text(index: int, *pieces: str) -> list[str]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def tool(index: int, *pieces: str, **start: Any) -> list[str]:
    begun = {"type": "tool_use", "id": f"toolu_{index}", "name": "f", "input": {}, **start}
    return block(index, begun, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


def end(reason: str = "end_turn", **usage: Any) -> list[str]:
    return [event("message_delta", delta={"stop_reason": reason}, usage=usage), event("message_stop")]


START = event("message_start", message={"id": "msg_1", "usage": {"input_tokens": 3, "output_tokens": 1}})
PING = event("ping")


def assemble(*events: str, taken: tuple[str, ...] = ()) -> tuple[list[Delta], Reply]:
    history = assistant(*(ToolCall(id=call_id, name="t", arguments={}) for call_id in taken))
    assembler = MessagesAssembler(SERVICE, request(history))
    stream = EventDecoder().feed("\n\n".join([*events, ""]).encode())
    shown = [delta for event in stream for delta in assembler.feed(event)]
    return shown, assembler.reply()


def test_text_is_shown_as_it_comes_and_joined() -> None:
    shown, reply = assemble(START, PING, *text(0, "a", "b"), *end())
    assert shown == [Delta(kind="text", text="a"), Delta(kind="text", text="b")]
    assert (reply.parts, reply.stop) == ((Text(text="ab"),), "end")


def test_blocks_keep_their_order_and_thinking_its_seal() -> None:
    thinking = block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "h"},
        {"type": "thinking_delta", "thinking": "m"},
        {"type": "signature_delta", "signature": "c2VhbGVk=="},
    )
    hidden = block(1, {"type": "redacted_thinking", "data": "ZW5j"})
    shown, reply = assemble(START, *thinking, *hidden, *text(2, "a"), *tool(3, "", '{"x":', "1}"), *end("tool_use"))
    assert reply.parts == (
        Thinking(text="hm", origin=ORIGIN, signature="c2VhbGVk=="),
        Thinking(text="", origin=ORIGIN, redacted="ZW5j"),
        Text(text="a"),
        ToolCall(id="toolu_3", name="f", arguments={"x": 1}),
    )
    assert [delta.kind for delta in shown] == ["thinking", "thinking", "text", "tool", "tool"]


@pytest.mark.parametrize(
    ("events", "arguments", "invalid"),
    [
        pytest.param(tool(0), {}, None, id="no delta"),
        pytest.param(tool(0, ""), {}, None, id="empty delta"),
        pytest.param(tool(0, "{}"), {}, None, id="empty object"),
        pytest.param(tool(0, input={"a": 1}), {"a": 1}, None, id="whole at the start"),
        pytest.param(tool(0, '{"a"', ": 1}", caller={"type": "direct"}), {"a": 1}, None, id="unknown field"),
        pytest.param(tool(0, '{"a"'), {}, '{"a"', id="incomplete"),
    ],
)
def test_arguments(events: list[str], arguments: dict[str, Any], invalid: str | None) -> None:
    _, reply = assemble(START, *events, *end("tool_use"))
    assert reply.parts == (ToolCall(id="toolu_0", name="f", arguments=arguments, invalid=invalid),)


def test_a_call_cut_off_before_its_arguments_does_not_run_as_one_without() -> None:
    _, reply = assemble(START, *tool(0), *tool(1, ""), *end("max_tokens"))
    assert [part.invalid is None for part in reply.parts if isinstance(part, ToolCall)] == [True, False]


def test_used_ids_are_replaced() -> None:
    _, reply = assemble(START, *tool(0), *tool(1, id="toolu_0"), *end("tool_use"), taken=("toolu_0",))
    assert len({"toolu_0", *(part.id for part in reply.parts if isinstance(part, ToolCall))}) == 3


def test_unknown_blocks_are_kept_whole() -> None:
    search = block(
        0,
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"query":'},
        {"type": "input_json_delta", "partial_json": '"x"}'},
    )
    found = block(
        1, {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"encrypted_content": "E"}]}
    )
    compacted = block(2, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "summary"})
    shown, reply = assemble(START, *search, *found, *compacted, *end("pause_turn"))
    assert shown == []
    assert reply.stop == "pause"
    assert reply.parts == (
        Opaque(
            origin=ORIGIN,
            data={"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
        ),
        Opaque(
            origin=ORIGIN,
            data={"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"encrypted_content": "E"}]},
        ),
        Opaque(origin=ORIGIN, data={"type": "compaction", "content": "summary"}),
    )


def test_citations_do_not_disturb_the_text() -> None:
    cited = block(
        0,
        {"type": "text", "text": ""},
        {"type": "text_delta", "text": "a"},
        {"type": "citations_delta", "citation": {"url": "https://example.org"}},
    )
    assert assemble(START, *cited, *end())[1].parts == (Text(text="a"),)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", "end"),
        ("stop_sequence", "end"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("compaction", "compaction"),
    ],
)
def test_stop_reasons(reason: str, stop: str) -> None:
    assert assemble(START, *text(0, "a"), *end(reason))[1].stop == stop


def test_calls_make_the_stop_reason() -> None:
    assert assemble(START, *tool(0), *end("end_turn"))[1].stop == "tool_calls"


@pytest.mark.parametrize(
    ("start", "last", "usage"),
    [
        pytest.param({}, {}, Usage(), id="none"),
        pytest.param(
            {"input_tokens": 3, "output_tokens": 1},
            {"output_tokens": 9},
            Usage(input_tokens=3, output_tokens=9),
            id="the last counts",
        ),
        pytest.param(
            {"input_tokens": 3, "cache_read_input_tokens": 1111, "cache_creation_input_tokens": 20},
            {"input_tokens": 3, "output_tokens": 9},
            Usage(input_tokens=1134, output_tokens=9, cached_tokens=1111, cache_write_tokens=20),
            id="what is cached is sent too",
        ),
        pytest.param({}, {"output_tokens": 4}, Usage(output_tokens=4), id="output only"),
    ],
)
def test_usage(start: dict[str, int], last: dict[str, Any], usage: Usage) -> None:
    begun = event("message_start", message={"usage": start})
    assert assemble(begun, *text(0, "a"), *end(**last))[1].usage == usage


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(PING, id="ping"),
        pytest.param(event("new_event", index=0), id="unknown event"),
        pytest.param("data:", id="empty data"),
        pytest.param('data: {"type": "ping"}   ', id="padding, no name"),
        pytest.param(": keep-alive", id="comment"),
    ],
)
def test_noise_changes_nothing(noise: str) -> None:
    begun, grown, stopped = text(0, "a")
    assert assemble(START, noise, begun, noise, grown, noise, stopped, *end(), noise)[1].parts == (Text(text="a"),)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        pytest.param([], "truncated_stream", id="nothing"),
        pytest.param([START, *text(0, "a")], "truncated_stream", id="no end"),
        pytest.param([START, *tool(0), end("tool_use")[0]], "truncated_stream", id="stop reason, no end"),
        pytest.param([START, "data: {"], "protocol", id="bad JSON"),
        pytest.param([START, "data: []"], "protocol", id="no object"),
        pytest.param([START, text(0, "a")[1]], "protocol", id="delta of no block"),
        pytest.param([START, event("content_block_start", content_block={})], "protocol", id="block without index"),
        pytest.param([START, event("content_block_start", index=0)], "protocol", id="block without content"),
    ],
)
def test_broken_streams_are_errors(events: list[str], kind: str) -> None:
    with pytest.raises(BadResponse) as caught:
        assemble(*events)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("failure", "error", "kind"),
    [
        pytest.param(
            event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
            ProviderUnavailable,
            "overloaded",
            id="overloaded",
        ),
        pytest.param(
            'data: {"error": {"code": 400, "message": "x", "type": "exceed_context_size_error"}}',
            ContextTooLong,
            "context_overflow",
            id="in the other format's shape",
        ),
    ],
)
def test_errors_in_the_middle_are_typed(failure: str, error: type[ProviderError], kind: str) -> None:
    with pytest.raises(error) as caught:
        assemble(START, *text(0, "half"), failure, *end())
    assert caught.value.kind == kind
