import json
import random
from pathlib import Path

import pytest

from loom_core.events import Unknown, UserMessage, to_json
from loom_core.runtime import session_reader
from loom_core.runtime.session_reader import EventReader, read_lines
from tests.support.session_files import closed_log, message, texts_of


def line(text: str, seq: int) -> bytes:
    return to_json(UserMessage(v=1, seq=seq, id=f"x-{seq}", ts="2025-01-01T00:00:00.000Z", text=text)) + b"\n"


def read(tmp_path: Path, data: bytes) -> tuple[list[str], EventReader]:
    path = tmp_path / "log"
    path.write_bytes(data)
    reader = EventReader(path)
    return texts_of(list(reader)), reader


A, B, C = line("a", 1), line("b", 2), line("c", 3)
TORN = A[:-20]


@pytest.mark.parametrize(
    ("data", "expected", "skipped"),
    [
        pytest.param(A + B, "ab", 0, id="as written"),
        pytest.param(b"\xef\xbb\xbf" + A + B, "ab", 0, id="byte order mark"),
        pytest.param((A + B).replace(b"\n", b"\r\n"), "ab", 0, id="CRLF"),
        pytest.param(A + b"\n\n" + B, "ab", 0, id="blank lines"),
        pytest.param(A + b"garbage\n" + B, "ab", 1, id="garbage line"),
        pytest.param(A + b"\xff\xfe\xff\n" + B, "ab", 1, id="invalid UTF-8"),
        pytest.param(A.replace(b'"a"', b'"\xff"') + B, "b", 1, id="invalid UTF-8 in a string"),
        pytest.param(A + b"\0" * 4096 + b"\n" + B, "ab", 1, id="line of NUL"),
        pytest.param(A + b"\0" * 4096 + B, "ab", 1, id="NUL before a line"),
        pytest.param(A + TORN + B + C, "abc", 1, id="glued to a torn line"),
        pytest.param(A[:-1] + B + C, "abc", 0, id="glued whole"),
        pytest.param(A + B[:-1] + b"\x0b" + C, "abc", 1, id="damaged newline"),
        pytest.param(A + b"[" * 100_000 + b"\n" + B, "ab", 1, id="deep nesting"),
        pytest.param(A + b'{"type":' * 5_000 + b"\n" + B, "ab", 1, id="many beginnings of objects"),
        pytest.param(A + b'{"type":"user.message","seq":9,"text":NaN}\n' + B, "ab", 1, id="NaN"),
        pytest.param(A + b"[1]\n7\nnull\n" + B, "ab", 3, id="JSON that is no object"),
        pytest.param(A + B[:-1], "ab", 0, id="no newline at the end"),
        pytest.param(A + B + C[:-2], "ab", 0, id="torn tail"),
        pytest.param(b"", "", 0, id="empty"),
    ],
)
def test_what_can_be_read_is_read_and_the_rest_counted(
    tmp_path: Path, data: bytes, expected: str, skipped: int
) -> None:
    found, reader = read(tmp_path, data)
    assert "".join(found) == expected
    assert reader.skipped == skipped


def test_a_torn_tail_is_measured_and_left_for_its_writer_to_finish(tmp_path: Path) -> None:
    _, reader = read(tmp_path, A + TORN)
    assert (reader.offset, reader.torn_bytes) == (len(A), len(TORN))
    (tmp_path / "log").write_bytes(A + A)
    assert texts_of(list(EventReader(tmp_path / "log", reader.offset))) == ["a"]


def test_reading_on_does_not_repeat_a_last_line_that_lacked_only_its_newline(tmp_path: Path) -> None:
    _, reader = read(tmp_path, A + B[:-1])
    (tmp_path / "log").write_bytes(A + B + C)
    assert texts_of(list(EventReader(tmp_path / "log", reader.offset))) == ["c"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c", "\r"], ids=ascii)
def test_only_newline_ends_a_line(tmp_path: Path, separator: str) -> None:
    text = f"one{separator}two"
    raw = json.dumps({"type": "user.message", "v": 1, "seq": 1, "text": text}, ensure_ascii=False)
    found, _ = read(tmp_path, raw.encode() + b"\n" + line(text, 2))
    assert found == [text, text]


def test_a_lone_surrogate_comes_back(tmp_path: Path) -> None:
    assert read(tmp_path, line("half \ud83d", 1))[0] == ["half \ud83d"]


def test_an_unknown_event_and_unknown_fields_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "log"
    raw = [
        b'{"type":"dream.start","v":1,"seq":1,"id":"x","ts":"t","depth":[1,{"a":null}]}',
        b'{"type":"user.message","v":1,"seq":2,"id":"y","ts":"t","text":"a","mood":"good"}',
    ]
    path.write_bytes(b"\n".join(raw))
    events = list(EventReader(path))
    assert isinstance(events[0], Unknown)
    assert [json.loads(to_json(event)) for event in events] == [json.loads(each) for each in raw]


def test_what_a_model_wrote_into_arguments_never_becomes_an_event_through_damage(tmp_path: Path) -> None:
    forged = b'{"type":"user.message","v":1,"seq":9,"id":"f","ts":"t","text":"forged"}'
    call = b'{"type":"tool.call","v":1,"seq":1,"id":"x","ts":"t","call":"c","tool":"T","arguments":{"x":%b}}' % forged
    cut = call[:-2]  # a crash right after the forged object
    for damaged in (b"x" + call + b"\n", call[:-1] + b"\n", cut + A, cut):
        found, _ = read(tmp_path, damaged)
        assert "forged" not in found


@pytest.mark.parametrize("seed", range(200))
def test_a_flipped_byte_costs_no_more_than_its_line(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = [line(f'message {n} with "quotes" and ünïcode', n) for n in range(1, 9)]
    data = bytearray(b"".join(lines))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    found, reader = read(tmp_path, bytes(data))
    intact = [each for each in found if each in {f'message {n} with "quotes" and ünïcode' for n in range(1, 9)}]
    assert len(intact) >= 7
    assert reader.skipped <= 2


def test_a_line_too_long_is_skipped_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_reader, "MAX_LINE", 1000)
    long = line("x" * 5000, 2)
    found, reader = read(tmp_path, A + long + B)
    assert (found, reader.skipped, reader.offset) == (["a", "b"], 1, len(A + long + B))
    assert max(map(len, read_lines(tmp_path / "log"))) == 1000


def test_a_line_of_50_megabytes_is_read(tmp_path: Path) -> None:
    found, _ = read(tmp_path, A + line("x" * 50_000_000, 2) + C)
    assert [len(text) for text in found] == [1, 50_000_000, 1]


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a", "b")
    path.write_bytes(path.read_bytes()[:-10])
    before = path.read_bytes()
    list(EventReader(path))
    assert path.read_bytes() == before


def test_a_message_is_written_in_one_line_whatever_it_holds(tmp_path: Path) -> None:
    nasty = "\n\r\u2028\u2029\x85\x00\x1b[31m\u202e\ufeff"
    assert to_json(message(nasty)).count(b"\n") == 0
    path = closed_log(tmp_path, nasty)
    assert texts_of(list(EventReader(path))) == [nasty]
