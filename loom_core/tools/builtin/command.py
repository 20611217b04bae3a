"""Shell: one command line, run by bash."""

import asyncio
import signal
from collections.abc import Callable

from loom_core.tools.builtin.programs import find_program
from loom_core.tools.capture import Capture
from loom_core.tools.execution import LIMIT
from loom_core.tools.process import Ending, run_process
from loom_core.tools.spec import ToolContext, ToolOutput
from loom_core.tools.text import plain

_BY_SIGNAL = 128  # what a shell adds to the number of the signal that killed its child
_NOTES = 200  # characters kept free for what is said after the output
_PROGRESS = 0.1  # seconds between two pieces that are shown
_PIECE = 4_096  # bytes of a piece; what came faster is in the result


async def run_command(command: str, context: ToolContext, *, seconds: float) -> ToolOutput:
    """Run `command`; the output, and after it what there is to say of the ending. No success is an error result."""
    capture = Capture(lambda: context.scratch)
    progress = _Progress(context.progress)

    def receive(data: bytes) -> None:
        capture.receive(data)
        progress.receive(data)

    bash = find_program("bash", context.environment, context.workspace.root)
    try:
        ending = await run_process(
            [bash, "--noprofile", "--norc", "-c", command] if bash else ["/bin/sh", "-c", command],
            cwd=context.workspace.root,
            environment=context.environment,
            seconds=seconds,
            receive=receive,
        )
    except BaseException:
        capture.discard()
        raise
    finally:
        progress.stop()
    return _result(capture, ending, seconds)


def _result(capture: Capture, ending: Ending, seconds: float) -> ToolOutput:
    captured = capture.finish(LIMIT - _NOTES)
    notes: list[str] = []
    if capture.fault:
        notes.append(f"[the whole output could not be kept: {capture.fault}]")
    if ending.timed_out:
        notes.append(f"[stopped at the time limit of {seconds:g} s]")
    elif ending.code < 0:
        notes.append(f"[killed by {_signal_name(-ending.code) or f'signal {-ending.code}'}]")
    elif ending.code:
        name = _signal_name(ending.code - _BY_SIGNAL)
        notes.append(f"[exit code {ending.code} ({name})]" if name else f"[exit code {ending.code}]")
    elif not captured.text:
        notes.append("[no output]")
    output = captured.text if captured.text.endswith("\n") or not captured.text else f"{captured.text}\n"
    return ToolOutput(
        content=output + "\n".join(notes),
        is_error=ending.timed_out or ending.code != 0,
        full=captured.full,
        size=captured.size,
        timed_out=ending.timed_out,
    )


def _signal_name(number: int) -> str:
    """Empty for a number that is no signal with a name."""
    return next((known.name for known in signal.Signals if known == number), "")


class _Progress:
    """Shows the newest output while it comes, ten times a second at most."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._pending = b""
        self._timer: asyncio.TimerHandle | None = None

    def receive(self, data: bytes) -> None:
        """Take the next piece."""
        self._pending = (self._pending + data[-_PIECE:])[-_PIECE:]
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PROGRESS, self._flush)

    def stop(self) -> None:
        """Show no more: the result has it."""
        if self._timer is not None:
            self._timer.cancel()

    def _flush(self) -> None:
        piece, self._pending, self._timer = self._pending, b"", None
        self._show(plain(piece.decode("utf-8", "replace")))
