"""`loom sessions resume`: go on with a session, in a chat or with one goal."""

from typing import Annotated

import typer

from loom_cli.fields import Fields
from loom_cli.invocation import Invocation
from loom_cli.options import AgentFlags, OutputFlags, ResumeFlags
from loom_core.errors import UsageError

EXAMPLES = """\
loom sessions resume
loom sessions resume 20260401-09 -g "now write the tests" """.rstrip()


def resume(
    *,
    agent: AgentFlags,
    own: ResumeFlags,
    output: OutputFlags,
    invocation: Invocation,
    reference: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="id, its beginning, @last or @N (@last)", show_default=False)
    ] = None,
) -> None:
    """Go on with a session: in a chat on a terminal, or with -g for one answer."""
    from loom_cli.assembly import CHAT, latest_session, said, settle
    from loom_cli.fields import BUILT_IN
    from loom_cli.option_fields import flags_layer
    from loom_cli.places import session_store
    from loom_cli.settings import settings_of

    if own.resume_latest and reference is not None:
        raise UsageError(f"--continue and {reference} contradict each other", hint="leave one of them out")
    session = latest_session() if own.resume_latest else session_store().find(reference or "@last")
    flags = flags_layer(said(agent, own, output)).fields
    fields = settle(settings_of(invocation), flags, base=CHAT if own.goal is None else BUILT_IN).fields
    if own.goal is None:
        _chat(fields, session, invocation)
    else:
        _once(fields, own.goal, session, invocation)


def _chat(fields: Fields, session: str, invocation: Invocation) -> None:
    from loom_cli.line.opening import Opening, on_terminal, open_chat

    if not on_terminal():
        raise UsageError("a chat needs a terminal", hint='-g "..." goes on with the session without one')
    open_chat(fields, Opening(session=session), invocation)


def _once(fields: Fields, goal: str, session: str, invocation: Invocation) -> None:
    from loom_cli.inputs import gather
    from loom_cli.oneshot import Job, carry_out
    from loom_core.runtime.run import RuntimeTask

    job = Job(fields=fields, task=RuntimeTask(goal=goal), inputs=gather(fields.input, invocation), session=session)
    raise typer.Exit(carry_out(job, invocation))
