"""What a child process inherits."""

import pytest

from loom_core.safety.environment import child_environment

PARENT = {
    "PATH": "/usr/bin:.::bin:/bin",
    "HOME": "/home/x",
    "USER": "x",
    "LANG": "de_DE.UTF-8",
    "LC_TIME": "C",
    "LC_SECRET_TOKEN": "abc",
    "TERM": "xterm",
    "EDITOR": "vim",
    "ANTHROPIC_API_KEY": "sk-ant-1",
    "OPENAI_API_KEY": "sk-2",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "eu",
    "AWS_PROFILE": "https://u:p@host/",
    "LD_PRELOAD": "./evil.so",
    "BASH_ENV": "./evil.sh",
    "BASH_FUNC_ls%%": "() { evil; }",
    "GIT_EXTERNAL_DIFF": "./evil",
    "PYTHONPATH": ".",
    "SSH_AUTH_SOCK": "/run/agent",
}


def test_nothing_is_inherited_that_is_not_on_the_list() -> None:
    child = child_environment(PARENT)
    inherited = {name for name, value in child.items() if PARENT.get(name) == value}
    assert inherited == {"HOME", "USER", "LANG", "LC_TIME"}


def test_the_search_path_has_no_entry_of_the_working_directory() -> None:
    assert child_environment(PARENT)["PATH"] == "/usr/bin:/bin"


def test_nothing_waits_for_a_person() -> None:
    child = child_environment(PARENT)
    settings = {name: child[name] for name in ("GIT_TERMINAL_PROMPT", "GIT_EDITOR", "PAGER", "TERM", "EDITOR")}
    assert settings == {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "PAGER": "cat",
        "TERM": "dumb",
        "EDITOR": "true",
    }
    assert child["DEBIAN_FRONTEND"] == "noninteractive"


def test_text_is_utf8_where_nothing_is_said() -> None:
    assert child_environment({})["LANG"] == "C.UTF-8"


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "SSH_AUTH_SOCK", "EDITOR", "PYTHONPATH"])
def test_a_name_the_user_lists_is_granted(name: str) -> None:
    assert child_environment(PARENT, (name,))[name] == PARENT[name]


def test_a_pattern_grants_no_secrets() -> None:
    child = child_environment(PARENT, ("AWS_*", "ABSENT"))
    assert child["AWS_REGION"] == "eu"
    assert not {"AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "ABSENT"} & child.keys()


def test_the_parent_is_not_changed() -> None:
    before = dict(PARENT)
    child_environment(PARENT, ("AWS_*",))["PATH"] = "x"
    assert before == PARENT
