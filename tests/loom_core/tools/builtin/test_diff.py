"""Unified diffs: what difflib makes, in time also for large files."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.tools.builtin.diff import unified_diff

TEXTS = st.lists(st.sampled_from("abcd"), max_size=30).map(lambda lines: "".join(f"{line}\n" for line in lines))


def applied(before: str, diff: str) -> str:
    """`before` with the hunks of `diff`, by their line numbers."""
    old, new, at = before.splitlines(), list[str](), 0
    for line in diff.splitlines()[2:]:
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            begin = int(start) - (length != "0")
            new += old[at:begin]
            at = begin
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            if line.startswith(" "):
                new.append(line[1:])
    return "".join(f"{line}\n" for line in [*new, *old[at:]])


@given(TEXTS, TEXTS)
def test_a_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    diff = unified_diff(before, after, "f")
    assert applied(before, diff) == after
    assert (diff == "") == (before == after)


def test_a_small_change_looks_as_everywhere() -> None:
    before = "".join(f"{n}\n" for n in range(30))
    after = before.replace("10\n", "ten\n").replace("25\n", "")
    expected = difflib.unified_diff(before.splitlines(), after.splitlines(), "a/f", "b/f", lineterm="")
    assert unified_diff(before, after, "f") == "\n".join(expected)


@pytest.mark.parametrize(("before", "after"), [("a\n", "a"), ("a", "a\n")])
def test_a_missing_newline_at_the_end_is_shown(before: str, after: str) -> None:
    assert "\\ No newline at end of file" in unified_diff(before, after, "f")


def test_a_large_change_takes_no_long_time_and_is_cut() -> None:
    before = "".join(f"{n % 7}\n" for n in range(100_000))
    after = "".join(f"{n % 11}\n" for n in range(100_000))
    assert unified_diff(before, after, "f").endswith("more lines of diff ...]")
