"""The JSON form of events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.events import EVENT_TYPES, ModelResponse, Notice, RunStart, Unknown, encode, from_json, to_json
from loom_core.messages import Opaque, Text, Thinking, ToolCall, Usage


def test_the_vocabulary() -> None:
    assert len(set(EVENT_TYPES)) == len(EVENT_TYPES)
    assert {"session.start", "run.start", "user.message", "tool.decision", "approval.answer", "run.end"} <= set(
        EVENT_TYPES
    )


def test_round_trip_of_every_part() -> None:
    event = ModelResponse(
        v=1,
        seq=7,
        id="e7",
        ts="2026-01-01T00:00:00.000Z",
        run="run_1",
        turn=1,
        model="p:m",
        parts=(
            Thinking(text="hm", origin="p:m", signature="s=="),
            Text(text="a"),
            ToolCall(id="1", name="Read", arguments={"path": "ä"}),
            Opaque(origin="p:m", data={"type": "new", "n": 1}),
        ),
        usage=Usage(input_tokens=3),
        stop="end",
        duration_ms=1,
    )
    assert from_json(to_json(event)) == event
    assert json.loads(to_json(event))["type"] == "model.response"


def test_unknown_types_and_fields_come_back_as_they_were() -> None:
    strange = b'{"type":"new.thing","v":1,"seq":3,"id":"e","ts":"t","payload":{"a":[1]}}'
    event = from_json(strange)
    assert isinstance(event, Unknown)
    assert (event.type, event.seq) == ("new.thing", 3)
    assert json.loads(to_json(event)) == json.loads(strange)
    newer = b'{"type":"notice","v":1,"text":"x","colour":"red"}'
    assert json.loads(to_json(from_json(newer))) == json.loads(newer)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[1]", b'"x"', b'{"no":"type"}', b'{"type":"notice"}', b'{"type":"notice","text":5}', b"[" * 100_000],
    ids=["empty", "cut", "list", "string", "no type", "field missing", "field wrong", "deep"],
)
def test_damage_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(line)


@given(st.text(st.characters(), max_size=20))
def test_a_line_is_one_line_of_harmless_characters(text: str) -> None:
    line = to_json(Notice(text=text))
    assert len(line.splitlines()) == 1
    assert len(line.decode().splitlines()) == 1
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or c in "\u2028\u2029\u202e" for c in line.decode())
    assert json.loads(line)["text"] == text
    again = from_json(line)
    assert isinstance(again, Notice)
    assert again.text == text


def test_a_lone_surrogate_survives() -> None:
    event = from_json(to_json(Notice(text="a\ud800b")))
    assert isinstance(event, Notice)
    assert event.text == "a\ud800b"
    assert encode({"k": "\udfff"}) == b'{"k":"\\udfff"}'


def test_defaults_are_left_out_and_required_fields_are_not() -> None:
    event = RunStart(model="p:m", mode="default", cwd="/", tools=(), limits={})
    assert json.loads(to_json(event)).keys() == {"type", "model", "mode", "cwd", "tools", "limits"}
