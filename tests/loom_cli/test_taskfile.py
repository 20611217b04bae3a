"""Task files: what is right, every fault of what is not, and blanks."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom_cli.fields import Task
from loom_cli.taskfile import bind, parse_task, read_task
from loom_core.errors import TaskFileError, UsageError


def parsed(text: str, directory: Path | None = None) -> Task:
    return parse_task(text, source="task.toml", name="task", directory=directory or Path.cwd()).fields


def test_two_lines_suffice(tmp_path: Path) -> None:
    path = tmp_path / "review.toml"
    path.write_text('schema = 1\ngoal = "go"\n')
    layer = read_task(path)
    assert (layer.fields.goal, layer.fields.name) == ("go", "review")
    assert layer.origins["goal"] == f"{path}:2"


def test_paths_start_at_the_file_and_instructions_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "how.md").write_text("Be ${style}.")
    (folder / "a.py").touch()
    (folder / "b.py").touch()
    (folder / "t.toml").write_text(
        'schema = 1\ninstructions = { file = "how.md" }\n[params]\nstyle = { default = "brief" }\n'
        '[input]\nfiles = ["*.py"]\n[output]\nfile = "out.md"\n'
    )
    task = bind(read_task(folder / "t.toml").fields, [])
    assert task.instructions == "Be brief."
    assert task.input.files == (str(folder / "a.py"), str(folder / "b.py"))
    assert task.output.file == str(folder / "out.md")


FAULTS = [
    ('goal = "x"', "1: schema: missing"),
    ("schema = 2", "1: schema: this version knows 1 only"),
    ('schema = 1\ngaol = "x"', "2: gaol: unknown key; did you mean goal?"),
    ("schema = 1\ngoal = 3", "2: goal: text, not 3"),
    ("schema = 1\n[budget]\nmax_turns = true", "3: budget.max_turns: a whole number, not true"),
    ("schema = 1\n[budget]\nmax_turns = 0", "3: budget.max_turns: a whole number of at least 1, not 0"),
    (
        "schema = 1\n[budget]\nmax_turns = 99999999999999999999",
        "3: budget.max_turns: a whole number of at most 9007199254740992, not 999",
    ),
    ("schema = 1\n[budget]\ntimeout_s = inf", "3: budget.timeout_s: a number of at most 1000000000, not inf"),
    ("schema = 1\n[budget]\ntimeout_s = nan", "3: budget.timeout_s: a number above 0, not nan"),
    ("schema = 1\nbudget = 3", "2: budget: a table, not 3"),
    ('schema = 1\ngovernance.mode = "wild"', "2: governance.mode: 'wild' is none of plan, default, auto"),
    ('schema = 1\ngovernance.allow = "Read"', "2: governance.allow: a list, not 'Read'"),
    ("schema = 1\ninstructions = { text = 1 }", "2: instructions.file: missing"),
    ("schema = 1\ncriteria = [1]", "2: criteria: text, not 1"),
    ('schema = 1\n[harness]\nstrategy = "single"', "2: harness: this version of loom does not know it yet"),
    (
        "schema = 1\n[capabilities.web]\nenabled = true",
        "2: capabilities.web: this version of loom does not know it yet",
    ),
    ('schema = 1\n[keys]\ncmd = ["sh"]', "2: keys: not in a task file: it names a command to run"),
    (
        'schema = 1\ngoal = "${wat}"\n[params.what]',
        "2: goal: ${wat}: unknown parameter; did you mean what?; write $${wat} for the text itself",
    ),
    ('schema = 1\n[params.x]\ntype = "strin"', "3: params.x.type: 'strin' is none of string, int, float, bool, choice"),
    ('schema = 1\n[params.x]\ntype = "int"\ndefault = "1"', "4: params.x.default: a whole number, not '1'"),
    ('schema = 1\n[params.x]\ntype = "int"\ndefault = true', "4: params.x.default: a whole number, not true"),
    ('schema = 1\n[params.x]\ntype = "path"\ndefault = "a"', "4: params.x.default: a path has none"),
    ('schema = 1\n[params.x]\ntype = "choice"', "2: params.x.choices: a choice needs them"),
    ('schema = 1\n[params.x]\nchoices = ["a"]', "3: params.x.choices: a choice needs them, and nothing else has them"),
    (
        'schema = 1\n[params.x]\ntype = "choice"\nchoices = ["a"]\ndefault = "b"',
        "5: params.x.default: 'b' is none of a",
    ),
    ('schema = 1\n[params."a b"]', "2: params.a b: a name has letters"),
    ('schema = 1\n[input]\nfiles = ["/etc/passwd"]', "3: input.files: /etc/passwd is hidden or outside"),
    ('schema = 1\n[input]\nfiles = ["/etc/pass?d"]', "3: input.files: /etc/passwd is hidden or outside"),
    ('schema = 1\n[input]\nfiles = ["none*.py"]', "3: input.files: none*.py matches no file"),
    ('schema = 1\ninstructions = { file = "/etc/passwd" }', "2: instructions.file: /etc/passwd is hidden or outside"),
    ('schema = 1\n[output]\nfile = "../x"', "3: output.file: ../x is hidden or outside"),
    ('schema = 1\n[output]\nfile = "${p}"\n[params.p]\ndefault = "../x"', "3: output.file: ../x is hidden or outside"),
    ('schema = 1\ngovernance.deny = ["Shell("]', "2: governance.deny: rule 'Shell(': write Tool"),
    ('schema = 1\nmodel.name = "gpt-5"', "2: model.name: 'gpt-5' lacks its provider"),
    ("schema = 1\nx =", "not TOML: Invalid value (at end of document)"),
]


@pytest.mark.parametrize(("text", "complaint"), FAULTS, ids=[row[1][:40] for row in FAULTS])
def test_a_fault_is_told_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(TaskFileError) as caught:
        parsed(text)
    assert f"task.toml:{complaint}" in str(caught.value) or f"task.toml: {complaint}" in str(caught.value)


def test_all_faults_are_told_together_in_order() -> None:
    with pytest.raises(TaskFileError) as caught:
        parsed('schema = 3\ngoal = "${x}"\ngaol = 1\n[budget]\nmax_turns = 0\n[schedule]\n')
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "3", "5", "6"]


@pytest.mark.parametrize("pattern", ["link/passwd", "*/passwd", "data.txt", "*.txt", ".env", "../home.txt"])
def test_a_task_attaches_nothing_private_nor_by_a_link(pattern: str, tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (tmp_path / "home.txt").touch()
    (folder / ".env").touch()
    (folder / "link").symlink_to("/etc")
    (folder / "data.txt").symlink_to("/etc/passwd")
    with pytest.raises(TaskFileError, match="hidden or outside"):
        parsed(f'schema = 1\n[input]\nfiles = ["{pattern}"]', folder)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskFileError, match=r"none\.toml: No such file"):
        read_task(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b'goal = "\xff"')
    with pytest.raises(TaskFileError, match="not UTF-8"):
        read_task(tmp_path / "bad.toml")


BLANKS = """
schema = 1
goal = "${s} ${n} ${f} ${b} ${c} ${j} ${p} $${s}"
criteria = ["about ${s}"]
[params]
s = { default = "all" }
n = { type = "int", default = 3 }
f = { type = "float", default = 2 }
b = { type = "bool", default = false }
c = { type = "choice", choices = ["x", "y"] }
j = { type = "json", default = { a = [1] } }
p = { type = "path", description = "where to look" }
"""


def test_blanks_are_filled_from_defaults_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = parsed(BLANKS)
    assert bind(task, ["c=x", "p=a"]).goal == f'all 3 2 false x {{"a":[1]}} {tmp_path}/a ${{s}}'
    said = bind(task, ["c=y", "p=/b", "s=", "n=-07", "f=1e3", "b=yes", 'j={"z":  1}'])
    assert said.goal == ' -7 1000.0 true y {"z":1} /b ${s}'
    assert said.criteria == ("about ",)


def test_every_wrong_parameter_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        bind(parsed(BLANKS), ["n=x", "f=", "b=maybe", "c=z", "j={", "cc=1", "nonsense", "s=1", "s=2"])
    assert str(caught.value).splitlines() == [
        "--param n=x: a whole number is expected",
        "--param f=: a number is expected",
        "--param b=maybe: true or false is expected",
        "--param c=z: one of x, y is expected",
        "--param j={: JSON is expected",
        "--param cc=1: unknown parameter; did you mean c?",
        "--param nonsense: 'nonsense' is not KEY=VALUE",
        "--param s=2: --param s=1 was given before",
        "the task needs --param p=...  where to look",
    ]


def test_a_value_is_not_searched_for_blanks() -> None:
    task = parsed('schema = 1\ngoal = "${a}"\n[params.a]\n[params.b]\ndefault = "secret"')
    assert bind(task, ["a=${b}"]).goal == "${b}"
