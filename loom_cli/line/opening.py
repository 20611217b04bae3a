"""Opening a chat with settled fields, and what is said when it was left."""

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from loom_cli.assembly import build_agent
from loom_cli.fields import Fields
from loom_cli.invocation import Invocation
from loom_cli.output import STDIN, STDOUT, write_err
from loom_core.messages import JSON
from loom_core.runtime.session import SessionConfig

if TYPE_CHECKING:
    from loom_cli.line.chat import LineChat
    from loom_cli.line.plain import PlainChat
    from loom_core.agent import Agent

HISTORY = "history.jsonl"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat begins with."""

    prompt: str | None = None
    inputs: Mapping[str, JSON] = {}
    """Data that goes with the first message."""
    session: str | None = None
    """The id of a session to go on with; None begins one."""
    title: str = ""
    """Of a session that is begun."""


def on_terminal() -> bool:
    """Whether a person is at both ends."""
    return os.isatty(STDIN) and os.isatty(STDOUT)


def open_chat(fields: Fields, opening: Opening, invocation: Invocation) -> None:
    """Chat until it is left. A signal that ended it ends this process.

    On a terminal with a composer; elsewhere one answer a line of input. Raises `LoomError`.
    """
    chat = _chat(invocation)
    agent = build_agent(fields, invocation, approver=chat.approver)
    resumable = asyncio.run(_carry_on(chat, agent, opening))
    if resumable and fields.session.save is not False and not (invocation.quiet and chat.stopped_by is None):
        write_err(f"loom: to go on: loom sessions resume {resumable}\n")
    if chat.stopped_by is not None:
        from loom_cli.signals import die_by

        die_by(chat.stopped_by)


def _chat(invocation: Invocation) -> "LineChat | PlainChat":
    if on_terminal() and invocation.environment.get("TERM", "dumb") not in ("", "dumb"):
        from loom_cli.line.chat import LineChat
        from loom_cli.places import state_directory

        return LineChat(history=state_directory() / HISTORY, color=invocation.stdout_color)
    from loom_cli.line.plain import PlainChat

    return PlainChat(invocation, terminal=on_terminal())


async def _carry_on(chat: "LineChat | PlainChat", agent: "Agent", opening: Opening) -> str | None:
    """The whole chat; the id of the session where there is something in it to go on with."""
    async with agent.session(SessionConfig(id=opening.session, title=opening.title)) as session:
        await chat.run(agent, session, opening.prompt, inputs=opening.inputs)
    if session.messages:
        return session.id
    if opening.session is None and agent.config.session_store is not None:
        agent.config.session_store.delete(session.id)  # nothing was said in it
    return None
