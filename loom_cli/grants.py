"""What a run may do: the user's word, which a task file can narrow and never widen.

The user is configuration, environment and command line together. A task file may come from anywhere - a cloned
repository, a download - so what it asks for beyond them is withheld, and the user is told which option grants it.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, get_args

from msgspec import Struct, structs

from loom_cli.fields import Budget, Capabilities, Fields, FilesMode, Governance, Mode

T = TypeVar("T", bound=str)
N = TypeVar("N", int, float)

_FILES: tuple[FilesMode, ...] = get_args(FilesMode)
_MODES: tuple[Mode, ...] = get_args(Mode)
"""Either in order: each allows what those before it allow."""
_BUDGET_OPTIONS = {
    "max_turns": "--max-turns ",
    "max_tool_calls": "--set budget.max_tool_calls=",
    "max_tokens": "--max-tokens ",
    "max_cost_usd": "--max-cost ",
    "timeout_s": "--timeout ",
}
"""How each limit is raised on the command line."""


class Grants(Struct, frozen=True, kw_only=True):
    """Rights and limits."""

    capabilities: Capabilities = Capabilities()
    governance: Governance = Governance()
    budget: Budget = Budget()

    @classmethod
    def of(cls, fields: Fields) -> "Grants":
        """Those among all the fields."""
        return cls(capabilities=fields.capabilities, governance=fields.governance, budget=fields.budget)


def narrow(user: Grants, task: Fields) -> Grants:
    """What holds for the task: rights intersect, denials add up, limits take the minimum, modes the lower.

    What the task does not mention stays as the user has it. Its `allow` rules grant nothing.
    """
    files, asked_files = user.capabilities.files, task.capabilities.files
    shell, asked_shell = user.capabilities.shell, task.capabilities.shell
    governance, asked = user.governance, task.governance
    return Grants(
        capabilities=Capabilities(
            files=structs.replace(
                files, mode=_lower(_FILES, files.mode, asked_files.mode), deny=_both(files.deny, asked_files.deny)
            ),
            shell=structs.replace(
                shell,
                enabled=bool(shell.enabled) and asked_shell.enabled is not False,
                timeout_s=_least(shell.timeout_s, asked_shell.timeout_s),
                env=tuple(name for name in shell.env or () if asked_shell.env is None or name in asked_shell.env),
            ),
        ),
        governance=structs.replace(
            governance,
            mode=_lower(_MODES, governance.mode, asked.mode),
            ask=_both(governance.ask, asked.ask),
            deny=_both(governance.deny, asked.deny),
            max_calls=_least_each(governance.max_calls or {}, asked.max_calls or {}),
        ),
        budget=Budget(
            **{name: _least(getattr(user.budget, name), getattr(task.budget, name)) for name in _BUDGET_OPTIONS}
        ),
    )


def withheld(user: Grants, task: Fields) -> Iterator[str]:
    """What the task asks for and does not get, each with the option by which the user grants it."""
    for what, option in (*_tools(user.capabilities, task.capabilities), *_rules(user.governance, task.governance)):
        yield f"the task asks for {what}, which is not granted: {option}"
    for name, option in _BUDGET_OPTIONS.items():
        asked, limit = getattr(task.budget, name), getattr(user.budget, name)
        if _exceeds(asked, limit):
            yield f"the task asks for {name} {asked}, of which {limit} are granted: {option}{asked}"
    if task.model.base_url is not None:
        url = shlex.quote(f"model.base_url={task.model.base_url}")
        yield f"the task names the server of its model, which only you can: --set {url}"
    for name, value in (task.model.extensions or {}).items():
        field = shlex.quote(f"model.extensions.{name}={json.dumps(value)}")
        yield f"the task adds {name} to requests, which only you can: --set {field}"


def _tools(user: Capabilities, task: Capabilities) -> Iterator[tuple[str, str]]:
    if _above(_FILES, task.files.mode, user.files.mode):
        yield f"files={task.files.mode}", f"--cap files={task.files.mode}"
    if task.shell.enabled and not user.shell.enabled:
        yield "the shell", "--cap shell"
    if _exceeds(task.shell.timeout_s, user.shell.timeout_s):
        yield f"{task.shell.timeout_s} s for a command", f"--set capabilities.shell.timeout_s={task.shell.timeout_s}"
    names = [name for name in task.shell.env or () if name not in (user.shell.env or ())]
    if names:
        value = shlex.quote(f"capabilities.shell.env={json.dumps(names)}")
        yield f"{', '.join(names)} in the shell", f"--set {value}"


def _rules(user: Governance, task: Governance) -> Iterator[tuple[str, str]]:
    if _above(_MODES, task.mode, user.mode):
        yield f"mode {task.mode}", f"--mode {task.mode}"
    for rule in task.allow or ():
        if rule not in (user.allow or ()):
            yield rule, f"--allow {shlex.quote(rule)}"
    for tool, calls in (task.max_calls or {}).items():
        if _exceeds(calls, (user.max_calls or {}).get(tool)):
            yield f"{calls} calls of {tool}", f"--set {shlex.quote(f'governance.max_calls.{tool}={calls}')}"


def _lower(order: Sequence[T], one: T | None, other: T | None) -> T:
    """The lesser of two; unsaid is the least for the user's (`one`), no bound for the task's."""
    granted = order[0] if one is None else one
    return granted if other is None else min(granted, other, key=order.index)


def _above(order: Sequence[str], asked: str | None, granted: str | None) -> bool:
    return asked is not None and order.index(asked) > (0 if granted is None else order.index(granted))


def _least(limit: N | None, asked: N | None) -> N | None:
    return min((each for each in (limit, asked) if each is not None), default=None)


def _exceeds(asked: float | None, limit: float | None) -> bool:
    return asked is not None and limit is not None and asked > limit


def _least_each(limits: Mapping[str, int], asked: Mapping[str, int]) -> dict[str, int]:
    return {**asked, **{name: min(limit, asked.get(name, limit)) for name, limit in limits.items()}}


def _both(one: Sequence[str] | None, other: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(one or ()), *(other or ()))))
