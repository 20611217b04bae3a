"""What holds for one run, from the user's settings, the task file and the flags."""

import msgspec

from loom_cli.fields import Task, over
from loom_cli.grants import Grants, narrow, withheld
from loom_cli.settings import Settings
from loom_core.errors import UsageError


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that hold, and what the task asked for in vain."""

    fields: Task
    withheld: tuple[str, ...] = ()


def resolve(settings: Settings, flags: Task, task: Task | None = None) -> Resolved:
    """Flags before the task before the settings; but rights and limits are the user's, narrowed by the task's.

    Raises `UsageError` where a flag says nothing beside what holds.
    """
    task = Task() if task is None else task
    user = over(flags, settings.fields)
    granted = Grants.of(user)
    grants = narrow(granted, task)
    wished = over(flags, over(task, settings.fields))
    fields = msgspec.structs.replace(
        wished,
        # Whoever names the server, or adds to the request (which may name further ones), is told the conversation.
        model=msgspec.structs.replace(wished.model, base_url=user.model.base_url, extensions=user.model.extensions),
        capabilities=grants.capabilities,
        governance=msgspec.structs.replace(grants.governance, on_denied=wished.governance.on_denied),
        budget=grants.budget,
    )
    if flags.output.append and wished.output.file is None:
        raise UsageError("--append adds to a file, and no --output names one", hint="name it: -o FILE")
    refused = [*withheld(granted, task)]
    if task.output.file is not None and flags.output.file is None and granted.capabilities.files.mode != "write":
        # The answer is the model's words: a file of them is a write like any other.
        fields = msgspec.structs.replace(fields, output=msgspec.structs.replace(fields.output, file=user.output.file))
        refused.append(f"the task writes {task.output.file}, which is not granted: -o {task.output.file}")
    return Resolved(fields=fields, withheld=tuple(refused))
