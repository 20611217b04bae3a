import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.errors import BadResponse
from loom_core.providers.sse import EventDecoder, ServerSentEvent


def decode(*chunks: bytes, limit: int = 1 << 20) -> list[ServerSentEvent]:
    decoder = EventDecoder(limit)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    last = decoder.close()
    return events if last is None else [*events, last]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"data: a\n\n", [("", "a", True)], id="one event"),
        pytest.param(b"event: e\ndata: a\n\n", [("e", "a", True)], id="named"),
        pytest.param(b"data: a\nevent: e\n\n", [("e", "a", True)], id="name after data"),
        pytest.param(b"data: a\ndata:b\n\n", [("", "a\nb", True)], id="lines of data are joined"),
        pytest.param(b"data:  a\n\n", [("", " a", True)], id="one space belongs to the grammar"),
        pytest.param(b"data\n\n", [("", "", True)], id="field without colon"),
        pytest.param(b": ping\n\n: ping\n\ndata: a\n\n", [("", "a", True)], id="comments"),
        pytest.param(b"id: 7\nretry: 5\nnew: x\ndata: a\n\n", [("", "a", True)], id="other fields"),
        pytest.param(b"event: e\n\ndata: a\n\n", [("", "a", True)], id="a name without data names nothing"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [("", "a", True)], id="byte order mark"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [("", "a", True), ("", "b", True)], id="CR LF"),
        pytest.param(b"data: a\r\rdata: b\r\r", [("", "a", True), ("", "b", True)], id="CR"),
        pytest.param(
            "data: a\u2028b\x0b\x0c\u0085c\n\n".encode(), [("", "a\u2028b\x0b\x0c\u0085c", True)], id="U+2028"
        ),
        pytest.param(b'error: {"code": 500}\n\n', [("error", '{"code": 500}', True)], id="error as a field"),
        pytest.param(b"data: \xff\xfe\n\n", [("", "\ufffd\ufffd", True)], id="invalid UTF-8 is replaced"),
        pytest.param(b"data: a\n\ndata: b", [("", "a", True), ("", "b", False)], id="ends in a line"),
        pytest.param(b"data: a\n\ndata: b\n", [("", "a", True), ("", "b", False)], id="ends before the blank line"),
        pytest.param(b'{"error": "x"}', [], id="no stream at all"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_grammar(stream: bytes, events: list[tuple[str, str, bool]]) -> None:
    assert decode(stream) == events
    assert decode(*(stream[at : at + 1] for at in range(len(stream)))) == events


LINES = st.sampled_from(
    ["data: x", "data: ü€🧵", "data:", "event: e", ": comment", "", "", "other: field", "data: \u2028", "id: 1"]
)


@given(st.lists(LINES, max_size=20), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_any_cut_gives_the_same_events(lines: list[str], ending: str, data: st.DataObject) -> None:
    stream = ending.join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*chunks) == decode(stream)


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([b"data: " + b"x" * 200 + b"\n\n"], id="one line"),
        pytest.param([b"data: " + b"x" * 30] * 7, id="a line that does not end"),
        pytest.param([b"data: " + b"x" * 30 + b"\n"] * 7, id="an event that does not end"),
        pytest.param([b"<html>" * 40], id="no stream at all"),
    ],
)
def test_too_large_an_event_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(BadResponse, match="more than 100 bytes") as caught:
        decode(*chunks, limit=100)
    assert caught.value.kind == "protocol"


def test_a_long_event_in_single_bytes() -> None:
    stream = b"data: " + b"x" * 100_000 + b"\n\n"
    (event,) = decode(*(stream[at : at + 1] for at in range(len(stream))))
    assert len(event.data) == 100_000
