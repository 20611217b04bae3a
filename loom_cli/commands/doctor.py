"""`loom doctor`: what loom found on this machine."""

import msgspec
import typer

from loom_cli.frame import command, single
from loom_cli.invocation import Invocation
from loom_cli.listing import AsJSON, write_records

app = single()


@command(app, "doctor", examples="loom doctor\nloom doctor --json")
def doctor(invocation: Invocation, as_json: AsJSON = False) -> None:
    """Look at what loom relies on: directories, configuration, keys, model, terminal, programs, disk."""
    from loom_cli.diagnosis import diagnose

    findings = list(diagnose(invocation))
    write_records([msgspec.to_builtins(finding) for finding in findings], as_json)
    if any(finding.status == "problem" for finding in findings):
        raise typer.Exit(1)
