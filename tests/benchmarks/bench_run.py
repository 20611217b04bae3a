"""What starting and running loom costs: CPU seconds of the whole process tree, medians, beside `python -c pass`.

    python tests/benchmarks/bench_run.py [REPETITIONS]

Run by hand, on a quiet machine; the interpreter that runs this must have loom installed. The model is the scripted
server, in this process, so its own work is not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.llm_server import Calls, LLMServer, Say

LOOM = str(Path(sys.executable).with_name("loom"))


@dataclass(frozen=True)
class Cost:
    """One run of a command. Times in seconds, memory in MB, `exit_lag` from the last byte of stdout to the end."""

    cpu: float
    peak: float
    exit_lag: float


def measure(command: list[str], environment: dict[str, str], cwd: str) -> Cost:
    process = subprocess.Popen(
        command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    last = time.monotonic()
    while os.read(process.stdout.fileno(), 65536):
        last = time.monotonic()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}: {errors.decode()}")
    return Cost(cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss / 1024, exit_lag=ended - last)


def report(name: str, repetitions: int, once: Callable[[], Cost]) -> None:
    costs = [once() for _ in range(repetitions)]
    cpu = sorted(cost.cpu * 1000 for cost in costs)
    print(
        f"{name:34} {statistics.median(cpu):7.0f} ms CPU ({cpu[0]:.0f}-{cpu[-1]:.0f})"
        f" {max(cost.peak for cost in costs):6.1f} MB peak"
        f" {statistics.median(cost.exit_lag for cost in costs) * 1000:5.0f} ms to exit"
    )


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as directory, LLMServer() as server:
        Path(directory, "a.txt").write_text("one\ntwo\n")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "LOOM_HOME": f"{directory}/.loom",
            "LOOM_MODEL": "compatible:scripted",
            "OPENAI_BASE_URL": f"{server.url}/v1",
        }

        def plain(*command: str) -> Callable[[], Cost]:
            return lambda: measure(list(command), environment, directory)

        def scripted(rounds: int) -> Cost:
            server.script(*(Calls(("Read", {"path": "a.txt", "offset": n + 1})) for n in range(rounds)), Say("done"))
            return measure([LOOM, "run", "-g", "go", "--max-turns", str(rounds + 1)], environment, directory)

        report("python -c pass", repetitions, plain(sys.executable, "-c", "pass"))
        report("loom --version", repetitions, plain(LOOM, "--version"))
        report("loom run --help", repetitions, plain(LOOM, "run", "--help"))
        report("loom run, two turns, one tool call", repetitions, lambda: scripted(1))
        report("loom run, 50 tool rounds", max(3, repetitions // 3), lambda: scripted(50))
        report("loom sessions list", repetitions, plain(LOOM, "sessions", "list"))


if __name__ == "__main__":
    main()
