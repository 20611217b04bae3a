"""Path patterns: what they match, and that no pattern takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.errors import ToolError
from loom_core.tools.builtin.patterns import PathPattern, expand_braces, relative_patterns, segment_regex


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyc"]),
        ("**/*.py", ["a.py", "a/b.py", "a/b/c.py"], ["a.txt"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "a/src/b"]),
        ("src/**/test_*.py", ["src/test_a.py", "src/a/b/test_c.py"], ["test_a.py", "src/a.py"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c"], ["a/c", "a/b"]),
        ("**", ["a", "a/b"], []),
        ("a?c", ["abc", "a.c"], ["ac", "a/c", "abbc"]),
        ("[a-c][!x-z]", ["aa", "b0"], ["da", "ax"]),
        ("[]x][^]]", ["]a", "xa"], ["]]", "aa"]),
        ("[[:digit:]_-]", ["1", "_", "-"], ["a"]),
        ("[z-a]", [], ["a", "m", "z", "-"]),
        ("[a", [], ["[a", "a"]),
        ("[\\]a]", ["]", "a"], ["\\"]),
        ("\\*", ["*"], ["a"]),
        ("a**b", ["ab", "axxb"], ["a/b"]),
        ("a+(b).c|d", ["a+(b).c|d"], ["aab.c"]),
    ],
)
def test_a_pattern(pattern: str, matching: list[str], others: list[str]) -> None:
    compiled = PathPattern(pattern)
    assert [path for path in matching if not compiled.matches(path.split("/"))] == []
    assert [path for path in others if compiled.matches(path.split("/"))] == []


def test_a_directory_without_hope_is_known() -> None:
    pattern = PathPattern("src/*/x.py")
    assert not pattern.step(pattern.start, "docs")
    assert pattern.step(pattern.start, "src")


@pytest.mark.parametrize(
    ("pattern", "alternatives"),
    [
        ("a", ["a"]),
        ("*.{py,pyi}", ["*.py", "*.pyi"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,{b,c}d}", ["a", "bd", "cd"]),
        ("x{,y}", ["x", "xy"]),
        ("{a", ["{a"]),
        ("a}", ["a}"]),
    ],
)
def test_braces(pattern: str, alternatives: list[str]) -> None:
    assert expand_braces(pattern) == alternatives


@pytest.mark.parametrize("pattern", ["", "/etc/*", "../*", "a/../../b", "{a,b}" * 9])
def test_a_pattern_that_cannot_be_is_an_error(pattern: str) -> None:
    with pytest.raises(ToolError, match="pattern"):
        relative_patterns(pattern)


@given(st.text(alphabet="ab*?[]!^-\\:/.", max_size=12), st.lists(st.text(alphabet="ab-]", min_size=1), max_size=3))
def test_any_pattern_can_be_used(pattern: str, names: list[str]) -> None:
    PathPattern(pattern).matches(names)


def test_no_pattern_takes_long() -> None:
    begun = time.process_time()
    assert not segment_regex("*a" * 50 + "b").fullmatch("a" * 255)
    assert not PathPattern("**/a/" * 50 + "b").matches(["a"] * 200)
    assert time.process_time() - begun < 1
