"""Grep: lines by a regular expression, through ripgrep where it is installed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from loom_core.errors import ToolError
from loom_core.tools.builtin.hits import Hits
from loom_core.tools.builtin.nearby import missing
from loom_core.tools.builtin.patterns import PathPattern, relative_patterns
from loom_core.tools.builtin.programs import find_program
from loom_core.tools.builtin.search import Search
from loom_core.tools.process import Ending, run_process
from loom_core.tools.spec import ToolContext, ToolOutput, Workspace
from loom_core.tools.text import visible

_SECONDS = 20.0
_PACKAGES = str(Path(__file__).parents[3])
# -I and -S: nothing of the user's Python runs, and it starts in half the time; the packages are found by their place.
_SEARCH = "import sys; sys.path.insert(0, sys.argv[1]); from loom_core.tools.builtin.search import main; "
_SEARCH += "sys.exit(main(sys.argv[2]))"


class Request(Struct, frozen=True, kw_only=True):
    """What a model asked for."""

    pattern: str
    path: str
    glob: str | None
    case_insensitive: bool
    context: int
    output: Literal["content", "files", "count"]
    limit: int


async def search_files(request: Request, call: ToolContext) -> ToolOutput:
    """The matching lines, or their files, as the request says."""
    base = call.workspace.resolve(request.path)
    if not base.exists():
        raise missing(base, call.workspace)
    search = Search(
        root=str(call.workspace.root),
        base=str(base),
        globs=["**/*"] if request.glob is None or request.glob.startswith("!") else _globs(request.glob),
        pattern=request.pattern,
        case_insensitive=request.case_insensitive,
        context=request.context,
        most=1 if request.output == "files" else None,
    )
    hits = Hits(
        _wanted(search, request.glob, call.workspace),
        limit=request.limit,
        by_file=request.output != "content",
        grouped=request.context > 0,
    )
    ripgrep = find_program("rg", call.environment, call.workspace.root)
    ending = await run_process(
        _by_python(search) if ripgrep is None else _by_ripgrep(ripgrep, search, request.glob),
        cwd=call.workspace.root,
        environment={name: value for name, value in call.environment.items() if name != "RIPGREP_CONFIG_PATH"},
        seconds=_SECONDS,
        receive=hits.receive,
    )
    return _result(hits, ending, request)


def _result(hits: Hits, ending: Ending, request: Request) -> ToolOutput:
    found = hits.lines or [
        f"{visible(name)}:{count}" if request.output == "count" else visible(name)
        for name, count in hits.counts.items()
    ]
    if not found and not ending.timed_out:
        if hits.fault:
            raise ToolError(hits.fault)
        if ending.code not in {0, 1}:
            raise ToolError(f"the search ended with code {ending.code}")
        return ToolOutput(content="No matches.")
    notes = ["[there is more; narrow the search or raise limit]"] if hits.is_full else []
    if ending.timed_out:
        notes.append(f"[the search was stopped after {_SECONDS:g} s; narrow it by path or glob]")
    return ToolOutput(content="\n".join([*found, *notes]), is_error=ending.timed_out, timed_out=ending.timed_out)


def _globs(glob: str) -> list[str]:
    """The patterns, relative to the root, of one that means names anywhere where it has no slash."""
    alternatives = relative_patterns(glob.removeprefix("/"))
    return alternatives if "/" in glob else [f"**/{each}" for each in alternatives]


def _wanted(search: Search, glob: str | None, workspace: Workspace) -> Callable[[str], bool]:
    """Whether a file, by its path from the root, may be shown: as `glob` says, and nothing of the path denied."""
    patterns = [PathPattern(each) for each in search.globs]
    unwanted = [PathPattern(each) for each in _globs(glob[1:])] if glob and glob.startswith("!") else []

    def wanted(name: str) -> bool:
        path = workspace.root / name
        line = [path, *path.parents][: len(path.parts) - len(workspace.root.parts)]
        return (
            any(pattern.matches(Path(name).parts) for pattern in patterns)
            and not any(pattern.matches(Path(name).parts) for pattern in unwanted)
            and not any(map(workspace.denied, line))
        )

    return wanted


def _by_ripgrep(program: str, search: Search, glob: str | None) -> list[str]:
    argv = [
        program,
        *("--no-config", "--no-heading", "--with-filename", "--line-number", "--null", "--crlf", "--color=never"),
        *("--no-messages", "--max-columns=2000", "--max-columns-preview", "--sort=path", f"--context={search.context}"),
        # What git ignores and nothing else: also without a repository, also hidden files, not by other tools' rules.
        *("--hidden", "--glob=!.git", "--no-require-git", "--no-ignore-global", "--no-ignore-dot"),
        "--ignore-case" if search.case_insensitive else "--case-sensitive",
    ]
    if search.most is not None:
        argv.append(f"--max-count={search.most}")
    base = Path(search.base)
    if not any((above / ".git").exists() for above in (base, *base.parents)):
        # Outside a repository the rules begin at the root; ripgrep would go on to the top of the file system.
        argv += ["--no-ignore-parent", f"--ignore-file={Path(search.root, '.gitignore')}"]
    if glob and "/" not in glob and not glob.startswith("!"):
        argv += [f"--type-add=wanted:{glob}", "--type=wanted"]  # --glob would bring ignored files back
    return [*argv, f"--regexp={search.pattern}", "--", "/".join((".", *base.relative_to(search.root).parts))]


def _by_python(search: Search) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _SEARCH, _PACKAGES, json.dumps(search._asdict())]
