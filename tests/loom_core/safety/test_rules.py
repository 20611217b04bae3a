"""The rule language: what it accepts, what a rule that forbids touches, and what a rule that allows covers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.safety.rules import Rule, Subject, exact_rule
from loom_core.safety.script import analyse


def shell(command: str) -> Subject:
    return Subject(tool="Shell", arguments={"command": command}, script=analyse(command))


def file(tool: str, relative: str) -> Subject:
    return Subject(tool=tool, arguments={"path": relative}, path=Path("/ws") / relative, relative=relative)


@pytest.mark.parametrize(
    "text",
    [
        *("", "Shell(", "Shell()", "Shell)", "Shell(x) y", "(x)", "git *", "Shell(x", "1x", "a*b", "Shell (x)", "**"),
        *("Edit(!x)", "Read(../x)"),
    ],
)
def test_a_rule_that_is_none_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|start it with"):
        Rule.parse(text)


def test_a_rule_shows_as_it_was_written() -> None:
    assert str(Rule.parse(" Bash(git (x) *) ")) == "Bash(git (x) *)"


@pytest.mark.parametrize(
    ("rule", "tool", "named"),
    [
        ("Read", "Read", True),
        ("read", "Read", True),
        ("Read", "ReadAll", False),
        ("Bash", "Shell", True),
        ("*", "Anything", True),
        ("mcp__files__*", "mcp__files__read", True),
        ("mcp__files__*", "mcp__other__read", False),
    ],
)
def test_a_rule_names_a_tool(rule: str, tool: str, named: bool) -> None:
    subject = Subject(tool=tool, arguments={})
    assert Rule.parse(rule).touches(subject) is named
    assert Rule.parse(rule).covers(subject) is named


COMMANDS = {
    # rule, command, forbidden or asked for, allowed
    "the words": ("git log *", "git log -1", True, True),
    "without more": ("git log *", "git log", True, True),
    "colon": ("git log:*", "git log -1", True, True),
    "word boundary": ("ls *", "lsof", False, False),
    "exact": ("git status", "git status", True, True),
    "more than exact": ("git status", "git status -s", False, False),
    "quotes": ("rm *", "r''m x", True, True),
    "path of the program": ("rm *", "/bin/rm x", True, False),
    "second of a list": ("rm *", "ls && rm x", True, False),
    "first of a list": ("ls *", "ls && rm x", True, False),
    "exact list": ("ls && rm x", "ls && rm x", True, True),
    "substitution": ("rm *", "echo $(rm x)", True, False),
    "redirection": ("ls *", "ls > f", True, False),
    "assignment": ("ls *", "PATH=. ls", True, False),
    "variable": ("cat *", "cat $X", True, False),
    "transparent wrapper": ("npm test *", "timeout 5 npm test", True, True),
    "two transparent wrappers": ("npm test *", "nohup nice -n 5 npm test", True, True),
    "wrapper alone": ("timeout *", "timeout 5 rm x", True, False),
    "other wrapper": ("rm *", "sudo rm x", True, False),
    "shell": ("rm *", "bash -c 'rm x'", True, False),
    "shell by its own name": ("bash *", "bash -c 'rm x'", True, False),
    "script of a shell": ("bash *", "bash build.sh", True, True),
    "find runs another": ("find *", "find . -exec rm x ';'", True, False),
    "argument with a space is one": ("scp * backup:", "scp secret 'evil: backup:'", True, False),
    "same look in other letters": ("git status *", "g\u0456t status", False, False),
    "whole source": ("*secret*", "cat <<E\nsecret\nE", True, False),
}


@pytest.mark.parametrize(("pattern", "command", "touched", "covered"), COMMANDS.values(), ids=COMMANDS)
def test_a_shell_rule_touches_any_part_and_covers_only_the_whole(
    pattern: str, command: str, touched: bool, covered: bool
) -> None:
    rule = Rule.parse(f"Shell({pattern})")
    assert rule.touches(shell(command)) is touched
    assert rule.covers(shell(command)) is covered


@pytest.mark.parametrize("rule", ["Shell", "Shell(*)", "Bash", "*"])
def test_the_tool_alone_is_every_command(rule: str) -> None:
    assert Rule.parse(rule).covers(shell("ls | tee $X > f"))


def test_every_part_of_a_long_command_is_looked_at() -> None:
    assert Rule.parse("Shell(rm *)").touches(shell("true;" * 500 + "rm x"))


PATHS = {
    "below": ("Edit(src/**)", "Edit", "src/a/b.py", True),
    "beside": ("Edit(src/**)", "Edit", "test/src/b.py", False),
    "name": ("Edit(*.py)", "Edit", "x/a.py", True),
    "from here": ("Edit(./a.py)", "Edit", "x/a.py", False),
    "from the root": ("Edit(//ws/src/**)", "Edit", "src/a", True),
    "from another root": ("Edit(//etc/**)", "Edit", "src/a", False),
    "home": ("Edit(~/x)", "Edit", "x", False),
    "other tool": ("Read(src/**)", "Edit", "src/a", False),
    "everything": ("Edit(**)", "Edit", "src/a", True),
}


@pytest.mark.parametrize(("rule", "tool", "path", "applies"), PATHS.values(), ids=PATHS)
def test_a_path_rule(rule: str, tool: str, path: str, applies: bool) -> None:
    assert Rule.parse(rule).touches(file(tool, path)) is applies
    assert Rule.parse(rule).covers(file(tool, path)) is applies


def test_a_home_pattern_reaches_the_home(isolated: Path) -> None:
    subject = Subject(tool="Read", arguments={}, path=isolated / "notes" / "x", relative=None)
    assert Rule.parse("Read(~/notes/**)").covers(subject)
    assert not Rule.parse("Read(notes/**)").covers(subject)


ARGUMENTS = {
    "value": ("Fetch(domain:*.org)", {"domain": "a.org"}, True, True),
    "other value": ("Fetch(domain:*.org)", {"domain": "a.com"}, False, False),
    "absent": ("Fetch(domain:*)", {}, False, False),
    "number": ("Fetch(depth:2)", {"depth": 2}, True, True),
    "truth": ("Fetch(follow:true)", {"follow": True}, True, True),
    "unreadable for this tool": ("Fetch(example.org)", {"domain": "x"}, True, False),
}


@pytest.mark.parametrize(("rule", "arguments", "touched", "covered"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_rule(rule: str, arguments: dict[str, object], touched: bool, covered: bool) -> None:
    subject = Subject(tool="Fetch", arguments=arguments)
    assert Rule.parse(rule).touches(subject) is touched
    assert Rule.parse(rule).covers(subject) is covered


COMMAND_TEXT = st.text(alphabet="ls *\\();&|'\"$x\n:", min_size=1).filter(lambda text: bool(text.strip()))


@given(COMMAND_TEXT, COMMAND_TEXT)
def test_the_exact_rule_of_a_command_covers_it_and_no_other(command: str, other: str) -> None:
    rule = Rule.parse(exact_rule(shell(command)))
    assert rule.covers(shell(command))
    if other.strip() != command.strip():
        assert not rule.covers(shell(other)) or shell(other).plain == (command,)


@pytest.mark.parametrize("name", ["a.py", "src/[x]*?.py", "a b", "!x", "#x", "\\x", "sub/Ö"])
def test_the_exact_rule_of_a_path_covers_it_and_no_other(name: str) -> None:
    rule = Rule.parse(exact_rule(file("Edit", name)))
    assert rule.covers(file("Edit", name))
    assert not rule.covers(file("Edit", "x" + name))
    assert not rule.covers(file("Edit", "deeper/" + name))
    assert not rule.covers(file("Write", name))


def test_the_exact_rule_of_a_path_elsewhere_names_it_from_the_root() -> None:
    subject = Subject(tool="Read", arguments={}, path=Path("/other/*"), relative=None)
    rule = Rule.parse(exact_rule(subject))
    assert str(rule) == r"Read(//other/\*)"
    assert rule.covers(subject)


def test_the_exact_rule_of_another_tool_is_its_name() -> None:
    assert exact_rule(Subject(tool="Fetch", arguments={"url": "x"})) == "Fetch"
