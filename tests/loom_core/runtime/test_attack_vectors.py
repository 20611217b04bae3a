"""Collections of attacks against the gate, where they are at hand: none is let through, in part or as a whole.

The files are looked for in `LOOM_VECTORS`, or in `../shared/vectors` beside the repository.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from loom_core.messages import ToolCall
from loom_core.runtime.governance import Gate, GovernancePolicy
from loom_core.safety.paths import WorkspacePaths
from loom_core.tools.spec import Tool

VECTORS = Path(os.environ.get("LOOM_VECTORS") or Path(__file__).parents[4] / "shared" / "vectors")
SHELL = Tool(
    name="Shell",
    description="",
    parameters={},
    function=lambda: None,
    convert=dict,
    subject_kind="command",
    subject="command",
)
FAMILIAR = (
    *("ls", "cat", "echo", "find", "grep", "sort", "uniq", "head", "cd", "true", "env", "sed", "git", "file", "printf"),
    *("rg", "test", "tar", "cp", "timeout", "nice"),
)


def load(name: str) -> list[dict[str, Any]]:
    path = VECTORS / name
    return json.loads(path.read_text()) if path.is_file() else []


ATTACKS = load("shell_attacks.json")
BENIGN = load("shell_benign.json")
needs_vectors = pytest.mark.skipif(not ATTACKS or not BENIGN, reason=f"no attack vectors in {VECTORS}")


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A workspace with what the attacks count on."""
    for name in ("f.txt", "p.sh", "ls", ".env", "src/a"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n")
        path.chmod(0o755)
    (tmp_path / "link").symlink_to("/etc/passwd")
    return WorkspacePaths(tmp_path)


def action(gate: Gate, command: str) -> str:
    decision = gate.judge(SHELL, ToolCall(id="c", name="Shell", arguments={"command": command})).decision
    return "ask" if decision.requires_approval else "allow" if decision.allowed else "deny"


@needs_vectors
def test_no_attack_runs_unasked(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy().gate(workspace)
    assert [attack["cmd"] for attack in ATTACKS if action(gate, attack["cmd"]) == "allow"] == []


@needs_vectors
def test_what_destroys_is_denied_even_where_nothing_is_asked(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy.allow_all().gate(workspace)
    destroying = [attack["cmd"] for attack in ATTACKS if attack["expect"] == "deny"]
    assert [command for command in destroying if action(gate, command) != "deny"] == []


@needs_vectors
def test_rules_that_allow_familiar_programs_let_no_hidden_command_through(workspace: WorkspacePaths) -> None:
    """What is left is what the user's own rule says: the named program, with these arguments, and nothing else."""
    gate = GovernancePolicy(allow=tuple(f"Shell({name} *)" for name in FAMILIAR)).gate(workspace)
    through = [attack["cmd"] for attack in ATTACKS if action(gate, attack["cmd"]) == "allow"]
    harmless = GovernancePolicy(allow=("Shell(ls *)", "Shell(echo *)", "Shell(true *)")).gate(workspace)
    assert all(command.split(maxsplit=1)[0] in FAMILIAR for command in through)
    assert not any(letter in command for command in through for letter in ";&|<>`\n")
    assert [attack["cmd"] for attack in ATTACKS if action(harmless, attack["cmd"]) == "allow"] == []


@needs_vectors
def test_a_rule_that_denies_the_payload_finds_it(workspace: WorkspacePaths) -> None:
    """Nothing that runs `touch` as a command of the text is allowed by mode auto under a rule against it."""
    gate = GovernancePolicy(mode="auto", deny=("Shell(touch *)",)).gate(workspace)
    through = [
        attack["cmd"] for attack in ATTACKS if "touch PWNED" in attack["cmd"] and action(gate, attack["cmd"]) == "allow"
    ]
    # Programs of their own, which take the payload as data in their own languages.
    assert [
        command for command in through if not command.startswith(("awk", "sed", "tar", "git", "vim", "ed ", "mapfile"))
    ] == []


@needs_vectors
def test_benign_commands_are_not_denied(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy().gate(workspace)
    actions = {case["cmd"]: action(gate, case["cmd"]) for case in BENIGN}
    print(f"benign commands that run unasked: {list(actions.values()).count('allow')} of {len(actions)}")
    assert "deny" not in actions.values()
    assert list(actions.values()).count("allow") >= 16


@pytest.mark.parametrize(
    "command",
    [
        *(
            "ls & touch X",
            "ls\ntouch X",
            "env touch X",
            "PATH=. ls",
            "git status",
            "git diff --output=X",
            "./ls",
            "ls > X",
        ),
        *(
            "find . -ex''ec touch X ';'",
            "sort --outpu=X f.txt",
            "uniq f.txt X",
            "cat link",
            "cat .env",
            "cat <(touch X)",
        ),
        *('echo "$(touch X)"', "x='$(touch X)'; echo ${x@P}", "echo dG91Y2g= | base64 -d | sh", "grep -r . ~/.ssh"),
    ],
)
def test_well_known_attacks_are_asked_for(workspace: WorkspacePaths, command: str) -> None:
    assert action(GovernancePolicy().gate(workspace), command) == "ask"
