"""Which stream gets color."""

from __future__ import annotations

import os

import pytest

from loom_cli.color import ColorChoice, color_wanted
from loom_cli.output import STDERR, STDOUT

CASES: list[tuple[str, int, bool, ColorChoice, dict[str, str], bool]] = [
    ("a terminal", STDOUT, True, "auto", {"TERM": "xterm"}, True),
    ("no terminal", STDOUT, False, "auto", {"TERM": "xterm"}, False),
    ("a terminal without TERM", STDOUT, True, "auto", {}, False),
    ("a dumb terminal", STDOUT, True, "auto", {"TERM": "dumb"}, False),
    ("forced on a dumb terminal", STDOUT, True, "auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ("not forced by 0", STDOUT, True, "auto", {"TERM": "dumb", "CLICOLOR_FORCE": "0"}, False),
    (
        "NO_COLOR before FORCE_COLOR",
        STDOUT,
        True,
        "auto",
        {"TERM": "xterm", "NO_COLOR": "1", "FORCE_COLOR": "1"},
        False,
    ),
    ("an empty NO_COLOR is none", STDOUT, True, "auto", {"TERM": "xterm", "NO_COLOR": ""}, True),
    ("variables never color a pipe", STDOUT, False, "auto", {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
    ("stderr in a pipe may be forced", STDERR, False, "auto", {"FORCE_COLOR": "1"}, True),
    ("always colors a pipe", STDOUT, False, "always", {"NO_COLOR": "1"}, True),
    ("never before FORCE_COLOR", STDOUT, True, "never", {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
]


@pytest.mark.parametrize(
    ("descriptor", "terminal", "choice", "environment", "wanted"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_color(
    *,
    monkeypatch: pytest.MonkeyPatch,
    descriptor: int,
    terminal: bool,
    choice: ColorChoice,
    environment: dict[str, str],
    wanted: bool,
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: terminal)
    assert color_wanted(descriptor, choice, environment) is wanted
