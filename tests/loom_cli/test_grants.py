"""A task file narrows what the user grants and never widens it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom_cli.fields import (
    BUILT_IN,
    Budget,
    Capabilities,
    Fields,
    Files,
    Governance,
    Model,
    Output,
    Shell,
    Task,
    over,
)
from loom_cli.grants import Grants, narrow, withheld
from loom_cli.resolution import resolve
from loom_cli.settings import Settings

names = st.lists(st.sampled_from(["A", "B", "C"]), max_size=3).map(tuple)
limits = st.none() | st.integers(1, 1000)
seconds = st.none() | st.floats(0.1, 1e6)
grants = st.builds(
    Grants,
    capabilities=st.builds(
        Capabilities,
        files=st.builds(Files, mode=st.none() | st.sampled_from(["off", "read", "write"]), deny=st.none() | names),
        shell=st.builds(Shell, enabled=st.none() | st.booleans(), timeout_s=seconds, env=st.none() | names),
    ),
    governance=st.builds(
        Governance,
        mode=st.none() | st.sampled_from(["plan", "default", "auto"]),
        allow=st.none() | names,
        ask=st.none() | names,
        deny=st.none() | names,
        on_denied=st.none() | st.sampled_from(["stop", "continue"]),
        max_calls=st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
    ),
    budget=st.builds(
        Budget,
        max_turns=limits,
        max_tool_calls=limits,
        max_tokens=limits,
        max_cost_usd=seconds,
        timeout_s=seconds,
    ),
)
tasks = st.builds(
    lambda said, model: Task(
        capabilities=said.capabilities, governance=said.governance, budget=said.budget, model=model
    ),
    grants,
    st.sampled_from([Model(), Model(base_url="http://elsewhere"), Model(extensions={"tools": []})]),
)

FILES, MODES = ("off", "read", "write"), ("plan", "default", "auto")


def within(limit: float | None, granted: float | None) -> bool:
    return granted is None or (limit is not None and limit <= granted)


def assert_within(effective: Grants, user: Grants) -> None:
    """Every right in the first is in the second, every limit of the second holds in the first."""
    files, granted_files = effective.capabilities.files, user.capabilities.files
    shell, granted_shell = effective.capabilities.shell, user.capabilities.shell
    rules, granted_rules = effective.governance, user.governance
    assert FILES.index(files.mode or "off") <= FILES.index(granted_files.mode or "off")
    assert set(files.deny or ()) >= set(granted_files.deny or ())
    assert not shell.enabled or granted_shell.enabled
    assert within(shell.timeout_s, granted_shell.timeout_s)
    assert set(shell.env or ()) <= set(granted_shell.env or ())
    assert MODES.index(rules.mode or "plan") <= MODES.index(granted_rules.mode or "plan")
    assert set(rules.allow or ()) <= set(granted_rules.allow or ())
    assert set(rules.ask or ()) >= set(granted_rules.ask or ())
    assert set(rules.deny or ()) >= set(granted_rules.deny or ())
    for tool, calls in (granted_rules.max_calls or {}).items():
        assert within((rules.max_calls or {}).get(tool), calls)
    for name in Budget.__struct_fields__:
        assert within(getattr(effective.budget, name), getattr(user.budget, name))


@given(grants, tasks)
def test_what_holds_is_within_what_the_user_grants(user: Grants, task: Task) -> None:
    assert_within(narrow(user, task), user)


@given(grants, tasks)
def test_what_the_task_forbids_is_forbidden(user: Grants, task: Task) -> None:
    effective = narrow(user, task)
    asked = Grants.of(task)
    assert set(effective.governance.deny or ()) >= set(asked.governance.deny or ())
    assert asked.capabilities.shell.enabled is not False or not effective.capabilities.shell.enabled
    for name in Budget.__struct_fields__:
        assert within(getattr(effective.budget, name), getattr(asked.budget, name))


@given(grants, tasks)
def test_a_run_stays_within_the_users_word(user: Grants, task: Task) -> None:
    """Through everything that makes a run's settings, whatever they are."""
    fields = Fields(capabilities=user.capabilities, governance=user.governance, budget=user.budget)
    resolved = resolve(Settings(fields=fields, layers=()), Task(), task)
    assert_within(Grants.of(resolved.fields), user)
    assert (resolved.fields.model.base_url, resolved.fields.model.extensions) == (None, None)


@given(grants, tasks)
def test_nothing_is_withheld_exactly_where_the_task_gets_all_it_asks_for(user: Grants, task: Task) -> None:
    effective, asked = narrow(user, task), Grants.of(task)
    gets_all = (
        asked.capabilities.files.mode in (None, effective.capabilities.files.mode)
        and asked.capabilities.shell.enabled in (None, effective.capabilities.shell.enabled)
        and asked.capabilities.shell.timeout_s in (None, effective.capabilities.shell.timeout_s)
        and set(asked.capabilities.shell.env or ()) <= set(effective.capabilities.shell.env or ())
        and asked.governance.mode in (None, effective.governance.mode)
        and set(asked.governance.allow or ()) <= set(effective.governance.allow or ())
        and all((effective.governance.max_calls or {})[t] == n for t, n in (asked.governance.max_calls or {}).items())
        and all(getattr(asked.budget, n) in (None, getattr(effective.budget, n)) for n in Budget.__struct_fields__)
        and task.model == Model()
    )
    assert bool(list(withheld(user, task))) != gets_all


def test_each_thing_withheld_names_the_option_that_grants_it() -> None:
    task = Task(
        capabilities=Capabilities(files=Files(mode="write"), shell=Shell(enabled=True, timeout_s=99, env=("CI",))),
        governance=Governance(mode="auto", allow=("Shell(git log *)",), max_calls={"Shell": 5}),
        budget=Budget(max_turns=100, max_tokens=5),
        model=Model(base_url="http://elsewhere/v1", extensions={"mcp_servers": ["x"]}),
    )
    user = over(Task(governance=Governance(max_calls={"Shell": 2})), BUILT_IN)
    assert list(withheld(Grants.of(user), task)) == [
        "the task asks for files=write, which is not granted: --cap files=write",
        "the task asks for the shell, which is not granted: --cap shell",
        "the task asks for 99 s for a command, which is not granted: --set capabilities.shell.timeout_s=99",
        """the task asks for CI in the shell, which is not granted: --set 'capabilities.shell.env=["CI"]'""",
        "the task asks for mode auto, which is not granted: --mode auto",
        "the task asks for Shell(git log *), which is not granted: --allow 'Shell(git log *)'",
        "the task asks for 5 calls of Shell, which is not granted: --set governance.max_calls.Shell=5",
        "the task asks for max_turns 100, of which 40 are granted: --max-turns 100",
        "the task names the server of its model, which only you can: --set model.base_url=http://elsewhere/v1",
        "the task adds mcp_servers to requests, which only you can: --set 'model.extensions.mcp_servers=[\"x\"]'",
    ]


def test_flags_say_more_than_the_task_and_the_task_more_than_the_settings() -> None:
    settings = Settings(
        fields=over(Fields(model=Model(name="a:settings", seed=1), output=Output(format="json")), BUILT_IN), layers=()
    )
    task = Task(goal="task", model=Model(name="a:task", seed=2), governance=Governance(on_denied="continue"))
    flags = Task(model=Model(name="a:flag"))
    fields = resolve(settings, flags, task).fields
    assert (fields.goal, fields.model.name, fields.model.seed) == ("task", "a:flag", 2)
    assert (fields.output.format, fields.governance.on_denied, fields.budget.max_turns) == ("json", "continue", 40)
