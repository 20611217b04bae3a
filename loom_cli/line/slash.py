"""The commands of a chat: what a message that begins with `/` does instead of being sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, get_args

from loom_cli.render.narrator import note
from loom_cli.render.numbers import counted, dollars
from loom_cli.render.paint import Line, Span, line
from loom_cli.suggest import suggestion
from loom_core.errors import LoomError
from loom_core.runtime.governance import Mode

if TYPE_CHECKING:
    from loom_cli.line.status import Status
    from loom_core.agent import Agent
    from loom_core.runtime.session import Session

# A path like /usr/bin is no command, so only a lone word is one.
_COMMAND = re.compile(r"/([A-Za-z-]+)(?: +(.*))?")
MODES: tuple[Mode, ...] = get_args(Mode)


class Chat(Protocol):
    """What a command can do to a chat."""

    agent: "Agent"
    session: "Session"
    status: "Status"

    def tell(self, lines: list[Line]) -> None:
        """Print lines."""

    def leave(self) -> None:
        """End the chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """One of them."""

    name: str
    help: str
    run: Callable[[Chat, str], None]
    """Called with what stands behind the name."""
    argument: str = ""
    """How the help calls what may stand behind the name."""

    @property
    def usage(self) -> str:
        """`/model [PROVIDER:NAME]`."""
        return f"/{self.name} {self.argument}".rstrip()


def parse(text: str) -> tuple[str, str] | None:
    """Name and argument of a command, or None where the text is a message."""
    found = _COMMAND.fullmatch(text.strip())
    return None if found is None else (found[1].lower(), (found[2] or "").strip())


def literal(text: str) -> str:
    """The message a text stands for: a doubled slash at its beginning is a single one."""
    return text[1:] if text.startswith("//") else text


def obey(chat: Chat, name: str, argument: str) -> None:
    """Carry out a command, or say what may have been meant."""
    command = COMMANDS.get(name)
    if command is None:
        hint = suggestion(f"/{name}", [f"/{known}" for known in COMMANDS]) or "/help lists them"
        chat.tell([note(f"there is no command /{name}; {hint}", mark="!"), note("  to send it, begin with //")])
        return
    try:
        command.run(chat, argument)
    except LoomError as error:
        advice = [note(f"  {each}") for each in (error.hint or "").splitlines()]
        chat.tell([note(f"/{name}: {error}", mark="!"), *advice])
    except ValueError as error:
        chat.tell([note(f"/{name}: {error}", mark="!")])


def _help(chat: Chat, _: str) -> None:
    lines = [_entry(each.usage, each.help) for each in COMMANDS.values()]
    chat.tell([*lines, line(), *(_entry(key, what) for key, what in KEYS)])


KEYS = (
    ("Enter", "send; during an answer: for the next turn"),
    ("Alt-Enter, Ctrl-J", "a new line"),
    ("Up", "on an empty line: take back what is queued"),
    ("Up, Down, Ctrl-R", "go through and search what was typed before"),
    ("Tab", "complete a /command or an @file; again: choose"),
    ("Ctrl-C", "cancel the answer; clear the line; twice: leave"),
    ("Ctrl-D", "on an empty line: leave"),
    ("//...", "send a message that begins with /"),
)


def _entry(term: str, meaning: str) -> Line:
    return line(f"  {term:<26}", Span(meaning, "dim"))


def _model(chat: Chat, argument: str) -> None:
    if not argument:
        chat.tell([note(f"{chat.session.model}; /model PROVIDER:NAME changes it")])
        return
    provider = chat.agent.connection(argument)()  # nothing is sent yet, but what cannot be reached is said now
    chat.session.use_model(argument, lambda: provider)
    chat.status.model = argument
    chat.tell([note(f"from now on {argument} answers")])


def _mode(chat: Chat, argument: str) -> None:
    if not argument:
        chat.tell([note(f"mode {chat.session.gate.mode}; /mode {'|'.join(MODES)} changes it")])
        return
    mode = next((each for each in MODES if each == argument), None)
    if mode is None:
        raise ValueError(f"{argument!r} is not one of {', '.join(MODES)}")
    chat.session.gate.mode = mode
    chat.tell([note(f"mode {mode}: {_MODE_MEANS[mode]}")])


_MODE_MEANS = {
    "plan": "nothing that changes anything runs",
    "default": "you are asked about what changes something",
    "auto": "what no rule denies runs without a question",
}


def _context(chat: Chat, _: str) -> None:
    from loom_cli.line.context_report import context_lines

    chat.tell(context_lines(chat.agent.config, chat.session.messages, chat.status.last, chat.session.model))


def _cost(chat: Chat, _: str) -> None:
    usage = chat.status.usage
    cost = "price not known" if chat.status.cost_usd is None else dollars(chat.status.cost_usd)
    cached = f" ({usage.cached_tokens:,} from the cache)" if usage.cached_tokens else ""
    tokens = f"{usage.input_tokens or 0:,} tokens in{cached}, {usage.output_tokens or 0:,} out"
    chat.tell([note(f"this session: {cost}; {counted(chat.status.requests, 'request')}, {tokens}")])


def _sessions(chat: Chat, _: str) -> None:
    store = chat.agent.config.session_store
    if store is None:
        chat.tell([note("this chat is not recorded")])
        return
    lines = []
    for info in store.list(10):
        here = "here" if info.id == chat.session.id else info.state
        when = info.updated[:16].replace("T", " ")
        lines.append(line(f"  {info.id}  ", Span(f"{when}  {here:<10}", "dim"), f"  {info.title or '-'}"))
    chat.tell([*lines, note("to open one: leave, then loom sessions resume ID")])


def _clear(chat: Chat, _: str) -> None:
    chat.session.clear()
    chat.tell([note("the conversation starts afresh; what was said stays in the log")])


def _quit(chat: Chat, _: str) -> None:
    chat.leave()


COMMANDS = {
    each.name: each
    for each in (
        SlashCommand(name="help", help="the commands and keys", run=_help),
        SlashCommand(name="model", argument="[PROVIDER:NAME]", help="which model answers, or another", run=_model),
        SlashCommand(name="mode", argument="[default|plan|auto]", help="what runs without a question", run=_mode),
        SlashCommand(name="context", help="what fills the next request", run=_context),
        SlashCommand(name="cost", help="tokens and money so far", run=_cost),
        SlashCommand(name="sessions", help="recent sessions", run=_sessions),
        SlashCommand(name="clear", help="forget the conversation, keep the log", run=_clear),
        SlashCommand(name="quit", help="leave; the session can be resumed", run=_quit),
    )
}
