"""The built-in tools as they are offered: names, facts, schemas, and what they cost to make."""

import subprocess
import sys
from typing import Any

import pytest

from loom_core.tools.builtin import files, shell
from loom_core.tools.spec import Tool

FACTS = ("name", "subject", "capability", "read_only", "destructive", "concurrency_safe")


def facts(tool: Tool) -> tuple[Any, ...]:
    return tuple(getattr(tool, fact) for fact in FACTS)


def test_the_file_tools() -> None:
    reading = [(name, "path", "files", True, False, True) for name in ("Read", "Glob", "Grep")]
    writing = [(name, "path", "files", False, False, False) for name in ("Write", "Edit")]
    assert [facts(tool) for tool in files(read_only=True)] == reading
    assert [facts(tool) for tool in files(read_only=False)] == reading + writing


@pytest.mark.parametrize("requires_approval", [True, False, None])
def test_the_shell_tool(requires_approval: bool | None) -> None:
    (tool,) = shell(requires_approval=requires_approval, timeout=60)
    assert facts(tool) == ("Shell", "command", "shell", False, False, False)
    assert tool.requires_approval is requires_approval
    assert tool.timeout is not None
    assert tool.timeout > 600


def test_the_subject_of_each_tool_is_one_of_its_arguments() -> None:
    for tool in (*files(read_only=False), *shell(requires_approval=None, timeout=60)):
        assert tool.subject in tool.parameters["properties"]
        assert tool.subject_kind == tool.subject
        assert tool.takes_context is not None
        assert tool.takes_context not in tool.parameters["properties"]


def test_every_argument_but_the_plainest_is_described() -> None:
    for tool in (*files(read_only=False), *shell(requires_approval=None, timeout=60)):
        undescribed = {name for name, schema in tool.parameters["properties"].items() if "description" not in schema}
        assert undescribed <= {"case_insensitive"}
        assert tool.description


@pytest.mark.parametrize(("asked", "works"), [(600, True), (601, False), (0, False), (None, True), ("5", False)])
def test_a_command_may_ask_for_ten_minutes(asked: Any, works: bool) -> None:
    (tool,) = shell(requires_approval=None, timeout=60)
    if works:
        assert tool.convert({"command": "true", "timeout": asked})["timeout"] == asked
    else:
        with pytest.raises(ValueError, match="timeout"):
            tool.convert({"command": "true", "timeout": asked})


def test_a_time_limit_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout=0"):
        shell(requires_approval=None, timeout=0)


def test_offering_the_tools_imports_none_of_their_work() -> None:
    code = (
        "import sys; from loom_core.tools.builtin import files, shell; files(read_only=False);"
        "shell(requires_approval=None, timeout=60); print(*sys.modules, sep='\\n')"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = {name.removeprefix("loom_core.tools.builtin.") for name in loaded if "tools.builtin." in name}
    assert ours == {"offered"}
    assert not {"difflib", "tempfile", "shutil", "json", "pydantic"} & set(loaded)
