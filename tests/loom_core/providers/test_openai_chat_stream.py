import json
from typing import Any

import msgspec
import pytest

from loom_core.errors import BadResponse, ContextTooLong, ProviderError, ProviderUnavailable, RateLimited
from loom_core.messages import Opaque, Text, Thinking, ToolCall, Usage
from loom_core.providers.base import Delta, Reply
from loom_core.providers.openai_chat_stream import ChatAssembler
from loom_core.providers.service import Service
from loom_core.providers.sse import EventDecoder
from tests.support.asking import assistant, request

SERVICE = Service(name="compatible", base_url="http://127.0.0.1:1/v1")
ORIGIN = "compatible:m"


def chunk(delta: Any = None, finish: Any = None, **fields: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields})


def call(arguments: Any = None, **fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name",) if name in fields}
    return {**fields, "function": {**function, "arguments": arguments}}


def calls(*fragments: dict[str, Any]) -> str:
    return chunk({"tool_calls": list(fragments)})


STOP = chunk({}, "stop")
DONE = "data: [DONE]"


def assemble(*events: str, taken: tuple[str, ...] = ()) -> tuple[list[Delta], Reply]:
    history = assistant(*(ToolCall(id=call_id, name="t", arguments={}) for call_id in taken))
    assembler = ChatAssembler(SERVICE, request(history))
    decoder = EventDecoder()
    stream = decoder.feed("\n\n".join([*events, ""]).encode())
    shown = [delta for event in stream for delta in assembler.feed(event)]
    return shown, assembler.reply()


def made(*events: str) -> list[tuple[str, Any]]:
    """Names and arguments of the calls, or their invalid text."""
    _, reply = assemble(*events, STOP, DONE)
    return [
        (part.name, part.arguments if part.invalid is None else part.invalid)
        for part in reply.parts
        if isinstance(part, ToolCall)
    ]


def test_text_is_shown_as_it_comes_and_joined() -> None:
    shown, reply = assemble(
        chunk({"role": "assistant", "content": None}), chunk({"content": "a"}), chunk({"content": "b"}), STOP, DONE
    )
    assert shown == [Delta(kind="text", text="a"), Delta(kind="text", text="b")]
    assert reply == Reply(parts=(Text(text="ab"),), usage=Usage(), stop="end")


A, B = {"a": 1}, {"b": 2}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [
                calls(call("", index=0, id="x", name="f"), call("", index=1, id="y", name="g")),
                calls(call('{"a"', index=0)),
                calls(call('{"b"', index=1)),
                calls(call(":1}", index=0)),
                calls(call(":2}", index=1)),
            ],
            [("f", A), ("g", B)],
            id="parallel, interleaved by index",
        ),
        pytest.param(
            [calls(call('{"a":1}', index=0, id="x", name="f")), calls(call('{"b":2}', index=2, id="y", name="g"))],
            [("f", A), ("g", B)],
            id="a gap in the indices",
        ),
        pytest.param(
            [calls(call("", id="x", name="f")), calls(call('{"a":')), calls(call("1}"))],
            [("f", A)],
            id="no index",
        ),
        pytest.param(
            [calls(call('{"a":1}', id="x", name="f")), calls(call('{"b":2}', id="y", name="g"))],
            [("f", A), ("g", B)],
            id="no index, new id",
        ),
        pytest.param(
            [calls(call('{"a":1}', name="f")), calls(call('{"b":2}', name="g"))],
            [("f", A), ("g", B)],
            id="neither index nor id",
        ),
        pytest.param(
            [calls(call('{"a":1}', index=0, id="x", name="f")), calls(call('{"b":2}', index=0, id="y", name="g"))],
            [("f", A), ("g", B)],
            id="same index, new id",
        ),
        pytest.param(
            [calls(call('{"a":1}', index=0, id="", name="f")), calls(call('{"b":2}', index=0, id="", name="g"))],
            [("f", A), ("g", B)],
            id="same index, no ids, another name",
        ),
        pytest.param(
            [calls(call("", index=0, name="f")), calls(call('{"a":1}', index=0, id="x"))],
            [("f", A)],
            id="the id comes second",
        ),
        pytest.param(
            [calls(call("", index=0, id="x")), calls(call('{"a":1}', index=0, name="f"))],
            [("f", A)],
            id="the name comes second",
        ),
        pytest.param(
            [
                calls(call("", index=0, id="x", name="fo")),
                calls(call("", index=0, name="o")),
                calls(call('{"a":1}', index=0)),
            ],
            [("foo", A)],
            id="the name in two pieces",
        ),
        pytest.param(
            [
                calls(call("", index=0, id="x", name="f")),
                calls(call('{"a"', index=0, name="f")),
                calls(call(":1}", index=0, name="f")),
            ],
            [("f", A)],
            id="the name in each piece",
        ),
        pytest.param(
            [
                calls(call("", index=0, id="x", name="f")),
                calls(call('{"a"', index=0, name="")),
                calls(call(":1}", index=0, name=None)),
            ],
            [("f", A)],
            id="empty names in later pieces",
        ),
        pytest.param([calls(call("", index=0, id="x", name="f"))], [("f", {})], id="arguments empty"),
        pytest.param([calls(call("{}", index=0, id="x", name="f"))], [("f", {})], id="arguments {}"),
        pytest.param([calls(call("null", index=0, id="x", name="f"))], [("f", {})], id="arguments null text"),
        pytest.param([calls(call(None, index=0, id="x", name="f"))], [("f", {})], id="arguments null"),
        pytest.param([calls(call(A, index=0, id="x", name="f"))], [("f", A)], id="arguments an object"),
        pytest.param([calls(call(json.dumps('{"a":1}'), index=0, id="x", name="f"))], [("f", A)], id="encoded twice"),
        pytest.param([calls(call('{"a":', index=0, id="x", name="f"))], [("f", '{"a":')], id="arguments incomplete"),
        pytest.param([calls(call("[1]", index=0, id="x", name="f"))], [("f", "[1]")], id="arguments no object"),
        pytest.param(
            [chunk({}, "tool_calls"), calls(call('{"a":1}', index=0, id="x", name="f"))],
            [("f", A)],
            id="after the finish reason",
        ),
        pytest.param(
            [
                chunk({"function_call": {"name": "f", "arguments": '{"a"'}}),
                chunk({"function_call": {"arguments": ":1}"}}),
            ],
            [("f", A)],
            id="the older form",
        ),
        pytest.param(
            [calls(call('{"a":1}', index=0, id="x", name="f")), DONE, calls(call("junk", index=0))],
            [("f", A)],
            id="after the end",
        ),
    ],
)
def test_calls_are_assembled(events: list[str], expected: list[tuple[str, Any]]) -> None:
    assert made(*events) == expected


def test_arguments_survive_a_cut_at_every_character() -> None:
    arguments = json.dumps({"text": 'ü \\u00e9 🧵 " \\'}, ensure_ascii=True)
    for at in range(len(arguments)):
        first, second = call(arguments[:at], index=0, id="x", name="f"), call(arguments[at:], index=0)
        assert made(calls(first), calls(second)) == [("f", json.loads(arguments))]


def test_a_surrogate_pair_in_two_events_is_joined() -> None:
    shown, reply = assemble(
        'data: {"choices":[{"delta":{"content":"\\ud83e"}}]}',
        'data: {"choices":[{"delta":{"content":"\\uddf5"}}]}',
        STOP,
        DONE,
    )
    assert reply.parts == (Text(text="🧵"),)
    assert all(delta.text.encode() for delta in shown)


def test_lone_halves_of_characters_are_replaced_everywhere() -> None:
    half = "\\ud83e"
    function = f'{{"name":"f{half}","arguments":"{half}"}}'
    fragment = f'{{"index":0,"id":"x{half}","function":{function}}}'
    delta = f'{{"content":"a{half}","reasoning_details":[{{"text":"b{half}"}}],"tool_calls":[{fragment}]}}'
    _, reply = assemble(f'data: {{"choices":[{{"delta":{delta}}}]}}', STOP)
    assert "\ufffd" in msgspec.json.encode(reply).decode()


def test_missing_and_used_ids_are_replaced() -> None:
    both = calls(
        call("", index=0, id="call_1", name="f"), call("", index=1, name="g"), call("", index=2, id="new", name="h")
    )
    _, reply = assemble(both, STOP, DONE, taken=("call_1",))
    first, second, third = (part.id for part in reply.parts if isinstance(part, ToolCall))
    assert third == "new"
    assert len({"call_1", "", first, second, third}) == 5


def test_parts_keep_their_order() -> None:
    _, reply = assemble(
        chunk({"reasoning": "hm"}),
        chunk({"content": "first"}),
        calls(call("", index=0, id="x", name="f")),
        chunk({"content": "then"}),
        chunk({"reasoning": "so"}),
        STOP,
        DONE,
    )
    assert reply.parts == (
        Thinking(text="hm", origin=ORIGIN),
        Text(text="first"),
        ToolCall(id="x", name="f", arguments={}),
        Text(text="then"),
        Thinking(text="so", origin=ORIGIN),
    )


def test_reasoning_content_goes_back_with_calls_only() -> None:
    _, answer = assemble(
        chunk({"reasoning_content": "h"}), chunk({"reasoning_content": "m"}), chunk({"content": "a"}), STOP
    )
    assert answer.parts == (Thinking(text="hm", origin=ORIGIN), Text(text="a"))
    _, turn = assemble(chunk({"reasoning_content": "hm"}), calls(call("", index=0, id="x", name="f")), STOP)
    assert turn.parts[-1] == Opaque(origin=ORIGIN, data={"reasoning_content": "hm"})


def test_reasoning_details_are_joined_and_go_back() -> None:
    def detail(**fields: Any) -> str:
        return chunk(
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, **fields}], "reasoning": fields.get("text")}
        )

    _, reply = assemble(detail(text="so ", format="f"), detail(text="then"), detail(signature="sealed"), STOP)
    details = [{"type": "reasoning.text", "index": 0, "text": "so then", "format": "f", "signature": "sealed"}]
    assert reply.parts == (
        Thinking(text="so then", origin=ORIGIN),
        Opaque(origin=ORIGIN, data={"reasoning_details": details}),
    )


def test_content_as_a_list_of_typed_pieces() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    _, reply = assemble(chunk({"content": [thinking]}), chunk({"content": [{"type": "text", "text": "a"}]}), STOP)
    assert reply.parts == (Thinking(text="hm", origin=ORIGIN), Text(text="a"))


@pytest.mark.parametrize(
    ("events", "stop"),
    [
        pytest.param([chunk({"content": "a"}, "stop"), DONE], "end", id="stop"),
        pytest.param([chunk({"content": "a"}, "length"), DONE], "max_tokens", id="length"),
        pytest.param([chunk({"content": "a"}, "content_filter")], "refusal", id="filtered"),
        pytest.param([chunk({"refusal": "I cannot"}), STOP], "refusal", id="refusal"),
        pytest.param([chunk({"content": "a"}, "abort")], "abort", id="the service's own word"),
        pytest.param([calls(call("", index=0, id="x", name="f")), STOP], "tool_calls", id="stop, with calls"),
        pytest.param(
            [calls(call("", index=0, id="x", name="f")), chunk({}, "function_call")], "tool_calls", id="older word"
        ),
        pytest.param([chunk({}, "stop"), chunk({"content": ""}, None), DONE], "end", id="null after it"),
        pytest.param([chunk({}, "stop"), chunk({}, "stop"), DONE], "end", id="twice"),
        pytest.param([STOP], "end", id="without content"),
        pytest.param([STOP], "end", id="end marker missing"),
        pytest.param([chunk({"content": "a"}), DONE], "end", id="finish reason missing"),
    ],
)
def test_stop_reasons(events: list[str], stop: str) -> None:
    assert assemble(*events)[1].stop == stop


def test_a_call_cut_off_before_its_arguments_does_not_run_as_one_without() -> None:
    whole, cut = call('{"a":1}', index=0, id="x", name="f"), call("", index=1, id="y", name="g")
    _, reply = assemble(calls(whole, cut), chunk({}, "length"), DONE)
    assert [part.invalid is None for part in reply.parts if isinstance(part, ToolCall)] == [True, False]


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        pytest.param([STOP, DONE], Usage(), id="none"),
        pytest.param(
            [STOP, "data: " + json.dumps({"choices": [], "usage": USAGE}), DONE],
            Usage(input_tokens=10, output_tokens=5, cached_tokens=4),
            id="at the end",
        ),
        pytest.param(
            [
                chunk({"content": "a"}, usage={"prompt_tokens": 9, "completion_tokens": 1}),
                chunk({}, "stop", usage=USAGE),
                chunk({}, usage=None),
                DONE,
            ],
            Usage(input_tokens=10, output_tokens=5, cached_tokens=4),
            id="the last one counts, null says nothing",
        ),
        pytest.param(
            [chunk({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 2, "prompt_cache_hit_tokens": 1})],
            Usage(input_tokens=3, output_tokens=2, cached_tokens=1),
            id="DeepSeek's name for cached",
        ),
        pytest.param(
            [chunk({}, "stop", usage={"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}})],
            Usage(output_tokens=9, reasoning_tokens=7),
            id="reasoning",
        ),
        pytest.param([chunk({}, "stop", usage={"prompt_tokens": "many"})], Usage(), id="nonsense"),
    ],
)
def test_usage(events: list[str], usage: Usage) -> None:
    assert assemble(*events)[1].usage == usage


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param('data: {"choices": []}', id="no choices"),
        pytest.param('data: {"choices": null}', id="choices null"),
        pytest.param("data: {}", id="choices missing"),
        pytest.param('data: {"choices": [{"index": 0}]}', id="delta missing"),
        pytest.param(chunk(None), id="delta null"),
        pytest.param(
            chunk({"unknown": 1, "tool_calls": None, "content": None}, x_groq={}, obfuscation="xx"), id="unknown fields"
        ),
        pytest.param("event: new.kind\ndata: {}", id="unknown event"),
        pytest.param("data:", id="empty data"),
        pytest.param(": keep-alive\n\n" * 1000, id="comments"),
    ],
)
def test_noise_changes_nothing(noise: str) -> None:
    assert assemble(noise, chunk({"content": "a"}), noise, STOP, noise, DONE)[1].parts == (Text(text="a"),)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        pytest.param([], "truncated_stream", id="nothing"),
        pytest.param([chunk({"content": "half"})], "truncated_stream", id="text"),
        pytest.param([calls(call("{}", index=0, id="x", name="f"))], "truncated_stream", id="call"),
        pytest.param([chunk({"content": "a"}), 'data: {"choi'], "protocol", id="bad JSON"),
        pytest.param([chunk({"content": "a"}), "data: 7"], "protocol", id="no object"),
    ],
)
def test_broken_streams_are_errors(events: list[str], kind: str) -> None:
    with pytest.raises(BadResponse) as caught:
        assemble(*events)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("event", "error", "kind"),
    [
        pytest.param('data: {"error": {"message": "slow down", "code": 429}}', RateLimited, "rate_limit", id="object"),
        pytest.param('data: {"error": "out of memory"}', ProviderUnavailable, "server", id="text"),
        pytest.param('data: [{"error": {"code": 503, "message": "x"}}]', ProviderUnavailable, "overloaded", id="list"),
        pytest.param('event: error\ndata: {"message": "x"}', ProviderUnavailable, "server", id="by the event's name"),
        pytest.param('data: {"type": "error", "message": "x"}', ProviderUnavailable, "server", id="by its type"),
        pytest.param(
            'data: {"error": {"code": 400, "message": "too long", "type": "exceed_context_size_error"}}',
            ContextTooLong,
            "context_overflow",
            id="overflow",
        ),
        pytest.param(
            'data: {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "x"}}]}',
            ProviderUnavailable,
            "server",
            id="in the choice",
        ),
    ],
)
def test_errors_in_the_middle_are_typed(event: str, error: type[ProviderError], kind: str) -> None:
    with pytest.raises(error) as caught:
        assemble(chunk({"content": "half"}), event, DONE)
    assert caught.value.kind == kind
