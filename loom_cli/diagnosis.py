"""What `loom doctor` looks at: one function a subject, each says what it found and whether that is a problem."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from loom_cli.invocation import Invocation
from loom_cli.keys import find_key, locate_key
from loom_cli.model_choice import chosen_model
from loom_cli.output import STDERR, STDIN, STDOUT
from loom_cli.places import cache_directory, config_directory, data_directory, state_directory
from loom_cli.settings import Settings, config_file, settings_of
from loom_cli.variables import unknown_variables
from loom_core import __version__
from loom_core.errors import LoomError, NoModel
from loom_core.providers.catalog import PROVIDERS
from loom_core.providers.model import Model
from loom_core.providers.registry import locate

_SCANT_BYTES = 100 * 1024 * 1024
"""Less than this on the disk of the sessions is worth a warning; a long one takes some tens of megabytes."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    subject: str
    status: Literal["ok", "warning", "problem"]
    detail: str


def diagnose(invocation: Invocation) -> Iterator[Finding]:
    """Everything, in the order in which it is shown. Nothing is changed and nobody but local servers is asked."""
    yield _ok("loom", f"{__version__} in {Path(__file__).parent}")
    yield _ok("python", f"{platform.python_version()} ({sys.executable}) on {platform.platform()}")
    yield from _directories()
    settings = yield from _configuration(invocation)
    yield from _keys(invocation)
    yield from _servers(invocation)
    if settings is not None:
        yield _model(settings, invocation)
    yield _terminal(invocation)
    yield _program("rg", "searching is slower without it")
    yield _program("git", "repositories are not recognised without it")
    yield _disk()


def _directories() -> Iterator[Finding]:
    places = {
        "config": config_directory(),
        "data": data_directory(),
        "state": state_directory(),
        "cache": cache_directory(),
    }
    for name, path in places.items():
        subject = f"{name} directory"
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            yield _ok(subject, f"{path} (made when it is needed)")
            continue
        except OSError as error:
            yield Finding(subject=subject, status="problem", detail=f"{path}: {error.strerror}")
            continue
        detail = f"{path} (mode {mode:04o})"
        if not os.access(path, os.W_OK | os.X_OK):
            yield Finding(subject=subject, status="problem", detail=f"{detail}: not writable")
        elif mode & 0o077:
            yield Finding(subject=subject, status="warning", detail=f"{detail}: others may look in; chmod 700 {path}")
        else:
            yield _ok(subject, detail)


def _configuration(invocation: Invocation) -> Generator[Finding, None, Settings | None]:
    """Returns the settings where they can be read."""
    for complaint in unknown_variables(invocation.environment):
        yield Finding(subject="environment", status="warning", detail=complaint)
    path = config_file(invocation)
    try:
        settings = settings_of(invocation)
    except LoomError as error:
        for line in str(error).splitlines():
            yield Finding(subject="configuration", status="problem", detail=line)
        return None
    yield _ok("configuration", f"{path}{'' if path.exists() else ' (none)'}")
    return settings


def _keys(invocation: Invocation) -> Iterator[Finding]:
    for provider in PROVIDERS:
        try:
            found = locate_key(provider, invocation.environment, None)
        except LoomError as error:
            yield Finding(subject="keys", status="problem", detail=_whole(error))
            return
        if found is not None:
            yield _ok(f"key for {provider}", found.origin)


def _servers(invocation: Invocation) -> Iterator[Finding]:
    """Model servers on this machine that answer at once."""
    import asyncio

    from loom_core.providers.discovery import LLAMA_CPP_URL, PATIENCE_S, model_names

    known = {
        "ollama": (Model.ollama("any"), ""),
        "llama.cpp": (Model.compatible("any", base_url=LLAMA_CPP_URL), "llamacpp"),
    }
    for name, (model, owner) in known.items():
        try:
            names = asyncio.run(model_names(model, invocation.environment, owner=owner, deadline_s=PATIENCE_S))
        except LoomError:
            continue
        if names:
            yield _ok(f"{name} server", f"{len(names)} models")


def _model(settings: Settings, invocation: Invocation) -> Finding:
    """Which one, and whether address and key are there. Nothing is sent."""
    try:
        name, why = chosen_model(settings, invocation)
        model = Model.parse(name, base_url=settings.fields.model.base_url)
        locate(model, invocation.environment, find_key(settings.fields, invocation)(model.provider))
    except NoModel as error:
        return Finding(subject="model", status="warning", detail=str(error))
    except LoomError as error:
        return Finding(subject="model", status="problem", detail=_whole(error))
    return _ok("model", f"{name} ({why})")


def _terminal(invocation: Invocation) -> Finding:
    names = {STDIN: "stdin", STDOUT: "stdout", STDERR: "stderr"}
    terminals = [name for descriptor, name in names.items() if os.isatty(descriptor)]
    size = shutil.get_terminal_size()
    color = "color" if invocation.stdout_color else "no color"
    what = f"TERM={os.environ.get('TERM', '')}, {size.columns}x{size.lines}, {color}"
    return _ok("terminal", f"{', '.join(terminals) or 'none'}; {what}")


def _program(name: str, without: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(subject=name, status="warning", detail=f"not found: {without}")
    return _ok(name, path)


def _disk() -> Finding:
    place = state_directory()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free for sessions"
    return Finding(subject="disk", status="warning" if free < _SCANT_BYTES else "ok", detail=detail)


def _whole(error: LoomError) -> str:
    """What is wrong and what to do, on one line."""
    return f"{error}. {error.hint}" if error.hint else str(error)


def _ok(subject: str, detail: str) -> Finding:
    return Finding(subject=subject, status="ok", detail=detail)
