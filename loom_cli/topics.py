"""The texts of `loom help TOPIC`."""

from collections.abc import Callable, Iterable, Mapping

from loom_cli.help_text import listing

TOPICS = {
    "exit-codes": "what the program's end means",
    "environment": "every variable loom reads",
    "task-file": "how a task is written down",
    "events": "what a session's log and --format jsonl hold",
    "stdin": "what happens to piped data",
    "rules": "how calls of tools are allowed, asked for and denied",
}
"""Each topic with a line on it."""


def topic_text(topic: str) -> str:
    """The text of one of `TOPICS`, at most 80 columns wide."""
    texts: Mapping[str, Callable[[], str]] = {"environment": _environment, "events": _events}
    return texts[topic]() if topic in texts else _TEXTS[topic]


_TEXTS = {
    "exit-codes": """\
Exit codes:

   0  done
   1  the run failed: the model's service, a tool, or loom itself
   2  wrong usage, task file, configuration, session or input; nothing was sent
   3  there is an answer, but a criterion or check of the task failed
   4  no model is configured, or its key is missing or refused
   5  a limit was reached: turns, tokens, money, calls or time
   6  an approval was needed and nobody could give it
   7  the answer does not satisfy the task's schema
  74  standard output, the output file or the log cannot be written
  75  the service is overloaded or out of reach: trying later may help

Ctrl-C, SIGTERM and SIGHUP end the program by that signal, so a shell reports
130, 143 or 129 and stops its loop. Where the reader of standard output goes
away (loom run ... | head -1), it ends by SIGPIPE, silently.

With --json the code stands in `exit_code`, and `error.code` is a stable word.
""",
    "task-file": """\
A task file is TOML. Two lines suffice:

  schema = 1
  goal = "Summarise the changes on ${branch}"

Run it with: loom run task.toml -p branch=main

  [params.branch]                 a blank in goal, instructions, criteria and
  type = "string"                 output.file; $${x} stands for ${x} itself.
  default = "main"                string int float bool choice path json

  [input]
  stdin = "auto"                  auto, require, ignore, head
  files = ["src/*.py"]            attached as data; max_bytes = 4194304
  values = { depth = 2 }

  [model]
  name = "anthropic:..."          also temperature, top_p, max_output_tokens,
                                  reasoning, seed, timeout_s, retries,
                                  extensions
  [capabilities]
  files.mode = "read"             off, read, write; files.deny = ["*.pem"]
  shell.enabled = false           shell.timeout_s = 60; shell.env = ["CI"]

  [governance]
  mode = "default"                plan, default, auto; see `loom help rules`
  ask = ["Edit"]                  also allow, deny, max_calls = { Shell = 5 }
  on_denied = "stop"              or continue

  [budget]
  max_turns = 40                  max_tool_calls, max_tokens, max_cost_usd,
                                  timeout_s
  [session]
  save = true                     id = "..." goes on with a session

  [output]
  format = "text"                 text, json, jsonl; file = "out.md"; append

Top level: name, description, instructions (text, or { file = "..." }),
criteria, extensions. Sizes are bytes, times seconds, money dollars; paths
start at the file. Every field can be set with --set, as in
--set budget.max_tool_calls=20.

A task file narrows what you grant and never widens it: what it asks for beyond
that is withheld, and loom names the option that would grant it.
""",
    "stdin": """\
What is piped in is data, never instruction: the goal stands by itself, the data
follows it, fenced, with its size and digest.

  git diff | loom run -g "review this"

  not read     with -n, with --stdin=ignore, from a terminal, where it is closed
  the task     with `loom run -`: standard input is the task file then
  an error     binary data; more than input.stdin_max_bytes (1 MiB);
               with --stdin=require, nothing at all
  cut          with --stdin=head, at the limit, and said so

It is read to its end before anything is sent. Bytes that are not UTF-8 are
replaced, and that is said once. In a shell's `while read` loop use -n: the
program would otherwise take the rest of the loop's lines.
""",
    "rules": """\
A rule names a tool and, in parentheses, what of it:

  Shell                     every command
  Shell(git log *)          the command `git log`, whatever its arguments
  Edit(src/**)              files, by gitignore patterns from the workspace
  Read(~/notes/**)          ~/ starts at the home, // at the root
  mcp__files__*             every tool whose name begins so; * is every tool

Each call passes the stages in this order, and the first that decides counts:

  veto     what no setting allows, as `rm -rf /` or writing into .git
  deny     --deny RULE, governance.deny: any part of a command that matches
  mode     plan never changes anything; auto asks nothing that is not denied
  ask      governance.ask: asked for in every mode
  allow    --allow RULE, governance.allow: the whole of a plain command
  default  reading needs no leave, everything else is asked for

Where nobody can be asked, the run stops with exit code 6 and names the rule or
option that would allow the call; governance.on_denied="continue" tells the
model instead. Rules of all places add up. A task file's allow rules grant
nothing by themselves.

--allow also switches on the tool it names: Shell (or Bash), Write, Edit. A rule
with a star for its name switches on none, so --allow '*' needs the tools to be
granted: --cap shell --cap files=write.
""",
}


def _environment() -> str:
    from loom_cli.variables import field_variables, option_variables, other_variables

    return (
        "Every long option has a twin: --max-turns is LOOM_MAX_TURNS. An option says\n"
        "more than a task file, a task file more than a variable, a variable more than\n"
        "config.toml. Several values stand one a line; a switch is 1 or 0.\n\n"
        f"Options:\n\n{_paragraph(option_variables())}\n\n"
        "Settings that have no option, as LOOM_MODEL_SEED for model.seed:\n\n"
        f"{_paragraph(field_variables())}\n\n"
        "Others:\n\n" + "\n".join(listing(other_variables(), column=31)) + "\n"
    )


def _paragraph(names: Iterable[str]) -> str:
    import textwrap

    return textwrap.fill(" ".join(names), 79, initial_indent="  ", subsequent_indent="  ")


def _events() -> str:
    import inspect

    from loom_core.events import EVENT_TYPES, Event

    said = {str(kind.__struct_config__.tag): inspect.getdoc(kind) or "" for kind in Event.__subclasses__()}
    return (
        "A session's log has one JSON object a line: `type`, then `v` (schema version),\n"
        "`seq` (its place, without gaps), `id`, `ts`, `run`, then the fields of the type.\n"
        "--format jsonl prints the events of the run as they happen; the last is run.end.\n\n"
        + "\n".join(listing(((name, said[name].partition(". ")[0].rstrip(".")) for name in EVENT_TYPES), column=21))
        + "\n"
    )
