"""`loom demo`: a session without a key. Tools, gate, approvals and log are real; the model's words are a script."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.output import STDIN, STDOUT, write_out

if TYPE_CHECKING:
    from loom_cli.line.chat import LineChat
    from loom_cli.render.paint import Line
    from loom_cli.render.scrollback import Scrollback
    from loom_core.agent import Agent
    from loom_core.events import Event, ModelResponse
    from loom_core.runtime.approvals import Approval, Approver
    from loom_core.runtime.session_store import FileSessionStore

app = single()

LABEL = "scripted model - no LLM is used"
_COLUMNS = 100
_SHOWN_DECISIONS = 2


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """How the session went."""

    session: str
    good: bool
    """Whether what was to work did."""
    signal: int | None
    """What ended it early, if a signal did."""


@command(app, "demo", examples="loom demo\nloom demo </dev/null | cat")
def demo(invocation: Invocation) -> None:
    """See a short session work, without a key: everything is real but the model, whose words are a script."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="loom-demo-") as name:
        played = _perform(Path(name).resolve(), invocation)
    if played.signal is not None:
        from loom_cli.signals import die_by

        die_by(played.signal)
    if not played.good:
        raise typer.Exit(1)


def _perform(directory: Path, invocation: Invocation) -> Played:
    """The whole demo."""
    from loom_cli.demo_script import make_workspace
    from loom_cli.render.scrollback import Scrollback
    from loom_core.runtime.session_store import FileSessionStore

    workspace = directory / "workspace"
    workspace.mkdir()
    make_workspace(workspace)
    store = FileSessionStore(directory / "sessions")
    scrollback = Scrollback(write_out, color=invocation.stdout_color)
    if _somebody_is_there(invocation):
        from loom_cli.line.chat import LineChat

        chat = LineChat(history=None, color=invocation.stdout_color, label=LABEL)
        played = asyncio.run(_together(_agent(workspace, store, chat.approver), chat))
        write_out("\n")
    else:
        played = asyncio.run(_alone(_agent(workspace, store, _answering(scrollback)), workspace, scrollback))
    if played.signal is not None:
        return played
    whole, lines = _report(store, played.session)
    scrollback.tell("report", lines)
    return msgspec.structs.replace(played, good=played.good and whole)


def _somebody_is_there(invocation: Invocation) -> bool:
    """Whether a person is at a terminal that can show a chat."""
    dumb = invocation.environment.get("TERM", "dumb") in ("", "dumb")
    return os.isatty(STDIN) and os.isatty(STDOUT) and not dumb and not invocation.no_input


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


async def _together(agent: "Agent", chat: "LineChat") -> Played:
    """With the person at the terminal, whose no is as good as a yes."""
    from loom_cli.demo_script import GOAL

    async with agent.session() as session:
        await chat.run(agent, session, GOAL, stay=False)
    good = all(run.state != "failed" for run in session.runs)
    return Played(session=session.id, good=good, signal=chat.stopped_by)


async def _alone(agent: "Agent", workspace: Path, scrollback: "Scrollback") -> Played:
    """Without anybody: the demo answers its own questions and says so."""
    from loom_cli.demo_script import GOAL, is_fixed
    from loom_cli.render.narrator import Narrator, note
    from loom_cli.render.paint import line
    from loom_cli.runner import perform
    from loom_core.events import ModelResponse, ToolResulted
    from loom_core.runtime.run import RunContext, RuntimeTask

    narrator, failures = Narrator(lambda: _COLUMNS), []

    async def show(event: "Event") -> None:
        if isinstance(event, ModelResponse):
            scrollback.tell("answer", _words(event))
        elif isinstance(event, ToolResulted) and event.is_error:
            failures.append(event)
        scrollback.tell("work", narrator.tell(event))

    title = line(f"loom demo: {LABEL}")
    scrollback.tell("opening", [title, note("tools, gate, approvals and the session log are real")])
    async with agent.session() as session:
        outcome = await perform(session, RuntimeTask(goal=GOAL), RunContext(), show)
    good = outcome.result.ok and not failures and is_fixed(workspace)
    return Played(session=session.id, good=good, signal=outcome.signal)


def _words(event: "ModelResponse") -> "list[Line]":
    from loom_cli.render.paint import line
    from loom_core.messages import Text

    words = "".join(part.text for part in event.parts if isinstance(part, Text))
    return [line(each) for each in words.split("\n")] if words else []


def _answering(scrollback: "Scrollback") -> "Approver":
    """Gives the demo's own yes, for all to see."""
    from loom_cli.line.questions import CHOICES, question
    from loom_cli.render.paint import line

    def answer(approval: "Approval") -> None:
        asked = question(approval, directory="the demo's temporary workspace", position="", columns=_COLUMNS)
        answered = [line(f"  {CHOICES}"), line("  nobody is here, so the demo answers: y")]
        scrollback.tell("work", [*asked, *answered], apart=True, exact=True)
        approval.approve(by="demo")

    return answer


def _report(store: "FileSessionStore", session: str) -> "tuple[bool, list[Line]]":
    """What is left when the session is over: its log, which is checked, and what to do next."""
    from loom_cli.render.paint import Span, line
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
    from loom_core.events import to_json

    return to_json(msgspec.structs.replace(event, v=0, id="", ts="", run="")).decode()
