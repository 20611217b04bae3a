"""Nothing that is shown can steer a terminal or hide."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.safety.text import is_clean, safe_text, visible

SHOWN = {
    "plain text": ("two\n\tlines", "two\n\tlines"),
    "clipboard": ("\x1b]52;c;ZXZpbA==\x07ok", "ok"),
    "link": ("\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"),
    "concealed": ("\x1b[8m hidden \x1b[0m", " hidden "),
    "8-bit sequence": ("\x9b2J\x9d52;c;eA==\x9cx\x90q\x9cy", "xy"),
    "device control": ("\x1bP0;1|17/ff\x1b\\x", "x"),
    "answer back": ("\x1b[c\x1b[6n\x1b[?25l", ""),
    "end of a paste": ("\x1b[201~rm -rf ~\n", "rm -rf ~\n"),
    "unfinished string hides nothing": ("a\x1b]0;title and text", "a0;title and text"),
    "lone escape": ("a\x1b", "a\\x1b"),
    "backspaces": ("\b\b\b", "\\x08\\x08\\x08"),
    "carriage return": ("good\rbad", "good\\x0dbad"),
    "line end of two": ("a\r\nb", "a\nb"),
    "NUL and DEL": ("\x00\x7f", "\\x00\\x7f"),
    "bidirectional": ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
    "zero width": ("a\u200b\ufeff\u00ad", "a\\u200b\\ufeff\\xad"),
    "line separators": ("\u2028\u2029", "\\u2028\\u2029"),
    "tags": ("\U000e0041", "\\U000e0041"),
    "variation selectors": ("a\ufe0f\U000e0101", "a\\ufe0f\\U000e0101"),
    "emoji keeps its looks": ("\u26a0\ufe0f done", "\u26a0 done"),
    "half a pair": ("\udc80\ud800", "\\udc80\\ud800"),
    "markup is text": ("[red]x[/red] [@click=app.quit]", "[red]x[/red] [@click=app.quit]"),
    "other scripts": ("grüße 日本語 العربية", "grüße 日本語 العربية"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_text_is_shown_without_its_controls(text: str, shown: str) -> None:
    assert safe_text(text) == shown


COLOURED = {
    "colour stays and is reset": ("\x1b[1;31mred", "\x1b[1;31mred\x1b[0m"),
    "nothing to reset": ("red", "red"),
    "conceal goes": ("\x1b[1;8mx", "x"),
    "conceal with a zero goes": ("\x1b[08mx", "x"),
    "colour eight of the palette stays": ("\x1b[38;5;8mx", "\x1b[38;5;8mx\x1b[0m"),
    "conceal behind a colour goes": ("\x1b[38;2;1;2;3;8mx", "x"),
    "other sequences go": ("\x1b[2J\x1b]0;t\x07x", "x"),
}


@pytest.mark.parametrize(("text", "shown"), COLOURED.values(), ids=COLOURED)
def test_colours_stay_where_they_are_asked_for(text: str, shown: str) -> None:
    assert safe_text(text, keep_sgr=True) == shown


PIECES = st.sampled_from(("\x1b", "[", "]", "8", "m", ";", "\x07", "\\", "\x9b", "\x9d", "\x9c", "P", "x", "\n", "\r"))


@given(st.lists(PIECES | st.characters(), max_size=60).map("".join))
def test_no_control_survives(text: str) -> None:
    for shown in (safe_text(text), visible(text)):
        assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in shown.translate(OK))
        assert is_clean(shown)
        assert safe_text(shown) == shown


OK = {ord("\n"): None, ord("\t"): None} | {
    # Signs that belong to the letters of their scripts, and hide or move nothing.
    code: None
    for code in range(0x110000)
    if unicodedata.category(chr(code)) == "Cf" and is_clean(chr(code))
}


def test_the_formatting_letters_let_through_are_those_of_scripts() -> None:
    assert {unicodedata.name(chr(code)).split()[0] for code in OK if code > 0x20} <= {
        *("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND"),
    }


@given(st.text())
def test_text_to_approve_loses_nothing(text: str) -> None:
    assert len(visible(text)) >= len(text)
    assert is_clean(text) == (visible(text) == text)


def test_long_hostile_text_takes_linear_time() -> None:
    for text in ("\x1b]" * 200_000, "\x9d" * 200_000, "\x1b[" + "0" * 400_000, "\x1b" * 400_000):
        assert "\x1b" not in safe_text(text)
