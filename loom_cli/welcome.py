"""What `loom` alone says: how to begin, and which model would be used and why."""

from loom_cli.invocation import Invocation
from loom_cli.keys import find_key
from loom_cli.output import write_out
from loom_cli.settings import settings_of
from loom_core.errors import NoModel

_BEGIN = """\
loom - an agent shell: visible context, explained permissions, sessions that survive.

  loom demo                      see a session work, without a key
  loom chat                      work with an agent in this directory
  loom run -g "explain this"     one goal, one answer on standard output
  git diff | loom run -g "review this"

  loom --help lists the commands, loom help the topics.
"""


def welcome(invocation: Invocation) -> None:
    """Print it. That no model is found is no failure here."""
    write_out(f"{_BEGIN}\n{_model(invocation)}\n")


def _model(invocation: Invocation) -> str:
    from loom_cli.model_choice import chosen

    try:
        model, why = chosen(settings_of(invocation), find_key)
    except NoModel as nothing:
        return f"No model: {nothing}.\n{nothing.hint or ''}"
    return f"Model: {model} ({why})."
