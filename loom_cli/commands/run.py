"""`loom run`: one goal, or a task file, and the answer on standard output."""

from pathlib import Path
from typing import Annotated

import typer

from loom_cli.fields import Task
from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.options import AgentFlags, OutputFlags, RunFlags, SessionFlags
from loom_core.errors import UsageError

app = single()

EXAMPLES = """\
loom run -g "explain src/parser.py"
git diff | loom run -g "review this"
loom run task.toml -p branch=main --json
loom run -g "fix the typo in README.md" --cap files=write --mode auto"""


@command(app, "run", examples=EXAMPLES)
def run(
    *,
    agent: AgentFlags,
    sessions: SessionFlags,
    own: RunFlags,
    output: OutputFlags,
    invocation: Invocation,
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK|-]", help="a task file; - reads it from stdin", show_default=False)
    ] = None,
) -> None:
    """Give an agent one goal and get the answer on standard output."""
    from loom_cli.assembly import chosen_session, said, settle
    from loom_cli.inputs import gather
    from loom_cli.oneshot import Job, carry_out
    from loom_cli.option_fields import flags_layer
    from loom_cli.settings import settings_of
    from loom_core.runtime.run import RuntimeTask

    flags = flags_layer(said(agent, sessions, own, output)).fields
    if task is None and own.param:
        raise UsageError(
            f"--param {own.param[0]} fills in a task's parameter, and no TASK is named", hint="loom run TASK -p K=V"
        )
    read = None if task is None else _task(task, own)
    setup = settle(settings_of(invocation), flags, read)
    for notice in setup.withheld:
        invocation.notice(notice)
    fields = setup.fields
    if not (fields.goal or "").strip():
        raise _no_goal(task)
    job = Job(
        fields=fields,
        task=RuntimeTask(goal=fields.goal or "", criteria=fields.criteria or (), metadata={"name": fields.name or ""}),
        inputs=gather(fields.input, invocation, with_stdin=task != "-"),
        session=chosen_session(sessions, fields),
    )
    if own.dry_run:
        from loom_cli.dry_run import show

        show(job, invocation)
        return
    raise typer.Exit(carry_out(job, invocation))


def _no_goal(task: str | None) -> UsageError:
    if task is None:
        return UsageError(
            "there is no goal", hint='say it with -g "...", or name a task file; loom run --help shows how'
        )
    return UsageError(f"{_source(task)}: there is no goal", hint='add goal = "..." to it, or say it with -g "..."')


def _source(reference: str) -> str:
    return "standard input" if reference == "-" else reference


def _task(reference: str, own: RunFlags) -> Task:
    from loom_cli.taskfile import bind, parse_task, read_task

    if reference != "-":
        return bind(read_task(Path(reference)).fields, own.param or ())
    from loom_cli.stdin import read_text

    layer = parse_task(read_text(), source=_source(reference), name="stdin", directory=Path.cwd())
    return bind(layer.fields, own.param or ())
