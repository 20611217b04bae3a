"""What a model is told of the built-in tools: their arguments and their purpose.

The work is done elsewhere and imported with the first call, so that a run pays for the tools it uses, not for six.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from loom_core.tools.spec import ToolContext, ToolFunction, ToolOutput

LONGEST = 600.0
"""Seconds a model may ask for a command, unless the configured limit is longer."""

FilePath: TypeAlias = Annotated[str, "Absolute, or relative to the root of the workspace."]
Shape: TypeAlias = Literal["content", "files", "count"]


def read(
    path: FilePath,
    context: ToolContext,
    offset: Annotated[int, Meta(ge=1, description="Number of the first line to read.")] = 1,
    limit: Annotated[int, Meta(ge=1, le=2_000, description="How many lines to read at most.")] = 2_000,
) -> ToolOutput:
    """Read a text file of the workspace as numbered lines.

    The line number and the tab after it are not part of the line. Where more follows, the end says how to go on.
    """
    from loom_core.tools.builtin.read import read_file

    return read_file(path, context, offset=offset, limit=limit)


def write(path: FilePath, content: Annotated[str, "The whole new content."], context: ToolContext) -> ToolOutput:
    """Write a file of the workspace, new or in place of the old content. To change parts of a file, use Edit.

    A file that exists must have been read before. Directories on the way are made. The text is written as UTF-8.
    """
    from loom_core.tools.builtin.write import write_file

    return write_file(path, content, context)


def edit(
    path: FilePath,
    old_string: Annotated[str, "The exact text to replace, without the line numbers that Read shows."],
    new_string: Annotated[str, "The text to put in its place."],
    context: ToolContext,
    *,
    replace_all: Annotated[bool, "Replace every occurrence."] = False,
) -> ToolOutput:
    """Replace a piece of a file of the workspace. The file must have been read before.

    old_string must stand in the file exactly once, white space included: give enough lines around the change to make
    it unique, or replace_all. The file keeps its encoding, its line ends and its mode.
    """
    from loom_core.tools.builtin.edit import edit_file

    return edit_file(path, old_string, new_string, context, replace_all=replace_all)


def glob(
    pattern: Annotated[str, "Relative to path; `*.py` means the files right there, `**/*.py` those below it too."],
    context: ToolContext,
    path: Annotated[str, "The directory to look in."] = ".",
) -> str:
    """List files of the workspace by a pattern such as `**/*.py` or `src/{core,cli}/*.toml`, newest first.

    `*` and `?` stay within a name, `**` stands for any directories, also none. Files that git ignores are left out.
    """
    from loom_core.tools.builtin.glob import list_files

    return list_files(pattern, context, path)


async def grep(
    pattern: Annotated[str, "A regular expression, matched against each line."],
    call: ToolContext,
    path: Annotated[str, "The file or directory to search."] = ".",
    glob: Annotated[
        str | None, "Only files like `*.py` (anywhere), `src/**/*.py` (from the root) or `!*.md` (not)."
    ] = None,
    *,
    case_insensitive: bool = False,
    context: Annotated[int, Meta(ge=0, le=20, description="Lines to show before and after each match.")] = 0,
    output: Annotated[Shape, "Matching lines, names of files, or the number of matching lines by file."] = "content",
    limit: Annotated[int, Meta(ge=1, le=2_000, description="Lines, or files, to show at most.")] = 200,
) -> ToolOutput:
    """Search files of the workspace for lines that match a regular expression.

    Binary files and files that git ignores are left out; a file that `path` itself names is searched all the same.
    """
    from loom_core.tools.builtin.grep import Request, search_files

    request = Request(
        pattern=pattern,
        path=path,
        glob=glob,
        case_insensitive=case_insensitive,
        context=context if output == "content" else 0,
        output=output,
        limit=limit,
    )
    return await search_files(request, call)


def shell_function(default: float) -> ToolFunction:
    """The function of a Shell tool whose commands get `default` seconds."""
    seconds = Annotated[float, Meta(gt=0, le=max(default, LONGEST))]

    async def shell(
        command: Annotated[str, "The command line."],
        context: ToolContext,
        timeout: Annotated[seconds | None, f"Seconds it may take; {default:g} when not said."] = None,  # noqa: ASYNC109  # an argument of the model
        description: Annotated[str | None, "What it does, in a few words."] = None,  # noqa: ARG001  # for who is asked
    ) -> ToolOutput:
        """Run a command line in the root of the workspace; gives stdout and stderr together and the exit code.

        Each call is a new bash with no terminal and no input: directories and variables do not carry over. Processes
        left in the background are ended with the command.
        """
        from loom_core.tools.builtin.command import run_command

        return await run_command(command, context, seconds=default if timeout is None else timeout)

    return shell
