from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from loom_cli.demo_script import GOAL, demo_environment, demo_model, is_fixed, make_workspace
from loom_core.agent import Agent
from loom_core.runtime.approvals import Approval
from loom_core.runtime.capability import Files, Shell
from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.run import RunResult


def play(workspace: Path, refused: str = "") -> RunResult:
    """The script, with everything approved but calls of the tool `refused`."""

    def answer(approval: Approval) -> None:
        if approval.call.name == refused:
            approval.reject("no")
        else:
            approval.approve()

    environment = demo_environment(os.environ)
    agent = Agent(
        model=demo_model(environment),
        capabilities=(Files(read_only=False), Shell(require_approval=False)),
        governance=GovernancePolicy.default(destructive=True),
        workspace=workspace,
        environment=environment,
        approver=answer,
    )

    async def run() -> RunResult:
        async with agent.session() as session:
            await session.run(GOAL)
            return await session.run("and?")

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("refused", "conclusion", "fixed"),
    [
        ("", "the test passes", True),
        ("Edit", "The fix was not made (denied: rejected by user: no)", False),
        ("Shell", "the test was not run (denied: rejected by user: no), so I do not know", True),
    ],
    ids=["nothing", "edit", "test"],
)
def test_the_script_says_what_happened(tmp_path: Path, refused: str, conclusion: str, *, fixed: bool) -> None:
    make_workspace(tmp_path)
    result = play(tmp_path, refused)
    assert conclusion in str(result.output)
    assert str(result.output).startswith("I am a script, so I cannot answer what you typed.")
    assert is_fixed(tmp_path) == fixed


def test_a_test_that_fails_is_said_to_fail(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    test = tmp_path / "test_prices.py"
    test.write_text(test.read_text().replace("800", "799"))
    output = str(play(tmp_path).output)
    assert "still fails" in output
    assert "are 799, not 800" in output


def test_a_bug_that_is_not_there_is_not_fixed(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    (tmp_path / "prices.py").write_text("def with_discount(cents, percent): ...\n")
    assert "so I changed nothing" in str(play(tmp_path).output)
