"""The environment of a child process: built from an allow list, so that no secret is inherited by omission."""

import re
from collections.abc import Iterable, Iterator, Mapping

_BASE = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
)
# Nothing may wait for a person who is not there: no prompt, no editor, no pager, no cursor movements.
_NON_INTERACTIVE = {
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "EDITOR": "true",
    "VISUAL": "true",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
}
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASS|AUTH|CRED|CERT|PRIVATE", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\bsk-|\bgh[pousr]_|\bAKIA[0-9A-Z]|\bxox[a-z]-|\bAIza|\beyJ[\w-]+\.eyJ|-----BEGIN |://[^/@\s]*:[^/@\s]*@"
)


def child_environment(parent: Mapping[str, str], allow: tuple[str, ...] = ()) -> dict[str, str]:
    """What of `parent` a tool's process gets, and the settings that keep programs from waiting for a person.

    `allow` adds names. One written in full is granted whatever it is called, and its value beats the built-in
    settings. One that ends with `*` grants what it matches unless name or value look like a secret.
    """
    chosen = dict(_chosen(parent, _BASE))
    if "PATH" in chosen:
        chosen["PATH"] = _absolute(chosen["PATH"])
    chosen.setdefault("LANG", "C.UTF-8")
    return {**chosen, **_NON_INTERACTIVE, **dict(_chosen(parent, allow))}


def _chosen(parent: Mapping[str, str], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if not name.endswith("*"):
            if name in parent:
                yield name, parent[name]
            continue
        for candidate, value in parent.items():
            if candidate.startswith(name[:-1]) and not _looks_secret(candidate, value):
                yield candidate, value


def _looks_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))


def _absolute(search_path: str) -> str:
    """The entries that start at the root: an empty or relative one would run programs of the workspace."""
    return ":".join(entry for entry in search_path.split(":") if entry.startswith("/"))
