"""`loom chat`: work with an agent in the terminal."""

from typing import Annotated

import typer

from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.options import AgentFlags, ChatFlags, SessionFlags
from loom_core.errors import UsageError

app = single()

EXAMPLES = """\
loom chat
loom chat "what does this project do?"
loom chat -c --mode plan
printf 'hello\\nand you?\\n' | loom chat --line"""


@command(app, "chat", examples=EXAMPLES)
def chat(
    agent: AgentFlags,
    sessions: SessionFlags,
    own: ChatFlags,
    invocation: Invocation,
    prompt: Annotated[
        str | None, typer.Argument(metavar="[PROMPT]", help="the first message", show_default=False)
    ] = None,
) -> None:
    """Work with an agent in the terminal; in a pipe --line answers each line, also one that begins with /."""
    from loom_cli.assembly import CHAT, chosen_session, said, settle
    from loom_cli.inputs import gather
    from loom_cli.line.opening import Opening, on_terminal, open_chat
    from loom_cli.option_fields import flags_layer
    from loom_cli.settings import settings_of

    if not own.line and not on_terminal():
        raise UsageError("chat needs a terminal; use run", hint='loom run -g "...", or loom chat --line for a pipe')
    flags = flags_layer(said(agent, sessions, own)).fields
    fields = settle(settings_of(invocation), flags, base=CHAT).fields
    opening = Opening(
        prompt=prompt,
        inputs=gather(fields.input, invocation, with_stdin=False),
        session=chosen_session(sessions, fields),
        title=own.title or "",
    )
    open_chat(fields, opening, invocation)
