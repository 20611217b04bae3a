from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_cli.line.blocks import MarkdownBlocks

LINES = st.sampled_from(
    ["", "text", "  more", "# title", "- item", "2. two", "1. one", "   inside", "```py", "```", "~~~~", "| a |", "> q"]
)
TEXTS = st.lists(LINES, max_size=12).map("\n".join)


def blocks(text: str) -> list[str]:
    cut = MarkdownBlocks()
    return [*cut.feed(text), *cut.finish()]


def after(text: str) -> list[str]:
    """What has come out when the text has come in, without its end being known."""
    return MarkdownBlocks().feed(text)


@given(TEXTS | st.text(), st.randoms())
def test_nothing_is_lost_however_it_arrives(text: str, random: st.DataObject) -> None:
    cut = MarkdownBlocks()
    done, left = [], text
    while left:
        size = random.randint(1, 7)  # type: ignore[attr-defined]
        done += cut.feed(left[:size])
        left = left[size:]
        assert "".join(done) + cut.tail == text[: len(text) - len(left)]
    done += cut.finish()
    assert "".join(done) + cut.tail == text
    assert not cut.tail.strip()
    assert done == blocks(text)


@given(TEXTS)
def test_a_block_is_never_blank(text: str) -> None:
    assert all(block.strip() for block in blocks(text))


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("one\ntwo\n\n", ["one\ntwo\n\n"]),
        ("one\n\n\ntw", ["one\n\n"]),
        ("# title\n", ["# title\n"]),
        ("text\n# title\n", ["text\n", "# title\n"]),
        ("```py\na\n\nb\n```\n", ["```py\na\n\nb\n```\n"]),
        ("text\n```\na\n", ["text\n"]),
        ("````\n```\n````\n", ["````\n```\n````\n"]),
        ("~~~\n```\n", []),
        ("```code``` in a line\n\n", ["```code``` in a line\n\n"]),
        ("- a\n- b\n\n", []),
        ("- a\n\nx", ["- a\n\n"]),
        ("- a\n\n- b", ["- a\n\n"]),
        ("- a\n\n  more\n", []),
        ("- a\n  ```\n\nx\n  ```\n\nend", ["- a\n  ```\n\nx\n  ```\n\n"]),
        ("Steps:\n1. a\n", ["Steps:\n"]),
        ("the year\n1984. was\n", []),
        ("| a |\n|---|\n| 1 |\n\n", ["| a |\n|---|\n| 1 |\n\n"]),
    ],
    ids=repr,
)
def test_a_block_comes_out_as_soon_as_it_is_complete(text: str, complete: list[str]) -> None:
    assert after(text) == complete
