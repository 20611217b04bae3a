"""How a one-shot run shows itself: text, one object, or events. Standard output carries nothing else."""

from pathlib import Path
from typing import Protocol

from loom_cli.fields import Output
from loom_cli.output import write_out
from loom_cli.output_file import write_file
from loom_cli.render.progress import Progress
from loom_cli.render.result_object import of_failure, of_result
from loom_cli.render.stream import write_live
from loom_core.errors import LoomError
from loom_core.events import (
    ErrorRaised,
    Event,
    ModelDelta,
    ModelResponse,
    RunEnd,
    StreamRestarted,
    to_json,
)
from loom_core.messages import Usage
from loom_core.runtime.run import RunResult, error_data
from loom_core.safety.text import safe_text


class Answer(Protocol):
    """One way of showing a run."""

    async def show(self, event: Event) -> None:
        """An event of the run, as it happens."""

    def finish(self, result: RunResult, *, session: str | None, model: str, code: int) -> None:
        """The run has ended."""

    def fail(self, error: LoomError) -> None:
        """It came to no run."""


def answer_for(output: Output, progress: Progress, *, terminal: bool) -> Answer:
    """The way the settings ask for."""
    target = _Target(output)
    match output.format:
        case "json":
            return _Object(progress, target)
        case "jsonl":
            return _Events(progress, target)
        case _:
            return _Text(progress, target, live=terminal and not target.file)


class _Target:
    """Where the product goes: standard output or a file."""

    def __init__(self, output: Output) -> None:
        self.file = None if output.file in (None, "-") else Path(str(output.file))
        self._append = bool(output.append)

    def write(self, text: str) -> None:
        if self.file is None:
            write_out(text)
        else:
            write_file(self.file, text, append=self._append)


class _Text:
    """The final answer and a newline, at once; on a terminal the words as they come."""

    def __init__(self, progress: Progress, target: _Target, *, live: bool) -> None:
        self._progress, self._target, self._live = progress, target, live
        self._midline = False

    async def show(self, event: Event) -> None:
        if self._live:
            await self._words(event)
        if not self._midline:
            self._progress.apply(event)

    def finish(self, result: RunResult, *, session: str | None, model: str, code: int) -> None:  # noqa: ARG002 - a protocol
        self._progress.clear()
        if self._live:
            if self._midline:
                write_out("\n")
        elif result.ok and result.output is not None:
            # Foreign words may hold escape sequences; --json has them to the letter.
            self._target.write(safe_text(result.output).rstrip("\n") + "\n")

    def fail(self, error: LoomError) -> None:
        """Text on failure is nothing at all."""

    async def _words(self, event: Event) -> None:
        match event:
            case ModelDelta(kind="text", text=text):
                self._progress.clear()
                await write_live(safe_text(text))
                self._midline = True
            case StreamRestarted():
                await self._end_line()
            case ModelResponse():
                await self._end_line()
            case _:
                pass

    async def _end_line(self) -> None:
        if self._midline:
            await write_live("\n")
            self._midline = False


class _Object:
    """Exactly one object, on success and on failure."""

    def __init__(self, progress: Progress, target: _Target) -> None:
        self._progress, self._target = progress, target

    async def show(self, event: Event) -> None:
        self._progress.apply(event)

    def finish(self, result: RunResult, *, session: str | None, model: str, code: int) -> None:
        self._progress.clear()
        self._target.write(of_result(result, session=session, model=model, code=code))

    def fail(self, error: LoomError) -> None:
        self._target.write(of_failure(error))


class _Events:
    """The run's events, one a line, the last always `run.end`; a file gets the answer."""

    def __init__(self, progress: Progress, target: _Target) -> None:
        self._progress, self._target = progress, target
        self._ended = False

    async def show(self, event: Event) -> None:
        self._progress.apply(event)
        self._ended = isinstance(event, RunEnd)
        await write_live(to_json(event).decode() + "\n")

    def finish(self, result: RunResult, *, session: str | None, model: str, code: int) -> None:  # noqa: ARG002 - a protocol
        self._progress.clear()
        if self._target.file is not None and result.ok and result.output is not None:
            self._target.write(result.output.rstrip("\n") + "\n")

    def fail(self, error: LoomError) -> None:
        if self._ended:  # and then something failed that is no part of the run, such as the file for the answer
            return
        data = error_data(error)
        end = RunEnd(
            v=1,
            state="failed",
            stop_reason="not_started",
            answer=None,
            usage=Usage(),
            turns=0,
            duration_ms=0,
            error=data,
        )
        for event in (ErrorRaised(v=1, error=data), end):
            write_out(to_json(event).decode() + "\n")
