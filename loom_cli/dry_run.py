"""`--dry-run`: what would be sent and what would hold, as one JSON object; nothing is sent or recorded."""

import msgspec

from loom_cli.assembly import build_agent
from loom_cli.invocation import Invocation
from loom_cli.oneshot import Job
from loom_cli.output import write_out
from loom_core.context.rendering import input_data, render_user
from loom_core.events import UserMessage, encode


def show(job: Job, invocation: Invocation) -> None:
    """Print it. Raises what assembling the agent raises."""
    agent = build_agent(job.fields, invocation)
    inputs = tuple(input_data(name, value) for name, value in job.inputs.items())
    message = render_user(UserMessage(text=job.task.goal, criteria=tuple(job.task.criteria), inputs=inputs))
    whole = {
        **agent.describe(),
        "session": job.session,
        "system": agent.system,
        "messages": [{"role": message.role, "content": message.text}],
        "capabilities": job.fields.capabilities,
        "governance": job.fields.governance,
        "budget": job.fields.budget,
        "output": job.fields.output,
    }
    write_out(encode(msgspec.to_builtins(whole)).decode() + "\n")
