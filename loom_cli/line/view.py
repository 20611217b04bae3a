"""What stands below the transcript, and who is told what the person does there."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(slots=True)
class View:
    """The lower part of the screen as plain values. Whoever changes one calls `Screen.refresh`."""

    tail: str = ""
    """The unfinished part of the answer in progress."""
    activity: str = ""
    """What is going on."""
    hint: str = ""
    """A remark for the moment; it stands where the activity would."""
    queued: list[str] = field(default_factory=list)
    """What was said and the model has not seen yet."""
    status: str = ""
    placeholder: str = ""
    """Stands in an empty composer."""
    asking: Literal["", "choice", "reason"] = ""
    """Whether a question stands in the place of the composer, and what it wants: a key, or words."""
    choices: str = ""
    """The keys that answer the question; nothing while they do not yet."""


class Listener(Protocol):
    """Who is told what the person does."""

    def submitted(self, text: str) -> None:
        """A message or command was entered."""

    def interrupted(self) -> None:
        """Ctrl-C."""

    def leave(self) -> None:
        """Ctrl-D on an empty composer."""

    def take_back(self) -> str | None:
        """The latest queued text, which is queued no more; None where there is none."""

    def typed(self) -> None:
        """A key was pressed that answers nothing."""

    def answered(self, key: str) -> None:
        """A single key was pressed at a question."""

    def reasoned(self, reason: str | None) -> None:
        """The words for a no were entered; None: the person went back to the question."""
