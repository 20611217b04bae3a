"""What a mistyped word is taken for."""

from __future__ import annotations

import pytest

from loom_cli.suggest import suggestion

CHAT = ("--model", "--mode", "--set", "--session", "--continue", "--no-session", "--line", "--title", "--max-cost")


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("--gaol", ("--goal", "--cap", "--allow"), "did you mean --goal?"),
        ("--modle", CHAT, "did you mean --mode or --model?"),
        ("--json", CHAT, None),
        ("shel", ("Read", "Shell"), "did you mean Shell?"),
        ("LOOM_MAX_TRUNS", ("LOOM_MAX_TURNS", "LOOM_HOME"), "did you mean LOOM_MAX_TURNS?"),
        ("LOOM_XYZ", ("LOOM_CWD", "LOOM_SET"), None),
        ("/modle", ("/model", "/clear"), "did you mean /model?"),
        ("x", (), None),
    ],
)
def test_only_what_is_near_is_suggested(word: str, known: tuple[str, ...], expected: str | None) -> None:
    assert suggestion(word, known) == expected
