"""How partitions become text: the system prompt, and a user's words with the data that came along.

Instruction and data never mix: data stands in a labelled block whose closing tag cannot occur inside it.
"""

import json
import re
from collections.abc import Iterable

from loom_core.events import InputData, UserMessage
from loom_core.messages import Message, user


def render_system(instructions: str, memory: Iterable[str] = (), facts: Iterable[str] = ()) -> str:
    """The stable head of every request: what the model is, what it should remember, where it works."""
    return "\n\n".join(text for text in (instructions.strip(), *memory, "\n".join(facts)) if text)


def render_user(event: UserMessage) -> Message:
    """The message of one `user.message` event: the words first, then criteria, then each input in its block."""
    blocks = [event.text]
    if event.criteria:
        blocks.append("The result must meet these criteria:\n" + "\n".join(f"- {line}" for line in event.criteria))
    blocks.extend(render_input(data) for data in event.inputs)
    return user("\n\n".join(block for block in blocks if block))


def render_input(data: InputData) -> str:
    """One block of data, fenced and labelled; a closing tag inside it is escaped."""
    name = re.sub(r'[<>"\s]+', "-", data.name)
    body = re.sub(r"<(?=/?input\b)", "&lt;", data.text, flags=re.IGNORECASE)
    return f'<input name="{name}" bytes="{data.bytes}" sha256="{data.sha256}">\n{body}\n</input>'


def input_data(name: str, value: object) -> InputData:
    """A named value as data: text as it is, anything else as JSON, with size and digest of what is shown.

    What is `InputData` already stays as it is.

    Raises `TypeError` where JSON cannot say the value.
    """
    import hashlib

    if isinstance(value, InputData):
        return value
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"inputs.{name}: JSON cannot say this value ({error})") from None
    raw = text.encode("utf-8", "backslashreplace")
    return InputData(name=name, text=text, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
