"""The result object: what `--format json` prints, on success and on failure."""

from typing import Any

import msgspec

from loom_core.errors import ApprovalUnavailable, LoomError
from loom_core.events import ErrorData, encode
from loom_core.messages import Usage
from loom_core.runtime.run import RunResult, error_data


def exit_code(result: RunResult) -> int:
    """What the program ends with for this result; a cancelled run ends by its signal instead."""
    if result.ok:
        return 0
    if result.error is not None:
        return result.error.exit_code
    return ApprovalUnavailable.exit_code if result.stop_reason == "blocked_by_policy" else LoomError.exit_code


def of_result(result: RunResult, *, session: str | None, model: str, code: int) -> str:
    """The object for a run that took place."""
    error = None if result.error is None else error_data(result.error)
    if error is None and not result.ok:
        error = ErrorData(code=result.stop_reason, message=f"the run was {result.stop_reason}")
    return _object(
        ok=result.ok,
        stop_reason=result.stop_reason,
        exit_code=code,
        session=session,
        run=result.run_id,
        answer=result.output,
        denials=result.denials,
        usage=result.usage,
        cost_usd=None if result.cost_usd is None else f"{result.cost_usd:.6f}",
        duration_s=result.duration_ms / 1000,
        model=model,
        error=error,
    )


def of_failure(error: LoomError) -> str:
    """The object for a call that came to no run."""
    return _object(ok=False, stop_reason="not_started", exit_code=error.exit_code, error=error_data(error))


def _object(**known: Any) -> str:
    whole: dict[str, Any] = {
        "v": 1,
        "ok": False,
        "stop_reason": None,
        "exit_code": 1,
        "session": None,
        "run": None,
        "answer": None,
        "data": None,
        "denials": [],
        "criteria": [],
        "checks": [],
        "usage": Usage(),
        "cost_usd": None,
        "duration_s": 0.0,
        "model": None,
        "error": None,
    }
    return encode(msgspec.to_builtins({**whole, **known})).decode() + "\n"
