"""What the assemblers of all wire formats share: reading an event, mending its text, naming its calls."""

import json
import os

import msgspec

from loom_core.errors import BadResponse
from loom_core.messages import JSON
from loom_core.providers.service import Service
from loom_core.providers.sse import ServerSentEvent


def decode(service: Service, event: ServerSentEvent) -> JSON:
    """An event's JSON. The standard library opens what msgspec refuses, half a surrogate pair above all."""
    try:
        return msgspec.json.decode(event.data)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(event.data)
    except (ValueError, RecursionError) as error:
        if not event.complete:
            raise BadResponse("the answer ends in the middle of an event", kind="truncated_stream") from error
        raise BadResponse(f"an event of the answer is no JSON: {service.conceal(event.data)[:80]!r}") from error


def mend(text: str) -> str:
    """`text` with surrogate pairs joined that came in two pieces, and lone halves replaced: no JSON carries them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def mend_all(value: JSON) -> JSON:
    """`value` with every text in it mended."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [mend_all(item) for item in value]
    return {mend(name): mend_all(item) for name, item in value.items()} if isinstance(value, dict) else value


def unique(call_id: str, taken: set[str]) -> str:
    """`call_id`, or a new one where it is missing or was used before (some servers begin at `call_1` in each turn)."""
    call_id = mend(call_id)
    if not call_id or call_id in taken:
        call_id = "call_" + os.urandom(6).hex()
    taken.add(call_id)
    return call_id


def cut_off(arguments: dict[str, JSON], invalid: str | None) -> str | None:
    """What is invalid about the last call of an answer that met its token limit: arguments that never came are not
    an empty object, and must not run as one.
    """
    if arguments or invalid is not None:
        return invalid
    return "(the answer met its token limit before the arguments)"


def count(value: JSON) -> int | None:
    """A number of tokens, or `None` for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
