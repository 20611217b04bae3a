"""What `loom` alone says: how to begin, and which model would be used and why."""

from loom_cli.invocation import Invocation
from loom_cli.model_choice import chosen_model
from loom_cli.output import write_out
from loom_cli.settings import settings_of
from loom_core.errors import NoModel

_BEGIN = """\
loom - an agent shell: visible context, explained permissions, sessions that survive.

  loom demo                           see a session work, without a key
  loom chat                           work with an agent in this directory
  loom run -g "explain this"          one goal, one answer on standard output
  git diff | loom run -g "review this"

`loom --help` lists the commands, `loom help` the topics.
"""


def welcome(invocation: Invocation) -> None:
    """Print it. That there is no model is no failure here."""
    try:
        model, why = chosen_model(settings_of(invocation), invocation)
        last = f"Model: {model} ({why})"
    except NoModel as nothing:
        last = f"No model: {nothing}.\n{nothing.hint}"
    write_out(f"{_BEGIN}\n{last}\n")
