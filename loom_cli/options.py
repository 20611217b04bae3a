"""The options of the commands that run an agent, said once for `run`, `chat` and `sessions resume`."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from loom_cli.fields import Mode, OutputFormat, StdinMode
from loom_cli.flags import Flags, flag

COMMON, SAFETY, OUTPUT = "Common", "Safety", "Output"

Goal: TypeAlias = Annotated[
    str | None, flag("-g", "--goal", metavar="TEXT", help="what to do, as instruction", group=COMMON)
]
Attached: TypeAlias = Annotated[
    list[Path] | None, flag("-f", "--file", metavar="PATH", help="attach a file; may repeat", group=COMMON)
]

Yes: TypeAlias = Annotated[
    bool, typer.Option("-y", "--yes", help="do not ask first", rich_help_panel=SAFETY, show_default=False)
]


class AgentFlags(Flags, frozen=True, kw_only=True):
    """Which agent, and what it may do."""

    model: Annotated[
        str | None, flag("-m", "--model", metavar="NAME", help="provider:name of the model", group=COMMON)
    ] = None
    instructions: Annotated[
        Path | None, flag("-i", "--instructions", metavar="FILE", help="instructions in a file", group=COMMON)
    ] = None
    set: Annotated[
        list[str] | None, flag("--set", metavar="KEY=VALUE", help="any field of a task file", group=COMMON)
    ] = None
    cap: Annotated[
        list[str] | None, flag("--cap", metavar="NAME", help="grant: shell, files=read|write|off", group=SAFETY)
    ] = None
    allow: Annotated[
        list[str] | None, flag("--allow", metavar="RULE", help="calls that run without asking", group=SAFETY)
    ] = None
    deny: Annotated[list[str] | None, flag("--deny", metavar="RULE", help="calls that never run", group=SAFETY)] = None
    mode: Annotated[
        Mode | None, flag("--mode", metavar="MODE", help="plan, default or auto (default)", group=SAFETY)
    ] = None
    max_turns: Annotated[
        int | None, flag("--max-turns", metavar="N", help="model requests (40; chat 200)", group=SAFETY)
    ] = None
    max_tokens: Annotated[
        int | None, flag("--max-tokens", metavar="N", help="tokens in and out together", group=SAFETY)
    ] = None
    max_cost: Annotated[
        float | None, flag("--max-cost", metavar="USD", help="money for the whole run", group=SAFETY)
    ] = None
    timeout: Annotated[
        float | None, flag("--timeout", metavar="SECONDS", help="for the run (1800; chat a day)", group=SAFETY)
    ] = None


class SessionFlags(Flags, frozen=True, kw_only=True):
    """Which session it goes into."""

    session: Annotated[
        str | None, flag("-s", "--session", metavar="ID", help="go on with this session", group=COMMON)
    ] = None
    resume_latest: Annotated[bool, flag("-c", "--continue", help="go on with the latest session", group=COMMON)] = False
    no_session: Annotated[bool, flag("--no-session", help="keep no record of it", group=COMMON)] = False


class RunFlags(Flags, frozen=True, kw_only=True):
    """What `run` takes besides."""

    goal: Goal = None
    param: Annotated[
        list[str] | None, flag("-p", "--param", metavar="K=V", help="fill in a task's parameter", group=COMMON)
    ] = None
    input: Annotated[
        list[str] | None, flag("-I", "--input", metavar="K=V", help="data: K=V, K=@FILE or K:=JSON", group=COMMON)
    ] = None
    file: Attached = None
    no_stdin: Annotated[bool, flag("-n", "--no-stdin", help="do not read standard input", group=COMMON)] = False
    stdin: Annotated[
        StdinMode | None, flag("--stdin", metavar="HOW", help="auto, require, ignore, head (auto)", group=COMMON)
    ] = None
    dry_run: Annotated[bool, flag("--dry-run", help="show the request, send none", group=COMMON)] = False


class OutputFlags(Flags, frozen=True, kw_only=True):
    """Where the answer of one run goes, and in which form."""

    output: Annotated[
        str | None, flag("-o", "--output", metavar="FILE", help="write the answer there", group=OUTPUT)
    ] = None
    append: Annotated[bool, flag("--append", help="add to that file", group=OUTPUT)] = False
    format: Annotated[
        OutputFormat | None, flag("--format", metavar="NAME", help="text, json or jsonl (text)", group=OUTPUT)
    ] = None
    json: Annotated[bool, flag("--json", help="short for --format json", group=OUTPUT)] = False


class ResumeFlags(Flags, frozen=True, kw_only=True):
    """What `sessions resume` takes besides."""

    goal: Goal = None
    resume_latest: Annotated[
        bool, flag("-c", "--continue", help="the latest session of this directory", group=COMMON)
    ] = False


class ChatFlags(Flags, frozen=True, kw_only=True):
    """What `chat` takes besides."""

    file: Attached = None
    title: Annotated[str | None, flag("--title", metavar="TEXT", help="name the session", group=COMMON)] = None
    line: Annotated[bool, flag("--line", help="line by line, no full screen", group=COMMON)] = False
