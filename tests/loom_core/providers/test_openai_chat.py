from typing import Any

import msgspec
import pytest

from loom_core.errors import BadRequest
from loom_core.messages import Image, Message, Opaque, Text, Thinking, ToolCall, ToolDefinition, ToolResult, user
from loom_core.providers.openai_chat import ChatWire
from loom_core.providers.service import Service
from tests.support.asking import READ, assistant, request, results, without


def body(service: str = "compatible", **asked: Any) -> dict[str, Any]:
    messages = asked.pop("messages", ())
    wire = ChatWire(Service(name=service, base_url="http://127.0.0.1:1/v1"))
    return wire.body(request(*messages, **asked))


def sent(*messages: Any, service: str = "compatible", **asked: Any) -> list[Any]:
    made: list[Any] = body(service, messages=messages, **asked)["messages"]
    return made


def test_a_plain_request() -> None:
    assert body(system="Be brief.") == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
    }


def test_a_tool_round() -> None:
    call = ToolCall(id="c", name="Read", arguments={"path": "ü"})
    result = ToolResult(call_id="c", name="Read", content="text", is_error=False)
    assert sent(assistant(call), results(result, result)) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "Read", "arguments": '{"path":"ü"}'}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "text"},
        {"role": "tool", "tool_call_id": "c", "content": "text"},
    ]


def test_arguments_that_were_no_json_go_back_as_an_empty_object() -> None:
    (entry,) = sent(assistant(Text(text="a"), ToolCall(id="c", name="f", arguments={}, invalid='{"x')))
    assert entry["content"] == "a"
    assert entry["tool_calls"][0]["function"]["arguments"] == "{}"


def test_tools_are_functions() -> None:
    function = {"name": "Read", "description": "Read a file.", "parameters": {"type": "object"}}
    assert body(tools=(READ,))["tools"] == [{"type": "function", "function": function}]


def test_pictures_make_the_content_a_list() -> None:
    (entry,) = sent(Message(role="user", parts=(Text(text="see"), Image(media_type="image/png", data="aGk="))))
    assert entry["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
    ]


def test_reasoning_goes_back_to_its_maker_alone() -> None:
    own = Opaque(origin="compatible:m", data={"reasoning_details": [1]})
    other = Opaque(origin="compatible:n", data={"reasoning_details": [2]})
    (entry,) = sent(assistant(Thinking(text="hm", origin="compatible:m"), Text(text="a"), own, other))
    assert entry == {"role": "assistant", "content": "a", "reasoning_details": [1]}


def test_deepseek_gets_a_reasoning_field_in_each_turn() -> None:
    fields = Opaque(origin="deepseek:m", data={"reasoning_content": "hm"})
    call = ToolCall(id="c", name="f", arguments={})
    assert sent(assistant(call, fields), service="deepseek")[0]["reasoning_content"] == "hm"
    assert sent(assistant(call), service="deepseek")[0]["reasoning_content"] == ""


STRICT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
LOOSE = {"type": "object", "properties": {"a": STRICT, "b": {"type": "array", "items": STRICT}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("service", "generation", "expected"),
    [
        pytest.param("compatible", {"temperature": 0.0}, {"temperature": 0.0}, id="temperature zero"),
        pytest.param("compatible", {"top_p": 0.5}, {"top_p": 0.5}, id="top_p"),
        pytest.param("compatible", {"stop": ("x",)}, {"stop": ["x"]}, id="stop"),
        pytest.param("compatible", {"seed": 0}, {"seed": 0}, id="seed zero"),
        pytest.param("compatible", {"max_output_tokens": 9}, {"max_tokens": 9}, id="limit"),
        pytest.param("openai", {"max_output_tokens": 9}, {"max_completion_tokens": 9}, id="limit at openai"),
        pytest.param("compatible", {"reasoning": "high"}, {"reasoning_effort": "high"}, id="reasoning"),
        pytest.param("openai", {"reasoning": "off"}, {"reasoning_effort": "none"}, id="reasoning off"),
        pytest.param(
            "deepseek", {"reasoning": "off"}, {"thinking": {"type": "disabled"}}, id="reasoning off at deepseek"
        ),
        pytest.param(
            "deepseek",
            {"reasoning": "low"},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
            id="reasoning at deepseek",
        ),
        pytest.param(
            "openai",
            {"response_schema": STRICT},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": STRICT},
                }
            },
            id="schema",
        ),
        pytest.param(
            "openai",
            {"response_schema": LOOSE},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": False, "schema": LOOSE},
                }
            },
            id="schema that strict mode refuses",
        ),
        pytest.param("compatible", {"extensions": {"top_k": 4, "stream_options": None}}, {"top_k": 4}, id="extensions"),
    ],
)
def test_settings(service: str, generation: dict[str, Any], expected: dict[str, Any]) -> None:
    made = body(service, **generation)
    assert without(made, "model", "stream", "stream_options", "messages") == expected
    assert list(made)[-1] == "messages"


@pytest.mark.parametrize(
    ("service", "generation", "named"),
    [
        pytest.param("openai", {"reasoning": 4096}, "reasoning", id="a budget of reasoning"),
        pytest.param("deepseek", {"response_schema": STRICT}, "response schema", id="a schema at deepseek"),
    ],
)
def test_what_cannot_be_sent_is_refused(service: str, generation: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequest, match=named) as caught:
        body(service, **generation)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("service", "model", "tools", "effort"),
    [
        pytest.param("openai", "gpt-6.1-terra", (READ,), "none", id="newer model, tools"),
        pytest.param("openai", "gpt-5.4", (READ,), "none", id="first of the newer"),
        pytest.param("openai", "gpt-6.1-terra", (), None, id="no tools"),
        pytest.param("openai", "gpt-5.2", (READ,), None, id="older model"),
        pytest.param("compatible", "gpt-6.1-terra", (READ,), None, id="another service"),
    ],
)
def test_openai_gets_no_reasoning_beside_tools(
    service: str, model: str, tools: tuple[ToolDefinition, ...], effort: str | None
) -> None:
    assert body(service, model=model, tools=tools).get("reasoning_effort") == effort
    assert body(service, model=model, tools=tools, reasoning="low")["reasoning_effort"] == "low"


def test_a_turn_begins_with_the_bytes_of_the_last() -> None:
    call = ToolCall(id="c", name="Read", arguments={"path": "x"})
    first = [user("hi")]
    second = [*first, assistant(call), results(ToolResult(call_id="c", name="Read", content="y", is_error=False))]
    before, after = (
        msgspec.json.encode(body(messages=messages, system="s", tools=(READ,), temperature=0.5, extensions={"k": 1}))
        for messages in (first, second)
    )
    assert after.startswith(before.removesuffix(b"]}"))
