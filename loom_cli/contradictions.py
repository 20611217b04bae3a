"""Options that cannot both hold."""

from collections.abc import Mapping
from typing import Any

from loom_core.errors import UsageError

_EITHER = (("--continue", "--session"), ("--no-session", "--continue"), ("--no-session", "--session"))


def check_together(given: Mapping[str, Any]) -> None:
    """Raise `UsageError` where two of the options, by their long names, contradict each other."""
    for one, other in _EITHER:
        if given.get(one) and given.get(other):
            raise UsageError(f"{one} and {other} contradict each other", hint="leave one of them out")
    form = given.get("--format")
    if given.get("--json") and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} contradict each other", hint="leave one of them out")
