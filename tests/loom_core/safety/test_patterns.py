"""The pattern languages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.safety.patterns import PathPatterns, TextPattern, escape_path

PATHS = {
    "name at any depth": ("a.py", {"a.py", "x/a.py", "x/a.py/below"}, {"aa.py", "a.pyc"}),
    "star within a name": ("*.py", {"a.py", "x/y/b.py", ".py"}, {"a.pyc", "py"}),
    "from the top": ("/a.py", {"a.py"}, {"x/a.py"}),
    "also from the top": ("./a.py", {"a.py"}, {"x/a.py"}),
    "slash in the middle": ("src/a.py", {"src/a.py"}, {"x/src/a.py"}),
    "directory": ("build/", {"build", "build/x", "x/build/y"}, {"builds"}),
    "everything within": ("src/**", {"src/a", "src/b/c"}, {"x/src/a", "source"}),
    "any directories between": ("a/**/z", {"a/z", "a/b/z", "a/b/c/z"}, {"az", "b/a/z"}),
    "any directories before": ("**/x/y", {"x/y", "a/b/x/y"}, {"x/z"}),
    "everything": ("**", {"", "a", "a/b"}, set()),
    "question mark": ("a?", {"ab"}, {"a", "a/b", "abc"}),
    "class": ("[a-c]x", {"ax", "cx"}, {"dx"}),
    "negated class": ("[!a-c]x", {"dx"}, {"ax", "/x"}),
    "unclosed class": ("[ax", {"[ax"}, {"ax"}),
    "class of odd letters": ("[]&&~|[^]x", {"]x", "&x", "^x"}, {"ax"}),
    "escape": (r"\*x", {"*x"}, {"ax"}),
    "any case": ("README", {"readme", "x/ReadMe"}, set()),
    "two stars in a name": ("a*b*c", {"abc", "a-b-b-c"}, {"acb"}),
}


@pytest.mark.parametrize(("pattern", "matched", "others"), PATHS.values(), ids=PATHS)
def test_a_path_pattern_means_what_it_means_to_git(pattern: str, matched: set[str], others: set[str]) -> None:
    patterns = PathPatterns(("never/matched", pattern))
    assert {path for path in matched | others if patterns.find(path) == pattern} == matched


@pytest.mark.parametrize("pattern", ["", "!a", "../x", "[z-a]"])
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        PathPatterns((pattern,))


NAME = st.text("aBb.*?[]!\\ -\n", min_size=1, max_size=12)


@given(NAME, NAME)
def test_an_escaped_path_matches_itself_only(name: str, other: str) -> None:
    if {name, other} & {".", ".."}:
        return
    pattern = PathPatterns((escape_path(f"d/{name}"),))
    assert pattern.find(f"d/{name}")
    assert bool(pattern.find(f"d/{other}")) == (other.lower() == name.lower())


TEXTS = {
    "literal": ("git status", {"git status"}, {"git status -s", "git"}),
    "words after": ("git log *", {"git log", "git log -1"}, {"git logout", "git"}),
    "colon form": ("git log:*", {"git log", "git log -1"}, {"git logout"}),
    "no word boundary": ("ls*", {"ls", "lsof", "ls -l"}, {"l"}),
    "in the middle": ("git * main", {"git push main", "git a b main"}, {"git main", "git push main x"}),
    "several": ("a*b*c", {"abc", "a-b-b-c"}, {"acb", "ab"}),
    "no overlap": ("aba*aba", {"abaaba"}, {"aba", "ababa"}),
    "escaped star": (r"ls \*", {"ls *"}, {"ls x"}),
    "other escapes are text": (r"grep \. *", {r"grep \. x", r"grep \."}, {"grep . x"}),
    "everything": ("*", {"", "x y\nz"}, set()),
}


@pytest.mark.parametrize(("pattern", "matched", "others"), TEXTS.values(), ids=TEXTS)
def test_a_text_pattern_matches_the_whole_text(pattern: str, matched: set[str], others: set[str]) -> None:
    parsed = TextPattern.parse(pattern)
    assert {text for text in matched | others if parsed.matches(text)} == matched


@given(st.text(alphabet="ab*\\ :"), st.text(alphabet="ab*\\ :"))
def test_an_escaped_text_matches_itself_only(text: str, other: str) -> None:
    pattern = TextPattern.parse(TextPattern.escape(text))
    assert pattern.literal
    assert pattern.matches(text)
    assert pattern.matches(other) == (other == text)


def test_hostile_text_takes_no_longer_than_linear_time() -> None:
    begun = time.process_time()
    assert not TextPattern.parse("a*" * 50 + "b").matches("a" * 100_000)
    assert not PathPatterns(("x*" * 20 + "y",)).find("x" * 4000)
    assert time.process_time() - begun < 1
