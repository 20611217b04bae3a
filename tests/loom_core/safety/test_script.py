"""Every command a shell text may run is found, wherever it stands."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_core.safety.script import analyse

HIDDEN = {
    "list": "ls; touch X",
    "and": "ls&&touch X",
    "or": "ls || touch X",
    "background": "ls & touch X",
    "pipe": "ls |& touch X",
    "line": "ls\ntouch X",
    "after a comment": "ls #\ntouch X",
    "behind quotes that look open": "echo 'it'\\''s' # '\ntouch X\n#'",
    "many": "true;" * 300 + "touch X",
    "subshell": "(touch X)",
    "group": "{ touch X; }",
    "if": "if true; then touch X; fi",
    "else": "if false; then :; else touch X; fi",
    "for": "for i in 1; do touch X; done",
    "short for": "for i do touch X; done",
    "while": "while touch X; do break; done",
    "not": "! touch X",
    "case": "case x in x) touch X;; esac",
    "case in a substitution": 'echo "$(case x in x) touch X;; esac)"',
    "function": "f() { touch X; }; f",
    "function with its word": "function f { touch X; }; f",
    "coprocess": "coproc touch X",
    "substitution": "echo $(touch X)",
    "substitution in quotes": 'echo "a $(touch X) b"',
    "backticks": "echo `touch X`",
    "backticks in backticks": "echo `echo \\`touch X\\``",
    "parameter": "echo ${x:-$(touch X)}",
    "arithmetic": "echo $((a[$(touch X)]))",
    "process": "cat <(touch X)",
    "output process": "ls > >(touch X)",
    "assignment": "x=$(touch X) ls",
    "here-string": 'cat <<< "$(touch X)"',
    "here-document": "cat <<E\n$(touch X)\nE",
    "here-document for a shell": "bash <<'E'\ntouch X\nE",
    "here-document piped to a shell": "cat <<'E' | sh\ntouch X\nE",
    "here-string for a shell": "sh <<< 'touch X'",
    "behind a here-document": "cat <<'E'\nit's\nE\ntouch X",
    "behind an indented here-document": "cat <<-E\n\tit's\n\tE\ntouch X",
    "behind a here-document in quotes": "git commit -m \"$(cat <<'E'\nit's (odd\nE\n)\"; touch X",
    "behind what only looks like a here-document": "a[1<<x ]=5\ntouch X\nx",
    "behind a shift": "((x<<2))\ntouch X",
    "behind an open quote": "touch X\necho '",
    "substitution in evaluated data": "printf -v 'a[$(touch X)]' x",
    "backslash": "\\touch X",
    "split name": "t''ou\"c\"h X",
    "continued line": "to\\\nuch X",
    "escapes": "$'\\x74ou\\143h' X",
    "braces": "{touch,X}",
    "field separator": "touch${IFS}X",
    "environment": "A=1 B+=2 touch X",
    "redirection first": ">f touch X",
    "env": "env -i -u Y A=1 touch X",
    "env with a string": "env -S 'touch X'",
    "env with a joined string": "env '-Stouch X'",
    "nohup": "nohup touch X",
    "timeout": "timeout -k 1 5s touch X",
    "timeout with a computed time": "timeout $T touch X",
    "nice": "nice -n 5 timeout 3 env touch X",
    "stdbuf": "stdbuf -o0 touch X",
    "time": "time -p touch X",
    "sudo": "sudo -u root -- touch X",
    "command": "command touch X",
    "exec": "exec -a name touch X",
    "flock": "flock /tmp/f touch X",
    "flock with a string": "flock /tmp/f -c 'touch X'",
    "xargs": "ls | xargs -0 -n 1 touch X",
    "setsid": "setsid touch X",
    "script": "script -qc 'touch X' /dev/null",
    "watch": "watch -n 1 'touch X'",
    "busybox": "busybox touch X",
    "shell": "bash -lc 'touch X'",
    "shell with options": "bash -o pipefail -ec 'ls; touch X'",
    "shell in a shell": "sh -c \"bash -c 'touch X'\"",
    "eval": "eval touch X",
    "eval of quotes": "eval 'touch  X'",
    "builtin eval": "builtin eval touch X",
    "trap": "trap 'touch X' EXIT",
    "alias": "alias ls='touch X'",
    "find": "find . -name f -exec touch X ';'",
    "find with quotes": "find . -ex''ecdir touch X +",
    "behind a variable": "$SUDO touch X",
    "nested deeply": "echo $(echo $(echo $(echo `touch X`)))",
}


@pytest.mark.parametrize("source", HIDDEN.values(), ids=HIDDEN)
def test_a_command_is_found(source: str) -> None:
    assert any(text.startswith("touch X") for command in analyse(source).commands for text in command.texts)


ONLY_TEXT = {
    "quoted": "echo 'x; touch X' \"y && touch X\"",
    "message": "git commit -m 'do; touch X'",
    "comment": "ls # ; touch X",
    "document": "cat > f <<'E'\ntouch X\n$(touch X)\nE",
    "document with quotes": "cat <<'E'\nit's\ntouch X\nE\nls",
    "dollar": "echo '$(touch X)'",
}


@pytest.mark.parametrize("source", ONLY_TEXT.values(), ids=ONLY_TEXT)
def test_text_is_no_command(source: str) -> None:
    script = analyse(source)
    assert not script.opaque
    assert not any("touch" in text[:6] for command in script.commands for text in command.texts)


def test_a_program_named_by_its_path_has_a_second_text() -> None:
    assert analyse("/usr/bin/../bin/touch X").commands[0].texts == ("/usr/bin/../bin/touch X", "touch X")


def test_targets_of_redirections_are_told() -> None:
    targets = [target for command in analyse("a >b 2>>c &>d; e <f <>g >|h 3>&1").commands for target in command.targets]
    assert targets == ["b", "c", "d", "g", "h", "1"]


COMPUTED = [
    *(
        "$T X",
        "${T} X",
        "T=touch; $T X",
        '"$(echo touch)" X',
        "`echo touch` X",
        "/usr/bin/touc? X",
        "t*h X",
        "{t,x}ouch",
    ),
    *('eval "$X"', 'bash -c "$X"', "echo x | base64 -d | sh", "env $X", "echo 'open", "cat <<E$$\nE", "echo $(ls"),
    *("eval " * 9 + "ls", "env -u " * 90 + "X ls", "$(" * 60),
]


@pytest.mark.parametrize("source", COMPUTED, ids=lambda source: source[:30])
def test_what_is_known_only_at_run_time_is_said_to_be(source: str) -> None:
    assert analyse(source).opaque


@pytest.mark.parametrize(
    "source",
    [
        "ls $X",
        'rm "$(cat list)"',
        "[ -f x ] && ls",
        "[[ $x = y ]] && ls",
        "case $x in a) ls;; *) pwd;; esac",
        "for i in *; do cat $i; done",
        "a=$X",
    ],
)
def test_computed_arguments_leave_the_program_known(source: str) -> None:
    assert not analyse(source).opaque


SYNTAX = st.lists(
    st.sampled_from(
        (
            *("'", '"', "\\", "\n", "$(", ")", "(", "`", "${", "}", "{", "<<E", "<<'E'", "E", "\nE\n", "#", ";", "&"),
            *("|", ">", "<(", " ", "a", "case", " in ", "esac", "$((", "))", "$'", "[", "]", "env ", "sh -c ", "eval "),
        )
    ),
    max_size=40,
).map("".join)


@given(SYNTAX)
def test_no_text_is_too_odd_to_be_read(source: str) -> None:
    analyse(source)


@given(SYNTAX)
def test_a_command_on_a_line_of_its_own_is_found_before_any_text(tail: str) -> None:
    assert analyse("touch X\n" + tail).commands[0].words == ("touch", "X")


FRAGMENTS = (
    *(
        "'",
        '"',
        "\\",
        "\n",
        "$(",
        ")",
        "(",
        "`",
        "${",
        "}",
        "<<E",
        "<<'E'",
        "<<-E",
        "\nE\n",
        "E",
        "#",
        ";",
        "&",
        "|",
        " ",
        "a",
    ),
    *("case", " in ", " esac ", "x=", "[", "]", "((", "))", ":-", "if :;then ", " fi ", ">", "<<<", "$'", "$((", "<("),
    *("eval ", "\t", "!", "&&", " x) ", ";;", "time ", "{ ", " ;}", ": ", "\\\n", "[[ a ", " ]]", "a["),
)
COMMAND = ("\nmark\n", "; mark;", "$(mark)", "\nmark x\nE\n", " mark ")


@pytest.mark.skipif(shutil.which("bash") is None, reason="compares with bash")
def test_whatever_bash_runs_is_found_or_said_to_be_unknown(tmp_path: Path) -> None:
    """Random syntax, run by bash with nothing in reach but a function that leaves a mark."""
    chance, marks, ran = random.Random(3), tmp_path / "marks", 0
    for _ in range(250):
        pieces = [*chance.choices(FRAGMENTS, k=chance.randint(1, 8)), chance.choice(COMMAND), chance.choice(FRAGMENTS)]
        source = "".join(pieces)
        marks.write_text("")
        script = f"PATH=/nonexistent\nmark() {{ builtin echo mark >>'{marks}'; }}\n{source}"
        bash = ["/bin/bash", "--noprofile", "--norc", "-c", script]
        subprocess.run(bash, cwd=tmp_path, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=5)
        if marks.read_text():
            ran += 1
            found = analyse(source)
            assert found.opaque or any(command.program == "mark" for command in found.commands), source
    assert ran > 15


HOSTILE = {
    "quotes": "'" * 60_000,
    "substitutions": "$(" * 30_000,
    "backticks": "`\\" * 30_000,
    "parameters": "${" * 30_000,
    "wrappers": "env " * 15_000 + "ls",
    "options": "env -u X " * 7_000 + "ls",
    "functions": "a(){" * 15_000,
    "one word": "a" * 60_000,
    "documents": "<<E " * 15_000 + "\n",
    "nested shells": 'sh -c \'env env env "env env env a b" "c d"\' ' * 1000,
    "finds": "find " + "-exec sh -c 'ls; ls' " * 3000,
    "braces": "{a," * 20_000,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_in_reasonable_time(source: str) -> None:
    begun = time.process_time()
    analyse(source)
    assert time.process_time() - begun < 2
