"""The Shell tool: output, ending, and limits."""

import asyncio
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from loom_core.tools.builtin import shell
from loom_core.tools.execution import run_tool
from tests.support.children import ids_in, wait_until, wait_until_gone
from tests.support.tool_context import DirectoryContext, call, context_in

(SHELL,) = shell(requires_approval=None, timeout=10)


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    return context_in(tmp_path)


@pytest.mark.parametrize(
    ("command", "content", "is_error"),
    [
        ("echo out; echo err >&2", "out\nerr\n", False),
        ("true", "[no output]", False),
        ("echo a; exit 3", "a\n[exit code 3]", True),
        ("printf a; false", "a\n[exit code 1]", True),
        ("kill -KILL $$", "[killed by SIGKILL]", True),
        ("exit 143", "[exit code 143 (SIGTERM)]", True),
        ("exit 255", "[exit code 255]", True),
        ("nosuchprogram 2>/dev/null", "[exit code 127]", True),
        ('read x; echo "[$x]"', "[]\n", False),
        ("[ -t 0 ] || [ -t 1 ] || echo none", "none\n", False),
        ("basename $PWD", "work\n", False),
        ("printf '\\033[31mred\\033[0m \\033]52;c;eA==\\007\\000\\342\\200\\256'", "red \\u202e", False),
        ("printf 'caf\\351'", "caf\ufffd", False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_command(context: DirectoryContext, command: str, content: str, is_error: bool) -> None:
    output = call(SHELL, context, command=command, description="Try it.")
    assert (output.content.rstrip("\n"), output.is_error) == (content.rstrip("\n"), is_error)


def test_the_environment_is_the_contexts_and_nothing_else(
    context: DirectoryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    context.environment["GIVEN"] = "yes"
    output = call(SHELL, context, command="env")
    names = {line.partition("=")[0] for line in output.content.split()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LC_ALL", "GIVEN"}


def test_start_files_are_not_read(context: DirectoryContext) -> None:
    home = context.workspace.root
    for name in (".bashrc", ".bash_profile", ".profile"):
        (home / name).write_text("echo started\n")
    context.environment["HOME"] = str(home)
    assert call(SHELL, context, command="echo x").content == "x\n"


def test_a_command_is_stopped_at_its_time_limit(context: DirectoryContext) -> None:
    output = call(SHELL, context, command="echo $$ | tee ids; sleep 60 & echo $! >> ids; wait", timeout=0.3)
    assert output.timed_out
    assert output.is_error
    assert output.content.endswith("\n[stopped at the time limit of 0.3 s]")
    wait_until_gone(ids_in(context.workspace.root / "ids", 2))


def test_a_cancelled_command_leaves_neither_process_nor_file(context: DirectoryContext) -> None:
    command = "echo $$ > ids; head -c 300000 /dev/zero; sleep 60 & echo $! >> ids; wait"

    async def main() -> None:
        task = asyncio.create_task(run_tool(SHELL, SHELL.convert({"command": command}), context))
        await asyncio.to_thread(ids_in, context.workspace.root / "ids", 2)
        await asyncio.to_thread(wait_until, lambda: any(context.scratch.iterdir()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_until_gone(ids_in(context.workspace.root / "ids", 2))
    assert list(context.scratch.iterdir()) == []


def test_a_long_output_keeps_its_ends_and_is_whole_in_a_private_file(context: DirectoryContext) -> None:
    output = call(SHELL, context, command="echo begin; seq 100000; echo end; exit 1")
    assert output.content.startswith("begin\n1\n2\n")
    assert output.content.endswith("\n100000\nend\n[exit code 1]")
    assert output.content.count("bytes left out; the whole output is 588,905 bytes") == 1
    assert len(output.content) <= 30_000
    assert isinstance(output.full, Path)
    assert output.full.parent == context.scratch
    assert stat.S_IMODE(output.full.stat().st_mode) == 0o600
    assert output.full.stat().st_size == output.size == 588_905


def test_a_short_output_leaves_no_file(context: DirectoryContext) -> None:
    output = call(SHELL, context, command="seq 10000")
    assert isinstance(output.full, bytes)
    assert output.size == len(output.full) == 48_894
    assert list(context.scratch.iterdir()) == []


def test_memory_stays_bounded_whatever_is_printed(tmp_path: Path) -> None:
    code = (
        "import pathlib, resource, sys; from loom_core.tools.builtin import shell;"
        "from tests.support.tool_context import call, context_in;"
        "(tool,) = shell(requires_approval=None, timeout=15); context = context_in(pathlib.Path(sys.argv[1]));"
        "call(tool, context, command='true'); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "output = call(tool, context, command='head -c 300000000 /dev/zero');"
        "print(output.size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, output.full.stat().st_size)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    size, kibibytes, kept = map(int, done.stdout.split())
    assert size == 300_000_000
    assert kibibytes < 8 * 1024
    assert kept == 16 * 1024 * 1024


def test_an_endless_printer_is_stopped(context: DirectoryContext) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    output = call(SHELL, context, command="yes", timeout=0.5)
    assert output.timed_out
    assert output.size > 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


def test_progress_is_shown_while_it_runs_and_not_too_often(context: DirectoryContext) -> None:
    call(SHELL, context, command="for i in $(seq 60); do echo line $i; sleep 0.005; done")
    assert 1 <= len(context.shown) <= 20
    assert context.shown[0].startswith("line 1\n")


def test_sh_takes_the_place_of_a_missing_bash(context: DirectoryContext) -> None:
    context.environment["PATH"] = ""
    assert call(SHELL, context, command="echo ${BASH_VERSION:-sh}").content == "sh\n"


def test_what_cannot_be_run_is_an_error(context: DirectoryContext) -> None:
    output = call(SHELL, context, command="echo " + "x" * 3_000_000)
    assert output.is_error
    assert "Argument list too long" in output.content
