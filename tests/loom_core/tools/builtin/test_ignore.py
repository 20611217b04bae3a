"""What git ignores, compared with git itself."""

import os
import subprocess
from pathlib import Path

import pytest

from loom_core.tools.builtin.patterns import PathPattern
from loom_core.tools.builtin.walk import walk

FILES = (
    *("a.log", "keep.log", "a.txt", "#hash", "!bang", "sp ace", "trail ", "back\\slash", "[x]", "x", ".hidden"),
    *("build/out.o", "src/build/out.o", "src/a.log", "src/main.c", "src/deep/er/a.tmp", "src/deep/keep.tmp"),
    *("docs/api/index.html", "docs/x.html", "foo/bar/baz", "foo/baz", "abc/def/ghi", "logs/1/debug.log", "A.LOG"),
    *("node_modules/m/index.js", "src/node_modules/m/index.js", "tmp/keep/file", "tmp/other"),
)

CASES = {
    "names": "*.log\n",
    "negation": "*.log\n!keep.log\n",
    "last decides": "!keep.log\n*.log\n",
    "anchored": "/build\n/a.log\n",
    "anchored by a middle slash": "src/build\nfoo/bar\n",
    "directories only": "build/\nx/\n",
    "not below an ignored directory": "tmp/\n!tmp/keep/file\n",
    "below when entries are ignored": "tmp/*\n!tmp/keep\n",
    "leading stars": "**/build\n**/er/*.tmp\n",
    "trailing stars": "abc/**\nfoo/**/baz\n",
    "stars in the middle": "src/**/*.tmp\nlogs/**/debug.log\n",
    "stars that are no segment": "a**\nsrc/d**p/er\n",
    "escapes": "\\#hash\n\\!bang\nback\\\\slash\n\\[x\\]\n",
    "comments and blanks": "# a.log\n\n   \na.txt\n",
    "trailing spaces": "a.txt   \ntrail\\ \n",
    "brackets": "[ab].txt\n[!a].log\n[[:upper:]].LOG\nkee[^x].log\n",
    "open bracket": "[x\n",
    "question mark": "?.log\n??.log\n",
    "everything but": "/*\n!/src\n/src/*\n!/src/main.c\n",
    "crlf": "*.log\r\nbuild/\r\n",
    "byte order mark": "\ufeff*.log\n",
    "nothing": "/\n!\n\\\n",
    "slash only inside": "docs/*.html\n",
    "case": "*.LOG\n",
    "hidden": ".*\n",
}


def listed(root: Path) -> set[str]:
    return {
        Path(entry.path).relative_to(root).as_posix()
        for entry in walk(root, root, [PathPattern("**/*")], relative_to=root)
    }


def git(root: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=True
    ).stdout


def known_to_git(root: Path) -> set[str]:
    return set(git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")) - {""}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    git(root, "init", "--quiet")
    return root


@pytest.mark.parametrize("rules", CASES.values(), ids=CASES.keys())
def test_rules_mean_what_they_mean_to_git(tree: Path, rules: str) -> None:
    (tree / ".gitignore").write_text(rules, newline="")
    assert listed(tree) == known_to_git(tree)


def test_rules_of_lower_directories_come_first(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.log\n/src/deep\n")
    (tree / "src" / ".gitignore").write_text("!a.log\n/main.c\nbuild/\n")
    (tree / "docs" / ".gitignore").write_text("/api\nx.html\n")
    (tree / ".git" / "info" / "exclude").write_text("foo\n*.txt\n")
    assert listed(tree) == known_to_git(tree)


def test_rules_above_a_directory_hold_in_it(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.o\n/src/main.c\n")
    found = walk(tree / "src", tree / "src", [PathPattern("**/*")], relative_to=tree / "src")
    assert {entry.name for entry in found} & {"out.o", "main.c"} == set()


def test_rules_hold_without_a_repository_too_and_not_from_above_it(tmp_path: Path) -> None:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "root" / ".gitignore").write_text("*.log\n")
    (tmp_path / "root" / "sub" / "a.log").touch()
    (tmp_path / "root" / "sub" / "b.txt").touch()
    assert listed(tmp_path / "root") == {".gitignore", "sub/b.txt"}


def test_a_repository_within_has_its_own_rules(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.c\n")
    git(tree / "src", "init", "--quiet")
    assert "src/main.c" in listed(tree)


def test_links_are_not_followed_and_odd_entries_do_no_harm(tree: Path) -> None:
    (tree / "src" / "up").symlink_to("..")
    (tree / "src" / ".gitignore").symlink_to("/etc/passwd")
    os.mkfifo(tree / "docs" / ".gitignore")
    os.mkfifo(tree / "pipe")
    assert listed(tree) == set(FILES)
