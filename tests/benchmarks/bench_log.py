"""What a session's log costs: appending, opening a long one, listing many. `python tests/benchmarks/bench_log.py`

CPU seconds of this process, so that other load on the machine disturbs little; each figure is the best of three.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from loom_core.events import ModelResponse, RunEnd, RunStart, ToolCalled, ToolResulted, ToolStart, UserMessage, to_json
from loom_core.messages import Text, ToolCall, Usage
from loom_core.runtime.session_store import FileSessionStore, Log

EVENTS = 100_000
SESSIONS = 2_000
TEXT = 'Some words of an answer, "quoted" and ünïcode.\n' * 20


def cpu(work: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of one call of `work`."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - begun) / times)
    return best


def turn(log: Log, number: int) -> None:
    """Five events, as a turn with a tool call leaves them."""
    call = f"call_{number}"
    parts = (Text(text=TEXT), ToolCall(id=call, name="Read", arguments={"path": "a.py"}))
    usage = Usage(input_tokens=1000, output_tokens=100)
    log.append(UserMessage(text="Please go on."))
    log.append(ModelResponse(turn=number, model="a:b", parts=parts, usage=usage, stop="tool_calls", duration_ms=900))
    log.append(ToolCalled(call=call, tool="Read", arguments={"path": "a.py"}))
    log.append(ToolStart(call=call, tool="Read"))
    log.append(ToolResulted(call=call, tool="Read", content=TEXT * 2, is_error=False, outcome="ok", duration_ms=3))


def bench_append(store: FileSessionStore) -> None:
    log = store.create(cwd="/", session_id="append")
    event = ToolResulted(call="c", tool="Read", content=TEXT, is_error=False, outcome="ok", duration_ms=3)
    whole = cpu(lambda: log.append(event), 5000)
    encoding = cpu(lambda: to_json(event), 5000)
    print(f"append, 1 kB          {whole * 1e6:8.1f} µs, of which encoding {encoding * 1e6:.1f}")

    async def appended_and_synced() -> None:
        for _ in range(200):
            log.append(event)
            await log.sync()

    print(f"append and sync       {cpu(lambda: asyncio.run(appended_and_synced())) / 200 * 1e6:8.1f} µs")
    log.close()


def bench_long(store: FileSessionStore) -> None:
    log = store.create(cwd="/", session_id="long")
    for number in range(EVENTS // 5):
        turn(log, number)
    log.close()
    path = store.path("long") / "events.jsonl"
    print(f"a log of {EVENTS} events, {path.stat().st_size / 1e6:.0f} MB")
    print(f"  open and close      {cpu(lambda: store.open('long').close()) * 1e3:8.1f} ms")
    print(f"  read all            {cpu(lambda: sum(1 for _ in store.read('long'))) * 1e3:8.1f} ms")
    summary = path.with_name("session.toml")

    def listed_anew() -> None:
        summary.unlink(missing_ok=True)
        store.list()

    print(f"  list, no summary    {cpu(listed_anew) * 1e3:8.1f} ms")
    print(f"  verify              {cpu(lambda: store.verify('long')) * 1e3:8.1f} ms")
    shutil.rmtree(path.parent)


def bench_list(home: Path) -> None:
    store = FileSessionStore(home / "state" / "sessions")
    for number in range(SESSIONS):
        log = store.create(cwd="/home/someone/project", title=f"Session number {number}")
        log.append(RunStart(model="a:b", mode="default", cwd="/", tools=(), limits={}))
        turn(log, number)
        log.append(
            RunEnd(state="completed", stop_reason="completed", answer="x", usage=Usage(), turns=1, duration_ms=1)
        )
        log.close()
    print(f"{SESSIONS} sessions")
    print(f"  list all            {cpu(store.list) * 1e3:8.1f} ms")
    print(f"  list 20             {cpu(lambda: store.list(20)) * 1e3:8.1f} ms")
    print(f"  find by prefix      {cpu(lambda: store.find(store.list(1)[0].id[:-2])) * 1e3:8.1f} ms")
    for arguments in (["list"], ["list", "--all"]):
        command = [sys.executable, "-m", "loom_cli", "sessions", *arguments]
        run = f"""import os, resource, subprocess
subprocess.run({command!r}, stdout=subprocess.DEVNULL, check=True, env=dict(os.environ, LOOM_HOME={str(home)!r}))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)"""
        figures = [
            float(subprocess.run([sys.executable, "-c", run], capture_output=True, check=True).stdout) for _ in "123"
        ]
        print(f"  loom sessions {' '.join(arguments):10} {min(figures) * 1e3:4.0f} ms, the whole process")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="loom-bench-") as name:
        bench_append(FileSessionStore(Path(name) / "sessions"))
        bench_long(FileSessionStore(Path(name) / "sessions"))
        bench_list(Path(name))


if __name__ == "__main__":
    main()
