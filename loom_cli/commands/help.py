from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.output import write_out
app = single()
@command(app, "help", examples="loom help rules")
def show(invocation: Invocation) -> None:
    """Topics."""
    write_out(repr(invocation)[:100])
