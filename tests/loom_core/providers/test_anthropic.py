from typing import Any

import msgspec
import pytest

from loom_core.errors import BadRequest
from loom_core.messages import Image, Message, Opaque, Text, Thinking, ToolCall, ToolResult, user
from loom_core.providers.anthropic import MessagesWire
from loom_core.providers.service import Service
from tests.support.asking import READ, assistant, request, results, without

ORIGIN = "anthropic:m"
CACHED = {"type": "ephemeral"}


def body(*messages: Message, **asked: Any) -> dict[str, Any]:
    return MessagesWire(Service(name="anthropic", base_url="http://127.0.0.1:1")).body(request(*messages, **asked))


def sent(*messages: Message) -> list[Any]:
    made: list[Any] = body(*messages)["messages"]
    return made


def test_a_plain_request() -> None:
    assert body(system="Be brief.", tools=(READ,)) == {
        "model": "m",
        "stream": True,
        "max_tokens": 8192,
        "cache_control": CACHED,
        "tools": [{"name": "Read", "description": "Read a file.", "input_schema": {"type": "object"}}],
        "system": [{"type": "text", "text": "Be brief.", "cache_control": CACHED}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


def test_the_results_of_a_message_stand_in_one_before_the_users_words() -> None:
    calls = (ToolCall(id="a", name="f", arguments={"x": 1}), ToolCall(id="b", name="g", arguments={}))
    outcome = results(
        ToolResult(call_id="a", name="f", content="1", is_error=False),
        ToolResult(call_id="b", name="g", content="no", is_error=True),
    )
    assert sent(assistant(*calls), outcome, user("go on")) == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                {"type": "text", "text": "go on"},
            ],
        },
    ]


def test_reasoning_and_unknown_blocks_go_back_to_their_maker_alone() -> None:
    opaque = {"type": "server_tool_use", "id": "s"}
    (entry,) = sent(
        assistant(
            Thinking(text="hm", origin=ORIGIN, signature="s"),
            Thinking(text="", origin=ORIGIN, redacted="r"),
            Thinking(text="no seal", origin=ORIGIN),
            Thinking(text="foreign", origin="anthropic:other", signature="s"),
            Opaque(origin=ORIGIN, data=opaque),
            Opaque(origin="compatible:m", data={"reasoning_content": "x"}),
            Text(text="a"),
        )
    )
    assert entry["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
        opaque,
        {"type": "text", "text": "a"},
    ]


def test_blank_text_and_empty_messages_are_left_out() -> None:
    assert sent(user("a"), assistant(Text(text=" \n"), Thinking(text="x", origin="b:c")), user("c")) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "c"}]}
    ]


def test_pictures() -> None:
    (entry,) = sent(Message(role="user", parts=(Image(media_type="image/png", data="aGk="),)))
    assert entry["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    ]


def test_ids_of_other_services_are_spelled_in_allowed_letters_on_both_sides() -> None:
    call = ToolCall(id="functions.Read:0", name="f", arguments={})
    made, found = sent(assistant(call), results(ToolResult(call_id=call.id, name="f", content="", is_error=False)))
    assert made["content"][0]["id"] == found["content"][0]["tool_use_id"] == "functions_Read_0"


SCHEMA = {"type": "object"}
ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "generation", "expected"),
    [
        pytest.param("m", {"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}, id="sampling"),
        pytest.param("m", {"stop": ("x",)}, {"stop_sequences": ["x"]}, id="stop"),
        pytest.param("m", {"max_output_tokens": 9}, {"max_tokens": 9}, id="limit"),
        pytest.param(
            "m",
            {"response_schema": SCHEMA},
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            id="schema",
        ),
        pytest.param(
            "m", {"extensions": {"top_k": 4, "max_tokens": 5}}, {"top_k": 4, "max_tokens": 5}, id="extensions"
        ),
        pytest.param("claude-sonnet-4-5", {"reasoning": "off"}, {}, id="off, before levels"),
        pytest.param(
            "claude-sonnet-4-5",
            {"reasoning": "low"},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 2048 + 8192},
            id="a level, before levels",
        ),
        pytest.param(
            "claude-sonnet-4-20250514",
            {"reasoning": 1024, "max_output_tokens": 2000},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
            id="a budget, dated model",
        ),
        pytest.param(
            "claude-opus-4-6",
            {"reasoning": 5000},
            {"thinking": {"type": "enabled", "budget_tokens": 5000}, "max_tokens": 5000 + 32_000},
            id="a budget, where both are known",
        ),
        pytest.param(
            "claude-opus-4-7",
            {"reasoning": "high"},
            {"thinking": ADAPTIVE, "output_config": {"effort": "high"}, "max_tokens": 32_000},
            id="a level",
        ),
        pytest.param("claude-opus-4-7", {}, {"max_tokens": 32_000}, id="nothing said, thinking off by itself"),
        pytest.param(
            "claude-sonnet-5-5", {}, {"thinking": ADAPTIVE, "max_tokens": 32_000}, id="nothing said, thinking on"
        ),
        pytest.param(
            "claude-haiku-5-5",
            {"reasoning": "off"},
            {"thinking": {"type": "disabled"}, "max_tokens": 32_000},
            id="off",
        ),
        pytest.param(
            "claude-sonnet-5-5",
            {"reasoning": "low", "response_schema": SCHEMA},
            {
                "thinking": ADAPTIVE,
                "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
                "max_tokens": 32_000,
            },
            id="level and schema",
        ),
    ],
)
def test_settings(model: str, generation: dict[str, Any], expected: dict[str, Any]) -> None:
    made = body(model=model, **generation)
    assert without(made, "model", "stream", "cache_control", "messages") == {"max_tokens": 8192} | expected
    assert list(made)[-1] == "messages"


@pytest.mark.parametrize(
    ("model", "generation", "named"),
    [
        pytest.param("m", {"seed": 1}, "seed", id="seed"),
        pytest.param("claude-opus-5-5", {"reasoning": 4096}, "number of tokens", id="a budget where levels are"),
        pytest.param("m", {"reasoning": 100}, "1024", id="too small a budget"),
        pytest.param(
            "m", {"reasoning": "high", "max_output_tokens": 1000}, "max_output_tokens", id="no room to answer"
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(model: str, generation: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        body(model=model, **generation)


def test_a_turn_begins_with_the_bytes_of_the_last() -> None:
    call = ToolCall(id="c", name="Read", arguments={"path": "x"})
    first = [user("hi")]
    second = [*first, assistant(call), results(ToolResult(call_id="c", name="Read", content="y", is_error=False))]
    before, after = (
        msgspec.json.encode(body(*messages, system="s", tools=(READ,), temperature=0.5)) for messages in (first, second)
    )
    assert after.startswith(before.removesuffix(b"]}"))
