"""Programs that tools start by themselves."""

import os
from collections.abc import Mapping
from pathlib import Path


def find_program(name: str, environment: Mapping[str, str], workspace: Path) -> str | None:
    """The absolute path of a program on PATH.

    Relative entries of PATH and those inside the workspace do not count: what lies there is the project's, and may be
    anything under a trusted name.
    """
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        program = Path(directory, name)
        if program.is_absolute() and not program.is_relative_to(workspace) and os.access(program, os.X_OK):
            return str(program)
    return None
