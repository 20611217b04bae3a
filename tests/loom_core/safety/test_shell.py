"""The white list of commands whose meaning is certain, checked against bash itself."""

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loom_core.safety.script import analyse
from loom_core.safety.shell import plain_argv

PLAIN = {
    "ls": ["ls"],
    "  ls   -la  src ": ["ls", "-la", "src"],
    "grep -n \"a|b;c\" 'f 1.txt'": ["grep", "-n", "a|b;c", "f 1.txt"],
    "echo 'it costs $5'": ["echo", "it costs $5"],
    'echo "it costs \\$5" "a\\b" "\\\\" ""': ["echo", "it costs $5", "a\\b", "\\", ""],
    "git show HEAD~1 HEAD^ a=b @ x:y": ["git", "show", "HEAD~1", "HEAD^", "a=b", "@", "x:y"],
    "find . -ex''ec x": ["find", ".", "-exec", "x"],
    "cat 'größe.txt'": ["cat", "größe.txt"],
}


@pytest.mark.parametrize("command", PLAIN)
def test_a_plain_command_is_its_words(command: str) -> None:
    assert plain_argv(command) == PLAIN[command]


NOT_PLAIN = [
    *("", "   ", "''", "ls; x", "ls & x", "ls | x", "ls\nx", "ls\rx", "ls\tx", "ls #x", "(ls)", "{ ls; }", "! ls"),
    *("ls > f", "ls < f", "ls 2>&1", "cat <(x)", "echo $x", 'echo "$x"', "echo `x`", 'echo "`x`"', "echo $'x'"),
    *("ls *", "ls ?", "ls [a]", "ls {a,b}", "ls ~", "ls ~/x", "ls a=~", "ls :~", "x=1 ls", "x+=1", "time ls", "if x"),
    *(
        "ls \\x",
        "to\\\nuch x",
        "echo 'a",
        'echo "a',
        'echo "!x"',
        "echo \u200bx",
        "echo \x1b[8m",
        "echo é",
        "ls\u00a0x",
    ),
    *("echo '\ud800'", "echo " + "x" * 8192),
]


@pytest.mark.parametrize("command", NOT_PLAIN, ids=lambda command: repr(command[:20]))
def test_anything_more_is_not_plain(command: str) -> None:
    assert plain_argv(command) is None


BASH = shutil.which("bash")
TOKENS = st.sampled_from(
    (
        *("'", '"', "\\", " ", "$", "`", "~", "!", "#", "=", "*", "{a,b}", "^", "%", "@", ":", ";", "&", "é", "-", "a"),
        *("b ", " c", '"$', "'$(x)'", '"\\$"', "'*'", '"~"', "HEAD~1"),
    )
)


@pytest.mark.skipif(BASH is None, reason="compares with bash")
@settings(max_examples=150, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join))
@example("a=~ 'b'\"c\"d")
@example('"\\\\" "\\a" \'x\'~')
def test_bash_reads_a_plain_command_the_same_way(words: str) -> None:
    argv = plain_argv("f " + words)
    if argv is None:
        return
    script = f"f() {{ printf '%s\\0' f \"$@\"; }}\nf {words}"
    ran = subprocess.run([BASH or "", "--noprofile", "--norc", "-c", script], capture_output=True, check=True)
    assert ran.stdout.decode().split("\0")[:-1] == argv
    assert not ran.stderr


@given(st.lists(TOKENS, max_size=12).map("".join))
def test_what_is_plain_is_read_the_same_way_where_rules_look_for_parts(words: str) -> None:
    argv = plain_argv("f " + words)
    if argv is not None:
        assert analyse("f " + words).commands[0].words == tuple(argv)
