"""One goal, one run, one answer: what `run` and a resume with `-g` do once everything is settled."""

import asyncio
import os
import shutil
from collections.abc import Mapping

import msgspec

from loom_cli.assembly import build_agent
from loom_cli.failure import tell
from loom_cli.fields import Fields
from loom_cli.invocation import Invocation
from loom_cli.output import STDERR, STDOUT, require_stdout, write_err
from loom_cli.render.answer import Answer, answer_for
from loom_cli.render.numbers import compact, dollars
from loom_cli.render.progress import Progress
from loom_cli.render.result_object import exit_code
from loom_cli.runner import Outcome, perform
from loom_core.agent import Agent
from loom_core.errors import LoomError
from loom_core.messages import JSON
from loom_core.runtime.run import RunContext, RunResult, RuntimeTask
from loom_core.runtime.session import Session


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
        if job.fields.output.file is None or job.fields.output.format == "jsonl":
            require_stdout()
        return asyncio.run(_carry_out(job, build_agent(job.fields, invocation), answer, invocation))
    except LoomError as error:
        answer.fail(error)
        return tell(error, debug=invocation.debug)


async def _carry_out(job: Job, agent: Agent, answer: Answer, invocation: Invocation) -> int:
    async with agent.session(job.session) as session:
        outcome = await perform(session, job.task, RunContext(inputs=job.inputs), answer.show)
    result = outcome.result
    code = exit_code(result)
    answer.finish(result, session=_recorded(job, session), model=session.model, code=code)
    _last_words(job, session, outcome, invocation)
    if outcome.signal is not None:
        from loom_cli.signals import die_by

        die_by(outcome.signal)
    return code


def _recorded(job: Job, session: Session) -> str | None:
    return None if job.fields.session.save is False else session.id


def _last_words(job: Job, session: Session, outcome: Outcome, invocation: Invocation) -> None:
    """What standard error says at the end: what went wrong and how to go on, or what it took."""
    from loom_cli.failure import describe

    result, recorded = outcome.result, _recorded(job, session)
    resume = f"loom sessions resume {recorded}" if recorded else None
    if outcome.signal is not None:
        write_err(describe("interrupted" + (f"; go on with: {resume}" if resume else ""), None))
    elif result.error is not None:
        hint = "\n".join(line for line in (result.error.hint, resume and f"go on with: {resume}") if line)
        write_err(describe(str(result.error), hint or None))
    elif not invocation.quiet:
        write_err(describe(_summary(result, recorded), None))


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
