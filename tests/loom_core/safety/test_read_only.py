"""Which commands run unasked."""

from pathlib import Path

import pytest

from loom_core.errors import ToolError
from loom_core.safety.executables import system_executable
from loom_core.safety.paths import WorkspacePaths
from loom_core.safety.read_only import read_only
from loom_core.safety.shell import plain_argv


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    (tmp_path / "src").mkdir()
    for name in ("f.txt", "src/a.py", ".env"):
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    return WorkspacePaths(tmp_path)


def unasked(command: str, workspace: WorkspacePaths) -> str | None:
    def readable(word: str) -> Path | None:
        try:
            return workspace.resolve(word)
        except ToolError:
            return None

    argv = plain_argv(command)
    assert argv is not None
    return read_only(argv, executable=lambda name: f"/usr/bin/{name}" if "/" not in name else None, readable=readable)


READING = [
    *("ls", "ls -la src", "ls -R --color=never", "pwd", "pwd -P", "cat f.txt", "cat -n -- f.txt", "head -20 f.txt"),
    *("head -n 5 f.txt src/a.py", "tail -n 20 f.txt", "tail -c +5 f.txt", "wc -l f.txt", "echo 'x; y' -n", "true x"),
    *("grep -n 'a|b;c' f.txt", "grep -e .env f.txt", "grep -inE -A 3 x src/a.py", "rg -n x f.txt", "uname -a"),
    *("whoami", "id", "date", "date -u +%s", "date -d yesterday", "which python3", "basename /a/b .x", "dirname /a/b"),
    *("stat f.txt", "file src/a.py", "du -sh src", "df -h .", "realpath src", "sort -k 2 -u f.txt", "uniq -c f.txt"),
    *("cut -d , -f1 f.txt", "nl f.txt", "seq 1 10", "find . -type f -maxdepth 2", "find src -name '*.py' -print"),
    *("find . -newer f.txt -o -size +1k", "cat not-there-yet"),
]


@pytest.mark.parametrize("command", READING)
def test_what_only_reads_the_workspace_is_on_the_list(workspace: WorkspacePaths, command: str) -> None:
    assert unasked(command, workspace) == f"read-only {command.split(maxsplit=1)[0]}"


ASKING = [
    # Programs not on the list, and those with too many faces.
    *("touch x", "git status", "git log", "env", "ps eww", "printf x", "test -v x", "tee x", "dd", "sed -n 1p f.txt"),
    *(
        "awk 1 f.txt",
        "tree",
        "less f.txt",
        "man ls",
        "jq . f.txt",
        "python3 x.py",
        "make",
        "tar tf x",
        "./ls",
        "xargs ls",
    ),
    # Options that write, run, follow, or read names from elsewhere, abbreviated too.
    *(
        "sort -o x f.txt",
        "sort -ox f.txt",
        "sort --output=x f.txt",
        "sort --outpu=x f.txt",
        "sort --compress-program=./p f",
    ),
    *(
        "sort -uo x f.txt",
        "sort -T /tmp f.txt",
        "sort --files0-from=f.txt",
        "uniq f.txt x",
        "date -s now",
        "date 01010101",
    ),
    *("date --set=now", "date -f f.txt", "date -r f.txt", "file -C -m x", "file -f f.txt", "wc --files0-from=f.txt"),
    *("tail -f f.txt", "tail -F f.txt", "tail --follow f.txt", "du --files0-from=f.txt", "grep -f .env f.txt"),
    *("grep --file=.env f.txt", "rg --pre ./p x f.txt", "rg --pre=./p x f.txt", "rg -z x f.txt", "head -n", "seq -1 5"),
    *(
        "find . -delete",
        "find . -exec ls ';'",
        "find . -ex''ec ls ';'",
        "find . -fprint x",
        "find . -fls x",
        "find -L .",
    ),
    *("find . -fprintf x y", "find . -ok ls ';'", "find . -files0-from f.txt", "find . -name", "stat -L link"),
    # Recursion, which reads secrets along with the rest.
    *(
        "grep -r x .",
        "grep -R x",
        "grep --recursive x .",
        "grep -d recurse x .",
        "rg x",
        "rg x .",
        "rg x src",
        "rg -. x f.txt",
    ),
    # What lies outside or is secret.
    *(
        "cat /etc/passwd",
        "cat ../x",
        "cat .env",
        "cat link",
        "cat src/../.env",
        "ls /",
        "ls ..",
        "ls -la /root",
        "wc -l .env",
    ),
    *("head -c 999 /proc/1/environ", "grep -e x .env", "grep -nex .env", "grep x f.txt .env", "grep '' .git/config"),
    *("find / -name x", "find .. -name x", "find . -newer /etc/passwd", "sort .env", "du -sh /", "cat '~/.ssh/id_rsa'"),
    *("rg x f.txt .env", "stat .env", "file /etc/shadow", "realpath /etc", "cat -- .env"),
]


@pytest.mark.parametrize("command", ASKING)
def test_everything_else_is_not(workspace: WorkspacePaths, command: str) -> None:
    assert unasked(command, workspace) is None


def test_a_program_is_trusted_only_in_a_system_directory(tmp_path: Path) -> None:
    fake = tmp_path / "ls"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    assert system_executable("ls", "/usr/bin:/bin") is not None
    assert system_executable("/bin/ls", "") is not None
    for name, search_path in (
        ("ls", f"{tmp_path}:/usr/bin"),
        ("ls", ".:/usr/bin"),
        ("ls", ":/usr/bin"),
        ("ls", ""),
        ("./ls", "/usr/bin"),
        ("bin/ls", "/usr/bin"),
        (str(fake), "/usr/bin"),
        ("no-such-program", "/usr/bin"),
        ("..", "/usr/bin"),
    ):
        assert system_executable(name, search_path) is None


def test_a_link_out_of_a_system_directory_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "ls").symlink_to("/bin/ls")
    assert system_executable(str(tmp_path / "ls"), "/usr/bin") is None
    assert system_executable(f"/usr/bin/../..{tmp_path}/ls", "/usr/bin") is None
