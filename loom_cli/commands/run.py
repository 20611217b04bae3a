"""`loom run`: one goal, or a task file, and the answer on standard output."""

from pathlib import Path
from typing import Annotated

import typer

from loom_cli.fields import Task
from loom_cli.flags import given
from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.options import AgentFlags, RunFlags, SessionFlags
from loom_core.errors import UsageError

app = single()

EXAMPLES = """\
loom run -g "explain src/parser.py"
git diff | loom run -g "review this"
loom run task.toml -p branch=main --json
loom run -g "fix the typo in README.md" --cap files=write --mode auto"""


@command(app, "run", examples=EXAMPLES)
def run(
    agent: AgentFlags,
    sessions: SessionFlags,
    own: RunFlags,
    invocation: Invocation,
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK|-]", help="a task file; - reads it from stdin", show_default=False)
    ] = None,
) -> None:
    """Give an agent one goal and get the answer on standard output."""
    from loom_cli.assembly import settle
    from loom_cli.inputs import gather
    from loom_cli.oneshot import Job, carry_out
    from loom_cli.option_fields import flags_layer
    from loom_cli.places import settings_of
    from loom_core.runtime.run import RuntimeTask

    flags = flags_layer(given(agent, sessions, own)).fields
    read = None if task is None else _task(task, own)
    setup = settle(settings_of(invocation), flags, read)
    for notice in setup.notices:
        invocation.notice(notice)
    goal = flags.goal or (read.goal if read is not None else None)
    if not goal or not goal.strip():
        raise UsageError("there is no goal", hint='say it with -g "...", or name a task file; loom run --help shows how')
    fields = setup.fields
    inputs = gather(fields.input, invocation, read_stdin=task != "-")
    job = Job(
        fields=fields,
        task=RuntimeTask(
            goal=goal,
            criteria=(read.criteria if read is not None else None) or (),
            metadata={"name": (read.name if read is not None else None) or ""},
        ),
        inputs=inputs,
        session=_session(sessions, fields),
    )
    if own.dry_run:
        from loom_cli.dry_run import show

        show(job, invocation)
        return
    raise typer.Exit(carry_out(job, invocation))


def _task(reference: str, own: RunFlags) -> Task:
    from loom_cli.taskfile import bind, parse_task, read_task

    if reference != "-":
        return bind(read_task(Path(reference)).fields, own.param or ())
    from loom_cli.stdin import read_all

    layer = parse_task(read_all(), source="standard input", name="stdin", directory=Path.cwd())
    return bind(layer.fields, own.param or ())
