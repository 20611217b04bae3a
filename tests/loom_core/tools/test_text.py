"""No text of a tool controls a terminal, a log line or a JSON consumer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.tools.text import plain, shorten, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;Y2xpcA==\x1b\\after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended\nnext line", "\nnext line"),
        ("\x1bP1$r0m\x1b\\after", "after"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1b(B\x1b=\x1bcafter", "after"),
        ("a\x00b\x07c\x7fd\x85e", "abcde"),
        ("10%\r20%\r\nend\r\n", "10%\n20%\nend\n"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("a\u2066b\u200bc\ufeffd", "a\\u2066b\\u200bc\\ufeffd"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half\ud83d", "half\\ud83d"),
        ("line\u2028separator", "line\\u2028separator"),
        ("[bold]markup[/] [@click=x]y[/]", "[bold]markup[/] [@click=x]y[/]"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
    ids=ascii,
)
def test_plain_text(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x1b[]\\;m\x07\x9b\x9d\x00\r\n\u202e"))))
def test_nothing_that_acts_is_left(text: str) -> None:
    for made in (plain(text), visible(text)):
        assert not any((ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F for c in made)
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
        msgspec.json.encode(made)


def test_visible_text_shows_what_a_file_holds() -> None:
    assert visible("\x1b[31mred\rx") == "\\x1b[31mred\\x0dx"


def test_a_long_text_keeps_its_ends_and_says_what_is_missing() -> None:
    text = "a" * 600 + "é" * 1000 + "z" * 600
    size = len(text.encode())
    cut = shorten(text, text, limit=1000, size=size)
    assert cut.startswith("a" * 500 + "\n[... ")
    assert cut.endswith(" ...]\n" + "z" * 500)
    assert f"{size - 1000:,} bytes left out; the whole output is {size:,} bytes" in cut
