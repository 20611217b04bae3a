"""One goal, one run, one answer: what `run` and a resume with `-g` do once everything is settled."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from loom_cli.assembly import build_agent
from loom_cli.failure import describe, tell
from loom_cli.fields import Fields, Output
from loom_cli.invocation import Invocation
from loom_cli.output import STDERR, STDIN, STDOUT, require_stdout, write_err
from loom_cli.output_file import require_writable
from loom_cli.render.answer import Answer, answer_for
from loom_cli.render.numbers import compact, dollars
from loom_cli.render.progress import Progress
from loom_cli.render.refusals import Refusals
from loom_cli.render.result_object import exit_code
from loom_cli.runner import Outcome, perform
from loom_core.agent import Agent
from loom_core.errors import LoomError
from loom_core.events import Event
from loom_core.messages import JSON
from loom_core.runtime.run import RunContext, RunResult, RuntimeTask
from loom_core.runtime.session import Session

if TYPE_CHECKING:
    from loom_cli.line.run_questions import RunQuestions


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and where it is recorded."""

    fields: Fields
    task: RuntimeTask
    inputs: Mapping[str, JSON] = {}
    session: str | None = None
    """The id of a session to go on with; None begins one."""


def carry_out(job: Job, invocation: Invocation) -> int:
    """Do it, show it, and return the exit code; a signal that ended it ends this process.

    Whatever goes wrong has been told by then, in the form the job asks for.
    """
    progress = Progress(
        terminal=os.isatty(STDERR) and invocation.environment.get("TERM", "dumb") != "dumb",
        quiet=invocation.quiet,
        verbose=invocation.verbosity > 0,
        columns=shutil.get_terminal_size().columns,
    )
    answer = answer_for(job.fields.output, progress, terminal=os.isatty(STDOUT))
    try:
        _require_room_for_the_answer(job.fields.output)
        questions = _questions(job, progress, invocation)
        agent = build_agent(job.fields, invocation, approver=None if questions is None else questions.ask)
        return asyncio.run(_carry_out(job, agent, answer, questions, invocation))
    except LoomError as error:
        answer.fail(error)
        return tell(error, debug=invocation.debug)


def _questions(job: Job, progress: Progress, invocation: Invocation) -> "RunQuestions | None":
    """Where the user is at the terminal and no program reads the answer, approvals are asked there."""
    terminal = os.isatty(STDIN) and os.isatty(STDERR)
    if not terminal or invocation.no_input or job.fields.output.format in ("json", "jsonl"):
        return None
    from loom_cli.line.run_questions import RunQuestions

    return RunQuestions(progress)


def _require_room_for_the_answer(output: Output) -> None:
    """An answer that cannot be delivered is not worth its price: found out before anything is sent."""
    if output.file not in (None, "-"):
        require_writable(Path(str(output.file)), append=bool(output.append))
    if output.file in (None, "-") or output.format == "jsonl":
        require_stdout()


async def _carry_out(
    job: Job, agent: Agent, answer: Answer, questions: "RunQuestions | None", invocation: Invocation
) -> int:
    refusals = Refusals()

    async def show(event: Event) -> None:
        await answer.show(event)
        refusals.apply(event)
        if questions is not None:
            questions.shown(event)

    session = agent.session(job.session)
    try:
        outcome = await perform(session, job.task, RunContext(inputs=job.inputs), show)
        result = outcome.result
    finally:
        await session.close()
    # A signal ends the process itself; the number is what a shell makes of that.
    code = exit_code(result) if outcome.signal is None else 128 + outcome.signal
    answer.finish(result, session=_recorded(job, session), model=session.model, code=code)
    _last_words(job, session, outcome, refusals, invocation)
    if outcome.signal is not None:
        from loom_cli.signals import die_by

        die_by(outcome.signal)
    return code


def _recorded(job: Job, session: Session) -> str | None:
    return None if job.fields.session.save is False else session.id


def _last_words(job: Job, session: Session, outcome: Outcome, refusals: Refusals, invocation: Invocation) -> None:
    """What standard error says at the end: what went wrong and how to go on, or what it took."""
    result, recorded = outcome.result, _recorded(job, session)
    resume = f"loom sessions resume {recorded}" if recorded else None
    if outcome.signal is not None:
        write_err(describe("interrupted" + (f"; go on with: {resume}" if resume else ""), None))
    elif result.error is not None:
        hint = "\n".join(line for line in (result.error.hint, resume and f"go on with: {resume}") if line)
        write_err(describe(str(result.error), hint or None))
    elif not invocation.quiet:
        refused = refusals.lines() if job.fields.output.format in (None, "text") else []
        write_err(describe(_summary(result, recorded), "\n".join(refused)))


def _summary(result: RunResult, session: str | None) -> str:
    parts = [f"done in {result.turns} turn{'s' * (result.turns != 1)}"]
    if result.usage.total_tokens:
        parts.append(f"{compact(result.usage.total_tokens)} tok")
    if result.cost_usd:
        parts.append(dollars(result.cost_usd))
    parts.append(f"{result.duration_ms / 1000:.1f} s")
    if session:
        parts.append(f"session {session}")
    return " · ".join(parts)
