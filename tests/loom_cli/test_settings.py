"""The user's settings in their layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom_cli.environment import twin
from loom_cli.fields import BUILT_IN, FLAGS, SHORTHANDS, Fields, Governance, Task, leaves, over, value_of
from loom_cli.option_fields import environment_layer, flags_layer
from loom_cli.settings import load_settings
from loom_core.errors import ConfigError, UsageError


def origins(path: Path, environment: dict[str, str]) -> dict[str, tuple[object, str]]:
    return {one.key: (one.value, one.origin) for one in load_settings(path, environment).listed()}


def test_a_missing_file_is_an_empty_one(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml", {}).fields == BUILT_IN


def test_a_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml", {}, required=True)


def test_each_value_knows_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[model]\nname = "openai:one"\nseed = 1\n[budget]\nmax_turns = 5\n')
    found = origins(path, {"LOOM_MODEL": "openai:two", "LOOM_BUDGET_MAX_TOOL_CALLS": "7"})
    assert found["model.name"] == ("openai:two", "LOOM_MODEL")
    assert found["model.seed"] == (1, f"{path}:3")
    assert found["budget.max_turns"] == (5, f"{path}:5")
    assert found["budget.max_tool_calls"] == (7, "LOOM_BUDGET_MAX_TOOL_CALLS")
    assert found["budget.timeout_s"] == (1800, "built-in")


def test_rules_of_all_layers_hold(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[governance]\ndeny = ["Read(a)"]\n')
    settings = load_settings(path, {"LOOM_DENY": "Read(b)\nRead(a)"})
    assert settings.fields.governance.deny == ("Read(a)", "Read(b)")


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[modle]\n[budget]\nmax_turns = 0\nmax_turnz = 1\n[governance]\nmode = "wild"\n[quality]\n')
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert str(caught.value).splitlines() == [
        f"{path}:1: modle: unknown key; did you mean model?",
        f"{path}:3: budget.max_turns: a whole number of at least 1, not 0",
        f"{path}:4: budget.max_turnz: unknown key; did you mean max_turns?",
        f"{path}:6: governance.mode: 'wild' is none of plan, default, auto",
        f"{path}:7: quality: this version of loom does not know it yet",
    ]


@pytest.mark.parametrize(
    "text",
    ["= 1", "a = \n", "\x00", "a = " + "[" * 5000, "a = " + "9" * 5000],
    ids=["no key", "no value", "NUL", "deep", "huge"],
)
def test_what_is_no_toml_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not TOML"):
        load_settings(path, {})


VARIABLES = [
    ("LOOM_MAX_TURNS", "9", "budget.max_turns", 9),
    ("LOOM_MODEL_TEMPERATURE", "0.5", "model.temperature", 0.5),
    ("LOOM_SESSION_SAVE", "0", "session.save", False),
    ("LOOM_NO_SESSION", "1", "session.save", False),
    ("LOOM_JSON", "true", "output.format", "json"),
    ("LOOM_ALLOW", "Shell(a b)\nRead", "governance.allow", ("Shell(a b)", "Read")),
    ("LOOM_INPUT", "a=1\nb:=[1]", "input.values", {"a": "1", "b": [1]}),
    ("LOOM_FILE", "a b.txt\nc", "input.files", ("a b.txt", "c")),
    ("LOOM_CAP", "shell", "capabilities.shell.enabled", True),
    ("LOOM_CAP", "files=write\nshell", "capabilities.files.mode", "write"),
    ("LOOM_GOVERNANCE_MAX_CALLS", "Shell=3", "governance.max_calls", {"Shell": 3}),
    ("LOOM_KEYS_CMD", "pass\nshow", "keys.cmd", ("pass", "show")),
    ("LOOM_MODE", "", "governance.mode", None),
]


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"), VARIABLES, ids=[row[0] + row[1][:6] for row in VARIABLES]
)
def test_a_variable_says_a_field(variable: str, text: str, key: str, value: object) -> None:
    assert value_of(environment_layer({variable: text}).fields, key) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LOOM_MAX_TURNS", "many"),
        ("LOOM_MAX_TURNS", "0"),
        ("LOOM_MODE", "wild"),
        ("LOOM_CAP", "fiels"),
        ("LOOM_NO_STDIN", "x"),
        ("LOOM_MODEL", "foo"),
        ("LOOM_DENY", "Read\n)"),
    ],
)
def test_an_unusable_variable_is_named(variable: str, text: str) -> None:
    with pytest.raises(
        UsageError, match=variable.removeprefix("LOOM_").lower() if variable == "LOOM_CAP" else variable
    ):
        environment_layer({variable: text})


def test_every_option_names_a_field() -> None:
    keys = {key for key, _ in leaves(Fields)}
    assert set(FLAGS.values()) <= keys
    assert {key for key, _ in SHORTHANDS.values()} <= keys
    names = [twin(name) for name in (*FLAGS, *(keys - set(FLAGS.values())))]
    assert len(names) == len(set(names))


def test_set_takes_toml_or_text_and_an_option_of_its_own_says_more() -> None:
    said = flags_layer(
        {
            "--set": [
                "instructions=5",
                "model.seed=5",
                "budget.max_turns=7",
                'governance.ask=["Edit"]',
                "input.values.a=1",
            ],
            "--max-turns": 2,
            "--no-stdin": True,
            "--param": ["not=mine"],
        }
    )
    fields = said.fields
    assert (fields.instructions, fields.model.seed, fields.budget.max_turns) == ("5", 5, 2)
    assert (fields.governance.ask, fields.input.stdin, fields.input.values) == (("Edit",), "ignore", {"a": 1})
    assert said.origins["budget.max_turns"] == "--max-turns"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"--set": ["budget.max_turns=q"]}, "--set: budget.max_turns: a whole number, not 'q'"),
        ({"--set": ["buget.max_turns=1"]}, "did you mean budget"),
        ({"--set": ["nothing"]}, "is not KEY=VALUE"),
        ({"--set": ["budget=1", "budget.max_turns=1"]}, "budget was given as a value before"),
        ({"--max-cost": -1.0}, "--max-cost: budget.max_cost_usd: a number above 0, not -1.0"),
        ({"--cap": ["web"]}, "no such capability"),
        ({"--input": ["a:={"]}, "--input a:={: not JSON: "),
        ({"--input": ["a=@/nonexistent"]}, "--input a=@/nonexistent: No such file or directory"),
        ({"--input": ["a=@/bin/sh"]}, "--input a=@/bin/sh: it is not UTF-8 text"),
        ({"--input": ["a=1", "a:=2"]}, "--input a:=2: --input a=1 was given before"),
        ({"--instructions": Path("/nonexistent")}, "the instructions in /nonexistent: No such file or directory"),
        ({"--model": "foo"}, "--model: model.name: 'foo' lacks its provider; write it as provider:name"),
        ({"--model": "opnai:x"}, "--model: model.name: no provider 'opnai'; did you mean openai?"),
        ({"--allow": ["Read", "x("]}, "--allow: governance.allow: rule 'x(': write Tool or Tool(pattern)"),
        ({"--set": ['governance.ask=["("]']}, "--set: governance.ask: rule '('"),
        ({"--continue": True, "--session": "x"}, "--continue and --session contradict"),
        ({"--no-session": True, "--session": "x"}, "--no-session and --session contradict"),
        ({"--no-session": True, "--continue": True}, "--no-session and --continue contradict"),
        ({"--json": True, "--format": "text"}, "--json and --format text contradict"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        flags_layer(given)
    assert message in str(caught.value)


def test_every_wrong_option_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        flags_layer({"--max-turns": 0, "--model": "gpt", "--allow": ["("], "--set": ["input.files=3"]})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "--set",
        "--max-turns",
        "--model",
        "--allow",
    ]


def test_json_said_twice_is_no_contradiction() -> None:
    assert flags_layer({"--json": True, "--format": "json"}).fields.output.format == "json"


def test_faults_beyond_the_schema_are_told_with_those_of_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[budget]\nmax_turns = "abc"\n[model]\nname = "gpt-5"\n[governance]\ndeny = [\n  "Read",\n  "Shell(",\n]\n'
        "allow = [1, 2]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert [line.removeprefix(f"{path}:").partition(" for")[0] for line in str(caught.value).splitlines()] == [
        "2: budget.max_turns: a whole number, not 'abc'",
        "4: model.name: 'gpt-5' lacks its provider; write it as provider:name, like openai:gpt-5",
        "6: governance.deny: rule 'Shell(': write Tool or Tool(pattern),",
        "10: governance.allow: text, not 1",
        "10: governance.allow: text, not 2",
    ]


def test_what_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    (tmp_path / "directory.toml").mkdir()
    for name, why in (("binary", r"it is not UTF-8 text \(byte 0\)"), ("directory", "Is a directory")):
        with pytest.raises(ConfigError, match=rf"^cannot read \S+: {why}$"):
            load_settings(tmp_path / f"{name}.toml", {})


def test_a_higher_layer_says_more_and_adds_to_maps() -> None:
    lower = Task(governance=Governance(mode="auto", deny=("a",), max_calls={"x": 1, "y": 1}))
    higher = Task(governance=Governance(mode="plan", deny=("b",), max_calls={"y": 2}))
    assert over(higher, lower).governance == Governance(mode="plan", deny=("a", "b"), max_calls={"x": 1, "y": 2})
    assert over(Task(), lower) == lower
