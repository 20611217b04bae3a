"""`loom demo`: a newcomer without a key sees a session work, and is told the truth about it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.program import LOOM, environment, loom
from tests.support.terminal import Terminal

LABEL = "scripted model - no LLM is used"
KEYS = "y yes, once"


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    directory = tmp_path / "temporary"
    directory.mkdir()
    return directory


def demo(temporary: Path) -> Terminal:
    return Terminal([*LOOM, "demo"], env=environment(TMPDIR=str(temporary)), cwd=temporary)


def test_without_a_terminal_it_shows_itself_as_plain_text(temporary: Path) -> None:
    done = loom("demo", env={"TMPDIR": str(temporary)})
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert all(char == "\n" or char.isprintable() for char in text)
    for shown in (
        LABEL,
        "the demo answers: y",
        "✓ Edit prices.py",
        "✓ Shell python3 test_prices.py",
        "the test passes",
        "events, whole",
        '"type":"tool.decision"',
        "export ANTHROPIC_API_KEY=...",
    ):
        assert shown in text
    assert list(temporary.iterdir()) == []
    assert not Path(os.environ["LOOM_HOME"]).exists()


def test_on_a_terminal_the_person_answers(temporary: Path) -> None:
    with demo(temporary) as terminal:
        terminal.until(KEYS)
        assert terminal.text.splitlines()[0] == LABEL
        assert LABEL in terminal.text.splitlines()[-1]
        (prices,) = temporary.glob("*/workspace/prices.py")
        before = prices.read_text()
        terminal.send("y")
        terminal.until(lambda text: "python3 test_prices.py" in text and KEYS in text)
        assert prices.read_text() != before
        terminal.send("y")
        assert terminal.end() == 0
        assert "now it takes it away, and the test passes." in terminal.text
        assert "events, whole" in terminal.text
    assert list(temporary.iterdir()) == []


def test_after_a_no_nothing_is_claimed(temporary: Path) -> None:
    with demo(temporary) as terminal:
        terminal.until(KEYS)
        terminal.send("n")
        terminal.until("why not")
        terminal.send("\r")
        assert terminal.end() == 0
        assert "The fix was not made" in terminal.text
        assert "passes" not in terminal.text


def test_left_by_ctrl_c_it_leaves_nothing(temporary: Path) -> None:
    with demo(temporary) as terminal:
        terminal.until(KEYS)
        terminal.send("\x03\x03")
        assert terminal.end() == -signal.SIGINT
    assert list(temporary.iterdir()) == []
