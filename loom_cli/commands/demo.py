"""`loom demo`: a session without a key. Tools, gate, approvals and log are real; the model's words are a script."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.output import STDIN, STDOUT, write_out

if TYPE_CHECKING:
    from loom_cli.line.chat import LineChat
    from loom_cli.line.paint import Line
    from loom_cli.line.transcript import Transcript
    from loom_core.agent import Agent
    from loom_core.events import Event, ModelResponse
    from loom_core.runtime.approvals import Approval, Approver
    from loom_core.runtime.session_store import FileSessionStore

app = single()

LABEL = "scripted model - no LLM is used"
_COLUMNS = 100
_SHOWN_DECISIONS = 2


@command(app, "demo", examples="loom demo\nloom demo </dev/null | cat")
def demo(invocation: Invocation) -> None:
    """See a short session work, without a key: everything is real but the model, whose words are a script."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="loom-demo-") as name:
        chat = _line_chat(invocation)
        good = _perform(Path(name).resolve(), chat, color=invocation.stdout_color)
    if chat is not None and chat.stopped_by is not None:
        from loom_cli.signals import die_by

        die_by(chat.stopped_by)
    if not good:
        raise typer.Exit(1)


def _line_chat(invocation: Invocation) -> "LineChat | None":
    """The chat on a terminal, or None where nobody is there to answer."""
    dumb = invocation.environment.get("TERM", "dumb") in ("", "dumb")
    if invocation.no_input or dumb or not (os.isatty(STDIN) and os.isatty(STDOUT)):
        return None
    from loom_cli.line.chat import LineChat

    return LineChat(history=None, color=invocation.stdout_color, label=LABEL)


def _perform(directory: Path, chat: "LineChat | None", *, color: bool) -> bool:
    """The whole demo; whether everything in it that was to work did."""
    from loom_cli.demo_script import make_workspace
    from loom_cli.line.paint import line
    from loom_cli.line.transcript import Transcript
    from loom_core.runtime.session_store import FileSessionStore

    workspace = directory / "workspace"
    workspace.mkdir()
    make_workspace(workspace)
    store = FileSessionStore(directory / "sessions")
    transcript = Transcript(write_out, color=color)
    agent = _agent(workspace, store, _answering(transcript) if chat is None else chat.approver)
    session, good = asyncio.run(_alone(agent, workspace, transcript) if chat is None else _together(agent, chat))
    if chat is not None and chat.stopped_by is not None:
        return good
    whole, lines = _report(store, session)
    transcript.tell("report", [line(), *lines] if chat is not None else lines)
    return good and whole


def _agent(workspace: Path, store: "FileSessionStore", approver: "Approver") -> "Agent":
    from loom_cli.demo_script import demo_environment, demo_model
    from loom_core.agent import Agent
    from loom_core.runtime.capability import Files, Shell
    from loom_core.runtime.governance import GovernancePolicy

    environment = demo_environment(os.environ)
    return Agent(
        model=demo_model(environment),
        capabilities=(Files(read_only=False), Shell(require_approval=False, timeout_s=30)),
        governance=GovernancePolicy.default(destructive=True),
        workspace=workspace,
        environment=environment,
        session_store=store,
        approver=approver,
    )


async def _together(agent: "Agent", chat: "LineChat") -> tuple[str, bool]:
    """With the person at the terminal, whose no is as good as a yes."""
    from loom_cli.demo_script import GOAL

    async with agent.session() as session:
        await chat.run(agent, session, GOAL, stay=False)
        return session.id, bool(session.runs) and session.runs[0].state != "failed"


async def _alone(agent: "Agent", workspace: Path, transcript: "Transcript") -> tuple[str, bool]:
    """Without anybody: the demo answers its own questions and says so."""
    from loom_cli.demo_script import GOAL, is_fixed
    from loom_cli.line.narrator import Narrator
    from loom_core.events import ModelResponse, ToolResulted

    transcript.tell("opening", _opening())
    narrator = Narrator(lambda: _COLUMNS)
    failed = False
    async with agent.session() as session:
        run = session.start(GOAL)
        async for event in run.events():
            if isinstance(event, ModelResponse):
                transcript.tell("answer", _words(event))
            failed = failed or (isinstance(event, ToolResulted) and event.is_error)
            transcript.tell("work", narrator.tell(event))
        result = await run.wait()
    return session.id, result.ok and not failed and is_fixed(workspace)


def _opening() -> "list[Line]":
    from loom_cli.line.narrator import note
    from loom_cli.line.paint import line

    return [line(f"loom demo: {LABEL}"), note("tools, gate, approvals and the session log are real")]


def _words(event: "ModelResponse") -> "list[Line]":
    from loom_cli.line.paint import line
    from loom_core.messages import Text

    words = "".join(part.text for part in event.parts if isinstance(part, Text))
    return [line(words)] if words else []


def _answering(transcript: "Transcript") -> "Approver":
    """Gives the demo's own yes, for all to see."""
    from loom_cli.line.paint import line
    from loom_cli.line.questions import CHOICES, question

    def answer(approval: "Approval") -> None:
        asked = question(approval, directory="the demo's temporary workspace", position="", columns=_COLUMNS)
        answered = [line(f"  {CHOICES}"), line("  nobody is here, so the demo answers: y")]
        transcript.tell("work", [*asked, *answered], apart=True, exact=True)
        approval.approve(by="demo")

    return answer


def _report(store: "FileSessionStore", session: str) -> "tuple[bool, list[Line]]":
    """What is left when the session is over: its log, which is checked, and what to do next."""
    from loom_cli.line.paint import Span, line
    from loom_core.events import ToolDecision

    found = store.verify(session)
    decisions = [event for event in store.read(session) if isinstance(event, ToolDecision) and event.action != "allow"]
    state = "whole" if not found.faults else "; ".join(found.faults)
    lines = [
        line(Span("What happened stands in the session's log", "strong"), " (removed with this demo's directory)"),
        line(f"  {store.path(session) / 'events.jsonl'}"),
        line(f"  verified: {found.events} events, {state}"),
        line("  each decision of the gate is one of them, here without its header:"),
        *(line("  ", Span(_without_header(event), "dim")) for event in decisions[:_SHOWN_DECISIONS]),
        line(),
        line(Span("That was a script. With a model:", "strong")),
        line("  export ANTHROPIC_API_KEY=...   (or OPENAI_API_KEY, DEEPSEEK_API_KEY), then: loom chat"),
        line("  or with a local server, ollama or llama.cpp, no key: loom chat"),
    ]
    return not found.faults, lines


def _without_header(event: "Event") -> str:
    """An event's JSON without what every event has."""
    from msgspec.structs import replace

    from loom_core.events import to_json

    return to_json(replace(event, v=0, id="", ts="", run="")).decode()
