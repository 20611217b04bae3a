"""The files of a tree that git does not ignore, in a fixed order, as far as patterns want them."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from loom_core.tools.builtin.ignore import IgnoreRules, is_ignored, rules_for, rules_in
from loom_core.tools.builtin.patterns import PathPattern, Positions


class _Directory(NamedTuple):
    path: Path
    rules: tuple[IgnoreRules, ...]
    positions: tuple[Positions, ...]
    """Of each pattern."""
    entries: Iterator[os.DirEntry[str]]


def walk(
    base: Path,
    root: Path,
    patterns: Sequence[PathPattern],
    *,
    relative_to: Path,
    denied: Callable[[Path], bool] = lambda _: False,
    deadline: float = float("inf"),
) -> Iterator[os.DirEntry[str]]:
    """Each regular file below `base` that a pattern, relative to `relative_to`, accepts.

    Ignored files, `.git`, what `denied` names and directories that cannot be read are left out; links are not followed.
    `root` is where ignore rules begin outside a repository. Raises `TimeoutError` when `time.monotonic()` passes
    `deadline`.
    """
    above = base.relative_to(relative_to).parts
    positions = tuple(reduce(pattern.step, above, pattern.start) for pattern in patterns)
    line = [_Directory(base, rules_for(base, root), positions, _entries(base))]
    while line:
        here = line[-1]
        entry = next(here.entries, None)
        if entry is None:
            line.pop()
            continue
        if time.monotonic() > deadline:
            raise TimeoutError
        following = tuple(pattern.step(at, entry.name) for pattern, at in zip(patterns, here.positions, strict=True))
        is_directory = entry.is_dir(follow_symlinks=False)
        if is_directory:
            wanted = any(following)
        else:
            wanted = any(map(PathPattern.accepts, patterns, following)) and entry.is_file(follow_symlinks=False)
        if not wanted:
            continue
        parts = (*here.path.parts, entry.name)
        if is_ignored(here.rules, parts, is_directory=is_directory) or denied(Path(entry.path)):
            continue
        if is_directory:
            line.append(_below(here, Path(entry.path), following))
        else:
            yield entry


def _below(here: _Directory, path: Path, positions: tuple[Positions, ...]) -> _Directory:
    inherited = () if (path / ".git").exists() else here.rules  # a repository within a repository has its own
    return _Directory(path, inherited + rules_in(path), positions, _entries(path))


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return iter(sorted((entry for entry in entries if entry.name != ".git"), key=lambda entry: entry.name))
    except OSError:
        return iter(())
