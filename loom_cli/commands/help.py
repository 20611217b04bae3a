"""`loom help`: topics that no single command's `--help` can hold."""

from typing import Annotated

import typer

from loom_cli.frame import command, single
from loom_cli.output import write_out
from loom_core.errors import UsageError

app = single()


@command(app, "help", examples="loom help\nloom help exit-codes\nloom help run\nloom help sessions list")
def show(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC|COMMAND]", help="what to explain", show_default=False)
    ] = None,
) -> None:
    """Explain a topic or a command; alone, list the topics."""
    from loom_cli.suggest import suggestion
    from loom_cli.topics import TOPICS, topic_text
    from loom_cli.tree import COMMANDS

    topic = " ".join(words or ())
    if not words:
        write_out("Topics:\n\n" + "".join(f"  {name:12}  {line}\n" for name, line in TOPICS.items()))
    elif topic in TOPICS:
        write_out(topic_text(topic))
    elif words[0] in COMMANDS:
        from loom_cli.program import run

        raise typer.Exit(run([*words, "--help"]))
    else:
        known = (*TOPICS, *COMMANDS)
        hint = suggestion(topic, known) or f"there are {', '.join(known)}"
        raise UsageError(f"no topic or command {topic!r}", hint=hint)
