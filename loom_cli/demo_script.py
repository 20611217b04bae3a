"""The demo's workspace and its model: a script that looks at what really happened before each of its lines."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from loom_core.messages import Message, ToolResult
from loom_core.providers.base import ModelRequest, Reply
from loom_core.testing import ScriptedModel, calls

GOAL = "The test in test_prices.py fails. Find out why and fix it."
_TURNS = 20
"""More than the script has lines: what the person types in between gets an answer too."""

_BUG = "return cents + cents * percent // 100"
_FIX = "return cents - cents * percent // 100"
_FILES = {
    "prices.py": f'''\
"""Prices, in cents."""


def with_discount(cents: int, percent: int) -> int:
    """The price after a discount of so many percent."""
    {_BUG}
''',
    "test_prices.py": """\
from prices import with_discount

price = with_discount(1000, 20)
assert price == 800, f"1000 cents less 20 % are 800, not {price}"
print("test_prices.py: passed")
""",
}


def make_workspace(directory: Path) -> None:
    """Put the files there that the demo is about."""
    for name, text in _FILES.items():
        (directory / name).write_text(text, "utf-8")


def is_fixed(directory: Path) -> bool:
    """Whether the bug is really gone from the file."""
    return _FIX in (directory / "prices.py").read_text("utf-8")


def demo_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The same environment with this Python first in the search path, so that `python3` is there and is it."""
    path = os.pathsep.join(filter(None, (str(Path(sys.executable).parent), environment.get("PATH", ""))))
    return {**environment, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def demo_model(environment: Mapping[str, str]) -> ScriptedModel:
    """The script as a model service."""
    python = "python3" if shutil.which("python3", path=environment["PATH"]) else shlex.quote(sys.executable)
    return ScriptedModel([lambda request: _reply(request, f"{python} test_prices.py")] * _TURNS, name="scripted")


def _reply(request: ModelRequest, command: str) -> Reply | str:
    """The next line, chosen by the results so far."""
    results = _results(request.messages)
    aside = _aside(request.messages)
    if "Grep" not in results:
        return calls(("Grep", {"pattern": "with_discount"}), text="I look for the function that the test is about.")
    if "Read" not in results:
        return calls(("Read", {"path": "prices.py"}), text=aside)
    if results["Read"].is_error or _BUG not in results["Read"].content:
        return f"{aside}I could not find the bug this script is about in `prices.py`, so I changed nothing."
    if "Edit" not in results:
        change = {"path": "prices.py", "old_string": _BUG, "new_string": _FIX}
        return calls(("Edit", change), text=f"{aside}`with_discount` adds the discount instead of taking it away.")
    if results["Edit"].is_error:
        return f"{aside}The fix was not made ({_first_line(results['Edit'])}), so the bug is still there."
    if "Shell" not in results:
        return calls(("Shell", {"command": command}), text=f"{aside}Now the test.")
    return aside + _conclusion(results["Shell"])


def _conclusion(test: ToolResult) -> str:
    if not test.is_error:
        return "`with_discount` added the discount; now it takes it away, and the test passes."
    if test.content.startswith("denied"):
        return f"I changed `prices.py`, but the test was not run ({_first_line(test)}), so I do not know if it passes."
    return f"I changed `prices.py`, but the test still fails:\n\n```\n{test.content.strip()}\n```"


def _results(messages: tuple[Message, ...]) -> dict[str, ToolResult]:
    """The latest result of each tool."""
    return {part.name: part for message in messages for part in message.parts if isinstance(part, ToolResult)}


def _aside(messages: tuple[Message, ...]) -> str:
    """What to say first where the person typed something the script cannot know."""
    said = messages[-1].role == "user" and len(messages) > 1
    return "I am a script, so I cannot answer what you typed. " if said else ""


def _first_line(result: ToolResult) -> str:
    return result.content.partition("\n")[0]
