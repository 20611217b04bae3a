"""The directory tree a session may touch, and what in it is left alone."""

import os
from collections.abc import Iterable
from pathlib import Path

from loom_core.errors import ToolError
from loom_core.safety.patterns import PathPatterns
from loom_core.safety.text import visible

SECRETS = PathPatterns(
    (
        ".env*",
        "*.pem",
        "*.key",
        "*.p12",
        "*.pfx",
        "*.ppk",
        "*.jks",
        "*.keystore",
        "*.kdbx",
        "id_rsa*",
        "id_dsa*",
        "id_ecdsa*",
        "id_ed25519*",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".pypirc",
        ".git-credentials",
        ".git/",
        ".ssh/",
        ".aws/",
        ".azure/",
        ".gnupg/",
        ".kube/",
        ".password-store/",
        ".mozilla/",
        "**/.docker/config.json",
        "**/.config/gcloud/",
        "**/.config/google-chrome/",
        "**/.config/chromium/",
        "**/loom/keys.toml",
    )
)
"""What may hold credentials: neither read nor written. `.git` is among them for the tokens in its remotes' URLs."""

PROTECTED = PathPatterns(
    (
        ".git/",
        ".loom/",
        ".vscode/",
        ".idea/",
        ".envrc",
        ".mcp.json",
        ".gitconfig",
        ".ssh/",
        "authorized_keys",
        ".profile",
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".bash_logout",
        ".bash_aliases",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".zlogin",
        ".zlogout",
        ".kshrc",
        ".cshrc",
        ".tcshrc",
        ".login",
        ".xprofile",
        ".xinitrc",
        ".xsession",
        ".pam_environment",
        "**/.config/fish/",
        "**/.config/git/",
        "**/.config/autostart/",
        "**/.config/systemd/",
        "**/.config/environment.d/",
        "LaunchAgents/",
    )
)
"""What is run or obeyed later by something else (hooks, shells, editors, loom itself): never written."""

INSTRUCTIONS = frozenset(("agents.md", "claude.md", "skill.md"))
"""Lower case names of what later sessions obey: a rule that allows a tool does not mean these, one with a path does."""

_EXAMPLES = PathPatterns((".env.example", ".env.sample", ".env.template", ".env.dist"))
"""Made to be read and copied, though `.env*` matches them."""
_KERNEL = PathPatterns(("/proc", "/sys", "/dev"))


class PathRefused(ToolError):
    """A path that may not be touched; `rule` names what forbids it: workspace, secret, protected-path or a pattern."""

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class WorkspacePaths:
    """A directory (and `extra_roots` beside it) as the `Workspace` of tools.

    Symbolic links are followed first and the real path is judged, so a link cannot lead out. `deny` holds further
    patterns of what is neither read nor written, relative to the root. Who opens the path must not follow links again:
    another process may put one there in between.
    """

    def __init__(self, root: Path, *, extra_roots: Iterable[Path] = (), deny: Iterable[str] = ()) -> None:
        self._root = Path(os.path.realpath(root))
        self._tops = tuple(_top(os.path.realpath(path)) for path in (self._root, *extra_roots))
        self._deny = PathPatterns(deny)

    @property
    def root(self) -> Path:
        """The tree's top, resolved; relative paths start here."""
        return self._root

    def resolve(self, path: str, *, write: bool = False) -> Path:
        """The real path meant. Raises `PathRefused` where it leads outside, may hold secrets, or is protected."""
        meant = self._joined(path)
        real = os.path.realpath(meant)
        shown = visible(path).replace("\n", "\\n")
        relative = self.relative(real)
        if relative is None:
            raise PathRefused(
                f'"{shown}" leads outside the workspace {self._root}: use a path inside it', rule="workspace"
            )
        # The name asked for counts as well as the one behind it: `.git` may be a link to an unsuspicious directory.
        for name in {relative, self.relative(os.path.normpath(meant)) or ""}:
            self._judge(shown, name, write=write)
        return Path(real)

    def denied(self, path: Path) -> bool:
        """Whether listings leave this resolved path out: it is outside, a secret, or denied by a pattern."""
        relative = self.relative(os.fspath(path))
        return relative is None or bool(_secret(relative) or self._deny.find(relative))

    def relative(self, path: str) -> str | None:
        """An absolute, normal path without the root it is under; None where it is under none."""
        for top in self._tops:
            if path.startswith(top) or path + "/" == top:
                relative = path[len(top) :]
                return None if top == "/" and _KERNEL.find(relative) else relative
        return None

    def _joined(self, path: str) -> Path:
        try:
            usable = bool(path) and b"\0" not in os.fsencode(path)
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise PathRefused(f'"{visible(path)}" is no path: name a file or directory', rule="workspace")
        if path == "~" or path.startswith("~/"):
            return home_directory() / path[2:]
        return self._root / path

    def _judge(self, shown: str, relative: str, *, write: bool) -> None:
        if write and (pattern := PROTECTED.find(relative)):
            raise PathRefused(
                f'"{shown}" is never written ("{pattern}" is run or obeyed by other programs): '
                "tell the user what to change in it",
                rule="protected-path",
            )
        if pattern := _secret(relative):
            raise PathRefused(
                f'"{shown}" is closed ("{pattern}" may hold secrets): ask the user for what you need',
                rule="secret",
            )
        if pattern := self._deny.find(relative):
            raise PathRefused(f'"{shown}" is denied by the pattern "{pattern}": work without it', rule=pattern)


def home_directory() -> Path:
    """The user's home; the root where there is none to be found."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def _top(real: str) -> str:
    """With its slash at the end, so that `/ws` is not taken for the beginning of `/ws-other`."""
    return real.rstrip("/") + "/"


def _secret(relative: str) -> str:
    """The pattern that makes the path a secret, or an empty string."""
    directory, _, name = relative.rpartition("/")
    return SECRETS.find(directory if _EXAMPLES.find(name) else relative)
