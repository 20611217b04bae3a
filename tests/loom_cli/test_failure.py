"""How errors are told, and the exit codes that go with them."""

from __future__ import annotations

import json

import pytest

from loom_cli.failure import describe, report
from loom_core import errors
from loom_core.errors import LoomError


def every(kind: type[LoomError]) -> list[type[LoomError]]:
    """The class and those below it in the public tree."""
    below = [each for each in kind.__subclasses__() if each.__module__ == kind.__module__]
    return [kind, *(deeper for each in below for deeper in every(each))]


@pytest.mark.parametrize("kind", every(LoomError), ids=lambda kind: kind.__name__)
def test_each_error_ends_with_its_own_code(kind: type[LoomError], capfd: pytest.CaptureFixture[str]) -> None:
    assert report(kind("what", hint="do this"), ["config", "show"]) == kind.exit_code
    assert kind.exit_code in {1, 2, 4, 5, 6, 74, 75}
    assert capfd.readouterr() == ("", "loom: what\n  do this\n")


@pytest.mark.parametrize("kind", [errors.UsageError, errors.NoModel], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"]], ids=" ".join)
def test_a_one_shot_run_that_was_to_answer_in_json_does(
    kind: type[LoomError], form: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    code = report(kind("what", hint="do this"), ["run", *form])
    out, err = capfd.readouterr()
    assert json.loads(out)["error"] == {"code": kind.code, "message": "what", "hint": "do this", "retryable": False}
    assert (json.loads(out)["exit_code"], err) == (code, "loom: what\n  do this\n")


def test_what_nobody_expected_is_an_internal_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert report(ZeroDivisionError("by zero"), []) == 1
    out, err = capfd.readouterr()
    assert (out, err) == ("", "loom: internal error: ZeroDivisionError: by zero\n  --debug shows where it happened\n")


def test_debug_shows_the_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divmod(1, 0)
    report(caught.value, ["run", "--debug"])
    err = capfd.readouterr().err
    assert "Traceback" in err
    assert "ZeroDivisionError" in err


def test_what_an_error_quotes_has_no_power_over_the_terminal() -> None:
    text = describe("server said \x1b]52;c;aGk=\x07 \u202e\x9b31m\nsecond line", "try \x1b[2J")
    assert text.isprintable() or all(char.isprintable() or char == "\n" for char in text)
    assert text.splitlines()[1] == "second line"
