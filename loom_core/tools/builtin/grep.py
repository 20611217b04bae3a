"""Grep: lines by a regular expression, through ripgrep where it is installed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from loom_core.errors import ToolError
from loom_core.tools.builtin.glob import path_patterns
from loom_core.tools.builtin.hits import Hits
from loom_core.tools.builtin.nearby import missing
from loom_core.tools.builtin.paths import shown
from loom_core.tools.builtin.programs import find_program
from loom_core.tools.process import Ending, run_process
from loom_core.tools.spec import ToolContext, ToolOutput, Workspace
from loom_core.tools.text import visible

_SECONDS = 20.0
_COLUMNS = 2_000  # bytes of a line that ripgrep sends; the result shows less
_PACKAGES = str(Path(__file__).parents[3])
# -I and -S: nothing of the user's Python runs, and it starts in half the time; the packages are found by their place.
_SEARCH = "import sys; sys.path.insert(0, sys.argv[1]); from loom_core.tools.builtin.search import main; "
_SEARCH += "sys.exit(main(sys.argv[2]))"

Shape: TypeAlias = Literal["content", "files", "count"]


async def grep(
    pattern: Annotated[str, "A regular expression, matched against each line."],
    call: ToolContext,
    path: Annotated[str, "The file or directory to search."] = ".",
    glob: Annotated[str | None, "Only files like `*.py` (anywhere), `src/**/*.py` (from the root) or `!*.md` (not)."] = None,
    *,
    case_insensitive: bool = False,
    context: Annotated[int, Meta(ge=0, le=20, description="Lines to show before and after each match.")] = 0,
    output: Annotated[Shape, "Matching lines, names of files, or the number of matching lines by file."] = "content",
    limit: Annotated[int, Meta(ge=1, le=2_000, description="Lines, or files, to show at most.")] = 200,
) -> ToolOutput:
    """Search files of the workspace for lines that match a regular expression.

    Binary files and files that git ignores are left out; a file that `path` itself names is searched all the same.
    """
    base = call.workspace.resolve(path)
    if not base.exists():
        raise missing(base, call.workspace)
    search = Search(
        root=str(call.workspace.root),
        base=str(base),
        globs=_globs(glob),
        pattern=pattern,
        case_insensitive=case_insensitive,
        context=context if output == "content" else 0,
        most=1 if output == "files" else None,
    )
    hits = Hits(_wanted(search, call.workspace), limit=limit, by_file=output != "content", grouped=search.context > 0)
    ripgrep = find_program("rg", call.environment, call.workspace.root)
    ending = await run_process(
        _by_python(search) if ripgrep is None else _by_ripgrep(ripgrep, search),
        cwd=call.workspace.root,
        environment={name: value for name, value in call.environment.items() if name != "RIPGREP_CONFIG_PATH"},
        seconds=_SECONDS,
        receive=hits.receive,
    )
    return _result(hits, ending, output)


def _result(hits: Hits, ending: Ending, output: Shape) -> ToolOutput:
    if output == "content":
        found = hits.lines
    else:
        found = [f"{visible(name)}:{count}" if output == "count" else visible(name) for name, count in hits.counts.items()]
    if not found and not ending.timed_out:
        if hits.fault:
            raise ToolError(hits.fault)
        if ending.code not in {0, 1}:
            raise ToolError(f"the search ended with code {ending.code}")
        return ToolOutput(content="No matches.")
    notes = ["[there is more; narrow the search or raise limit]"] if hits.is_full else []
    if ending.timed_out:
        notes.append(f"[the search was stopped after {_SECONDS:g} s; narrow it by path or glob]")
    return ToolOutput(
        content="\n".join([*found, *notes]), is_error=ending.timed_out, timed_out=ending.timed_out
    )


def _globs(glob: str) -> list[str]:
    """The patterns, relative to the root, of one that means names anywhere where it has no slash."""
    alternatives = relative_patterns(glob.removeprefix("/"))
    return alternatives if "/" in glob else [f"**/{each}" for each in alternatives]


def _wanted(search: Search, glob: str | None, workspace: Workspace) -> Callable[[str], bool]:
    """Whether a file, by its path relative to the root, may be shown: not denied, nor what leads to it, and as `glob`."""
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
        *("--no-config", "--no-heading", "--with-filename", "--line-number", "--null", "--color=never"),
        *("--no-messages", "--max-columns=2000", "--max-columns-preview", "--sort=path", f"--context={search.context}"),
        # What git ignores and nothing else: also without a repository, also hidden files, not by other tools' rules.
        *("--hidden", "--glob=!.git", "--no-require-git", "--no-ignore-global", "--no-ignore-dot"),
        "--ignore-case" if search.case_insensitive else "--case-sensitive",
    ]
    if search.most is not None:
        argv.append(f"--max-count={search.most}")
    if search.base == search.root and not Path(search.root, ".git").exists():
        ...
    if glob and "/" not in glob and not glob.startswith("!"):
        argv += [f"--type-add=wanted:{glob}", "--type=wanted"]  # --glob would bring ignored files back
    return [*argv, f"--regexp={search.pattern}", "--", f"./{Path(search.base).relative_to(search.root).as_posix()}"]


def _by_python(search: Search) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _SEARCH, _PACKAGES, json.dumps(search._asdict())]
