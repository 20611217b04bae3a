"""The tools every loom has: Read, Write, Edit, Glob, Grep, Shell."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_core.tools.spec import SubjectKind, Tool, ToolFunction

_ENDING = 10.0  # seconds beside a command's own limit, which comes first and keeps the output

# The searching process imports a part of this package and shall pay for nothing else: imports stand in the functions.


def files(*, read_only: bool) -> "tuple[Tool, ...]":
    """Read, Glob and Grep, which leave everything as it is; Write and Edit too where not `read_only`."""
    from loom_core.tools.builtin import offered

    reading = (
        _file_tool(offered.read, "Read"),
        _file_tool(offered.glob, "Glob"),
        _file_tool(offered.grep, "Grep"),
    )
    if read_only:
        return reading
    return (*reading, _file_tool(offered.write, "Write", writes=True), _file_tool(offered.edit, "Edit", writes=True))


def shell(*, requires_approval: bool | None, timeout: float) -> "tuple[Tool, ...]":
    """The Shell tool. Its commands get `timeout` seconds, unless a call asks for another time of up to 600."""
    from loom_core.tools.builtin.offered import LONGEST, shell_function
    from loom_core.tools.decorate import tool

    if timeout <= 0:
        raise ValueError(f"timeout={timeout!r} must be more than 0 seconds")
    made = tool(
        shell_function(timeout),
        name="Shell",
        requires_approval=requires_approval,
        timeout=max(timeout, LONGEST) + _ENDING,
        capability="shell",
    )
    return (_with_subject(made, "command"),)


def _file_tool(function: "ToolFunction", name: str, *, writes: bool = False) -> "Tool":
    from loom_core.tools.decorate import tool

    made = tool(function, name=name, read_only=not writes, concurrency_safe=not writes, capability="files")
    return _with_subject(made, "path")


def _with_subject(tool: "Tool", kind: "SubjectKind") -> "Tool":
    """Rules match the argument that has the kind's own name."""
    from msgspec.structs import replace

    return replace(tool, subject_kind=kind, subject=kind)
