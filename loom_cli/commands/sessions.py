"""`loom sessions`: what was recorded, listed, shown, checked and put away."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from loom_cli.frame import command, group
from loom_cli.invocation import Invocation
from loom_cli.listing import AsJSON, write_records
from loom_cli.options import COMMON, OUTPUT, Yes
from loom_cli.output import STDOUT, write_out
from loom_cli.resume import EXAMPLES, resume
from loom_core.errors import SessionError, UsageError

app = group("Sessions: list, show, resume, verify and delete them.")

command(app, "resume", examples=EXAMPLES)(resume)

Reference: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="an id, the beginning of one, @last or @N", show_default=False)
]


@command(
    app, "list", examples="loom sessions list\nloom sessions list --here --since 2d\nloom sessions list --all --json"
)
def list_sessions(
    invocation: Invocation,
    *,
    count: Annotated[int, typer.Option("-n", metavar="N", min=1, help="how many (20)", rich_help_panel=COMMON)] = 20,
    everything: Annotated[bool, typer.Option("--all", help="every one", rich_help_panel=COMMON)] = False,
    here: Annotated[bool, typer.Option("--here", help="of this directory", rich_help_panel=COMMON)] = False,
    status: Annotated[
        str | None, typer.Option("--status", metavar="S", help="running, crashed ...", rich_help_panel=COMMON)
    ] = None,
    when: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="2h, 3d, 2025-01-31", rich_help_panel=COMMON)
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """List sessions, the one written last first."""
    import time

    from loom_cli.places import session_store
    from loom_cli.session_listing import STATES, columns, record, since, table
    from loom_cli.suggest import suggestion

    if status is not None and status not in STATES:
        raise UsageError(f"--status {status}: no such state", hint=suggestion(status, STATES) or ", ".join(STATES))
    cutoff = "" if when is None else since(when, time.time())
    selective = here or status is not None or when is not None
    cwd = str(Path.cwd()) if here else ""
    infos = session_store().list(None if everything or selective else count + 1)
    infos = [
        info for info in infos if cwd in ("", info.cwd) and status in (None, info.state) and info.updated >= cutoff
    ]
    shown = infos if everything else infos[:count]
    if as_json or not os.isatty(STDOUT):
        write_records([record(info) if as_json else columns(info) for info in shown], as_json)
        return
    if not infos:
        invocation.notice("no such session" if selective else "no sessions yet")
        return
    write_out("".join(f"{each}\n" for each in table(shown, width=_width(), now=time.time())))
    if len(shown) < len(infos):
        newest = "this is the newest" if count == 1 else f"these are the {count} newest"
        invocation.notice(f"{newest}; --all shows every one")


@command(
    app, "show", examples="loom sessions show @last\nloom sessions show 20250131 --type tool\nloom sessions show @1 -F"
)
def show(
    invocation: Invocation,
    session: Reference,
    *,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="T", help="only such events, one a line; may repeat", rich_help_panel=COMMON),
    ] = None,
    run: Annotated[str, typer.Option("--run", metavar="R", help="only of this run", rich_help_panel=COMMON)] = "",
    tail: Annotated[
        int | None, typer.Option("--tail", metavar="N", min=0, help="the last N events", rich_help_panel=COMMON)
    ] = None,
    follow: Annotated[
        bool, typer.Option("-F", "--follow", help="go on while it is written", rich_help_panel=COMMON)
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="the log's own lines", rich_help_panel=OUTPUT)] = False,
    as_json: AsJSON = False,
) -> None:
    """Show what happened in a session; with --type as events, otherwise as a conversation."""
    from loom_cli.places import session_store
    from loom_cli.render.scrollback import Scrollback
    from loom_cli.session_show import LogView, Selection, as_array, as_records, tell
    from loom_core.runtime.session_info import LOG_NAME
    from loom_core.runtime.session_lock import session_holder

    if as_json and (raw or follow):
        raise UsageError(
            "--json is one array, so it goes with neither --raw nor --follow", hint="--raw is one event a line"
        )
    store = session_store()
    directory = store.path(store.find(session))
    selection = Selection(types=_checked(types or ()), run=run, tail=tail)

    def in_use() -> bool:
        return session_holder(directory) is not None

    view = LogView(directory / LOG_NAME, selection, live=lambda: follow and in_use())
    if raw or as_json or types:
        texts = view.raw() if raw else (as_array if as_json else as_records)(view.events())
        for text in texts:
            write_out(text)
    else:
        columns = _width if os.isatty(STDOUT) else None
        tell(view.events(), Scrollback(write_out, color=invocation.stdout_color, columns=columns), _width(), in_use)
    if view.skipped:
        invocation.notice(f"damaged lines left out: {view.skipped}; --raw shows them")


@command(app, "path", examples="loom sessions path @last\nls $(loom sessions path @1)/blobs")
def path(session: Reference) -> None:
    """Print the directory of a session."""
    from loom_cli.places import session_store

    store = session_store()
    write_out(f"{store.path(store.find(session))}\n")


@command(app, "verify", examples="loom sessions verify\nloom sessions verify @last")
def verify(
    session: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="all of them without one", show_default=False)
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Check that a session's files are whole, without changing them; 1 is the exit code where one is not."""
    from loom_cli.places import session_store
    from loom_cli.render.numbers import counted

    store = session_store()
    ids = [info.id for info in store.list()] if session is None else [store.find(session)]
    found = [store.verify(each) for each in ids]
    write_records(
        [
            {
                "id": each.id,
                "events": each.events,
                "state": "; ".join(each.faults) or "whole",
                "open": f"calls without result: {len(each.unanswered)}" if each.unanswered else "",
            }
            for each in found
        ],
        as_json,
    )
    damaged = sum(bool(each.faults) for each in found)
    if damaged:
        raise SessionError(
            f"{damaged} of {counted(len(found), 'session')} damaged",
            hint="Nothing more is lost by going on: show and resume use all that can be read.",
        )


@command(app, "delete", examples="loom sessions delete @last\nloom sessions delete 20250131-101500-9f3a1c --yes")
def delete(
    invocation: Invocation,
    sessions: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="ids, beginnings of them, @last or @N", show_default=False),
    ],
    yes: Yes = False,
) -> None:
    """Put sessions into the trash, which is a directory beside them."""
    from loom_cli.confirm import confirm
    from loom_cli.places import session_store

    store = session_store()
    ids = list(dict.fromkeys(store.find(each) for each in sessions))
    what = f"session {ids[0]}" if len(ids) == 1 else f"{len(ids)} sessions ({', '.join(ids)})"
    if confirm(f"Delete {what}?", invocation, yes=yes):
        for each in ids:
            store.delete(each)
        invocation.notice(f"moved to {store.trash}")


def _width() -> int:
    """Columns of the terminal; where there is none nothing is cut."""
    try:
        return os.get_terminal_size(STDOUT).columns
    except OSError:
        return 10_000


def _checked(types: Sequence[str]) -> frozenset[str]:
    from loom_cli.session_show import KINDS
    from loom_cli.suggest import suggestion
    from loom_core.events import EVENT_TYPES

    for name in types:
        if name not in EVENT_TYPES and name not in KINDS:
            hint = suggestion(name, (*EVENT_TYPES, *KINDS)) or f"there are {', '.join(EVENT_TYPES)}"
            raise UsageError(f"--type {name}: no such event", hint=hint)
    return frozenset(types)
