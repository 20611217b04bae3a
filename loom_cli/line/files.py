"""The files a message can name with `@`: a listing of the working directory that never takes long."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_MOST = 5_000
_SECONDS = 0.5
"""For one listing; a tree that is larger or slower is listed in part."""
_FRESH_S = 5.0
_SHOWN = 40


class FileNames:
    """Names of files below a directory, relative to it, listed anew when the last listing is older than 5 s."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: tuple[str, ...] = ()
        self._listed = float("-inf")

    def matching(self, word: str) -> list[str]:
        """The names that fit what was typed, best first. Blocks for up to half a second: call it in a thread."""
        if time.monotonic() - self._listed > _FRESH_S:
            self._names = tuple(_in_repository(self._directory) or _below(self._directory))
            self._listed = time.monotonic()
        return best(self._names, word)


def best(names: tuple[str, ...], word: str) -> list[str]:
    """The names that begin with the word, then those whose last part does, then those that hold it."""
    low = word.lower()
    ranked = []
    for name in names:
        lower = name.lower()
        if lower.startswith(low):
            ranked.append((0, name))
        elif lower.rpartition("/")[2].startswith(low):
            ranked.append((1, name))
        elif low in lower:
            ranked.append((2, name))
    return [name for _, name in sorted(ranked)[:_SHOWN]]


def _in_repository(directory: Path) -> list[str]:
    """What git tracks or would track, or nothing where there is no repository, no git, or no answer in time."""
    import subprocess

    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listed = subprocess.run(
            command, cwd=directory, capture_output=True, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return []
    names = listed.stdout.decode("utf-8", "replace").split("\0")
    return sorted(set(filter(None, names)))[:_MOST]


def _below(directory: Path) -> Iterator[str]:
    """Files level by level, without hidden ones, until there are enough or time is up."""
    end, count = time.monotonic() + _SECONDS, 0
    waiting = [""]
    for prefix in waiting:
        try:
            entries = sorted(os.scandir(directory / prefix), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{prefix}{entry.name}/")
                continue
            yield f"{prefix}{entry.name}"
            count += 1
            if count >= _MOST:
                return
        if time.monotonic() > end:
            return
