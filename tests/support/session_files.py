"""Sessions on disk for tests: events to put in, and what stands there afterwards."""

from pathlib import Path

from loom_core.events import Event, UserMessage
from loom_core.runtime.session_log import FileLog
from loom_core.runtime.session_store import FileSessionStore


def message(text: str) -> UserMessage:
    """The simplest event that carries something."""
    return UserMessage(text=text)


def new_log(root: Path, *texts: str) -> FileLog:
    """An open log that holds a message for each text."""
    log = FileSessionStore(root).create(cwd="/work", session_id="s")
    for text in texts:
        log.append(message(text))
    return log


def closed_log(root: Path, *texts: str) -> Path:
    """The file of such a log, closed."""
    log = new_log(root, *texts)
    log.close()
    return root / "s" / "events.jsonl"


def texts(root: Path) -> list[str]:
    """The messages that can be read from the session."""
    return texts_of(list(FileSessionStore(root).read("s")))


def texts_of(events: list[Event]) -> list[str]:
    """The messages among the events, apart from what the log says of itself."""
    return [event.text for event in events if isinstance(event, UserMessage)]
