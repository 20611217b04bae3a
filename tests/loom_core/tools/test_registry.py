"""Tools by name: in order, unique, and never an unknown one without a word."""

import pytest
from msgspec.structs import replace

from loom_core.errors import ToolError
from loom_core.tools.decorate import tool
from loom_core.tools.registry import ToolRegistry


@tool(name="Read", capability="files")
def read(path: str) -> str:
    return path


@tool(name="Grep", capability="files")
def grep(pattern: str) -> str:
    return pattern


def test_tools_keep_their_order() -> None:
    registry = ToolRegistry([read, grep])
    assert registry.names == ("Read", "Grep")
    assert [definition.name for definition in registry.definitions] == ["Read", "Grep"]
    assert registry.get("Grep") is grep
    assert "Read" in registry
    assert len(registry) == 2


def test_two_tools_of_one_name_are_refused_with_both_owners() -> None:
    with pytest.raises(ValueError, match="Read comes from both 'files' and 'mine'"):
        ToolRegistry([read, replace(read, capability="mine")])


@pytest.mark.parametrize(
    ("name", "words"),
    [("read", "did you mean Read"), ("Grepp", "did you mean Grep"), ("Fly", "there are Read, Grep")],
)
def test_an_unknown_name_is_an_error_the_model_can_read(name: str, words: str) -> None:
    registry = ToolRegistry([read, grep])
    assert registry.find(name) is None
    with pytest.raises(ToolError, match=words):
        registry.get(name)


def test_an_empty_registry_says_so() -> None:
    with pytest.raises(ToolError, match="none are available"):
        ToolRegistry().get("Read")
