from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_cli.line.markdown import MarkdownRenderer


def plain(block: str, columns: int = 40) -> str:
    return MarkdownRenderer(color=False).render(block, columns)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("# Title\n", "Title\n"),
        ("some **bold** `code`\n\n", "some bold code\n"),
        ("- a\n- b\n", " • a\n • b\n"),
        ("```python\nx = 1\n\ny = 2\n```\n", "    x = 1\n\n    y = 2\n"),
        ("[a](http://b)", "a (http://b)\n"),
        ("![a](http://b)", "!a (http://b)\n"),
        ("a <b>c</b> <T>", "a <b>c</b> <T>\n"),
        ("[red]a[/red] :smile:", "[red]a[/red] :smile:\n"),
    ],
    ids=repr,
)
def test_a_block_as_text(block: str, text: str) -> None:
    assert plain(block) == text


def test_lines_are_wrapped_and_have_no_blanks_at_their_end() -> None:
    lines = plain("word " * 30).splitlines()
    assert len(lines) > 1
    assert all(len(line) <= 40 and line == line.rstrip() for line in lines)


def test_code_is_colored_when_color_is_on() -> None:
    assert "\x1b[" in MarkdownRenderer(color=True).render("```python\ndef f(): ...\n```", 40)
    assert "\x1b[" not in plain("```python\ndef f(): ...\n```")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("\x1b\x07\x9b[]m;c0\r\x00\u202e&#8238;`*_ \n"), max_size=40), st.booleans())
def test_only_styles_reach_the_terminal(block: str, color: bool) -> None:
    rendered = MarkdownRenderer(color=color).render(block, 40)
    for part in rendered.split("\x1b")[1:]:
        style, end, _ = part.partition("m")
        assert color
        assert end
        assert style.startswith("[")
        assert set(style[1:]) <= set("0123456789;")
    assert all(char in "\n\x1b" or char.isprintable() for char in rendered)
