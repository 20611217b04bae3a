"""What of the file system a session may touch."""

from pathlib import Path

import pytest

from loom_core.errors import ToolError
from loom_core.safety.paths import PathRefused, WorkspacePaths


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    for name in ("src/a.py", "b.txt", ".git/config", ".git/hooks/pre-commit", "private/x", ".gitignore"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "ws-evil").mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link").symlink_to(tmp_path / "outside.txt")
    (root / "linked").symlink_to("/etc")
    (root / "inner").symlink_to("src")
    (root / "loop").symlink_to("loop")
    (root / "config").symlink_to(".git")
    return root


INSIDE = {
    "relative": ("src/a.py", "src/a.py"),
    "dot": (".", ""),
    "up and down again": ("src/../b.txt", "b.txt"),
    "not there yet": ("new/dir/file", "new/dir/file"),
    "link within": ("inner/a.py", "src/a.py"),
    "name like a tilde": ("./~", "~"),
    "begins like a secret": ("id_generator.py", "id_generator.py"),
    "example of an environment": (".env.example", ".env.example"),
    "git's neighbour": (".gitignore", ".gitignore"),
    "strange name": ("a\nb $(touch x) \x1b]0;x\x07.txt", "a\nb $(touch x) \x1b]0;x\x07.txt"),
}


@pytest.mark.parametrize(("path", "real"), INSIDE.values(), ids=INSIDE)
def test_a_path_inside_is_resolved(tree: Path, path: str, real: str) -> None:
    workspace = WorkspacePaths(tree)
    for meant in (path, str(tree / path)):
        assert workspace.resolve(meant) == tree.resolve() / real
        assert workspace.resolve(meant, write=True) == tree.resolve() / real


REFUSED = {
    "parent": ("../outside.txt", "workspace"),
    "far parent": ("../../../../etc/passwd", "workspace"),
    "hidden parent": ("src/../../outside.txt", "workspace"),
    "absolute": ("/etc/passwd", "workspace"),
    "sibling with the same beginning": ("../ws-evil/x", "workspace"),
    "link to a file outside": ("link", "workspace"),
    "link to a directory outside": ("linked/passwd", "workspace"),
    "home": ("~", "workspace"),
    "in the home": ("~/.bashrc", "workspace"),
    "own environment": ("/proc/self/environ", "workspace"),
    "magic link": ("/proc/self/root/etc/shadow", "workspace"),
    "empty": ("", "workspace"),
    "NUL": ("a\0b", "workspace"),
    "half a character": ("\ud800", "workspace"),
    "environment file": (".env", "secret"),
    "environment of a stage": ("app/.env.production", "secret"),
    "upper case": (".ENV", "secret"),
    "key": ("certs/server.pem", "secret"),
    "ssh key": ("backup/id_ed25519", "secret"),
    "within .ssh": (".ssh/config", "secret"),
    "credentials of git": (".git/config", "secret"),
    "through a link": ("config/config", "secret"),
    "cloud": (".config/gcloud/credentials.db", "secret"),
    "the user's own pattern": ("private/x", "private/"),
    "the user's other pattern": ("src/x.sqlite", "*.sqlite"),
}


@pytest.mark.parametrize(("path", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_path_is_refused_by_name_of_its_rule(tree: Path, path: str, rule: str) -> None:
    workspace = WorkspacePaths(tree, deny=("private/", "*.sqlite"))
    with pytest.raises(PathRefused) as refusal:
        workspace.resolve(path)
    assert refusal.value.rule == rule
    assert isinstance(refusal.value, ToolError)


PROTECTED = [
    *(
        ".git/hooks/pre-commit",
        ".git",
        "sub/.git/config",
        ".GIT/config",
        "config/hooks/post-merge",
        ".loom/config.toml",
    ),
    *(".LOOM/Config.toml", ".mcp.json", ".vscode/settings.json", ".idea/x", ".envrc", ".bashrc", "home/.zshrc"),
    *(".profile", ".ssh/authorized_keys", ".config/autostart/x.desktop", "home/.config/fish/config.fish"),
]


@pytest.mark.parametrize("path", PROTECTED)
def test_what_others_run_is_never_written(tree: Path, path: str) -> None:
    with pytest.raises(PathRefused) as refusal:
        WorkspacePaths(tree).resolve(path, write=True)
    assert refusal.value.rule == "protected-path"
    assert "tell the user" in str(refusal.value)


def test_protected_files_without_secrets_are_read(tree: Path) -> None:
    assert WorkspacePaths(tree).resolve(".vscode/settings.json").name == "settings.json"


def test_the_message_shows_the_path_without_controls(tree: Path) -> None:
    with pytest.raises(PathRefused) as refusal:
        WorkspacePaths(tree).resolve("../\x1b]0;x\x07\n")
    assert "\\x1b]0;x\\x07\\n" in str(refusal.value)


def test_listings_leave_out_secrets_and_what_is_outside(tree: Path, tmp_path: Path) -> None:
    workspace = WorkspacePaths(tree, deny=("private/",))
    root = workspace.root
    denied = (root / ".env", root / ".git" / "HEAD", root / "private" / "x", tmp_path / "outside.txt", tmp_path)
    assert all(workspace.denied(path) for path in denied)
    assert not any(workspace.denied(path) for path in (root, root / "src", root / ".env.example"))


def test_an_extra_root_is_inside_and_judged_alike(tree: Path, tmp_path: Path) -> None:
    extra = tmp_path / "ws-evil"
    workspace = WorkspacePaths(tree, extra_roots=(extra,))
    assert workspace.resolve(str(extra / "x")) == extra.resolve() / "x"
    assert not workspace.denied(extra.resolve() / "x")
    with pytest.raises(PathRefused, match="secrets"):
        workspace.resolve(str(extra / ".env"))


def test_a_root_behind_a_link_is_the_real_one(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tree)
    workspace = WorkspacePaths(tmp_path / "alias")
    assert workspace.root == tree.resolve()
    assert workspace.resolve(str(tmp_path / "alias" / "b.txt")) == tree.resolve() / "b.txt"


def test_the_whole_system_as_workspace_still_hides_the_kernel() -> None:
    workspace = WorkspacePaths(Path("/"))
    assert workspace.resolve("/etc/hostname").name == "hostname"
    with pytest.raises(PathRefused):
        workspace.resolve("/proc/1/environ")


def test_a_link_loop_ends(tree: Path) -> None:
    assert WorkspacePaths(tree).resolve("loop/x").is_relative_to(tree.resolve())


def test_a_bad_pattern_is_heard_of_at_once(tree: Path) -> None:
    with pytest.raises(ValueError, match=r"!\*.py"):
        WorkspacePaths(tree, deny=("!*.py",))
