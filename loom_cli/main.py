"""The entry point. Nothing here may cost: `loom --version` ends before anything heavy is imported."""

import gc
import os
import sys

TYPE_CHECKING = False  # as of typing, which costs 10 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """Run the program on `sys.argv` and end the process."""
    # Nearly all a short run allocates lives to its end, so looking for garbage while it starts costs 5 % of the CPU
    # for nothing.
    gc.set_threshold(100_000, 20, 20)
    # At the end everything is written and closed; taking 500 modules apart costs 30 ms that somebody waits for.
    os._exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of the program for these arguments; a signal that stopped it stops this process."""
    from loom_cli.output import ReaderGone

    try:
        return _command(arguments)
    except ReaderGone:
        from signal import SIGPIPE

        from loom_cli.signals import die_by

        die_by(SIGPIPE)
    except KeyboardInterrupt:
        from signal import SIGINT

        from loom_cli.signals import die_by

        die_by(SIGINT)
    except Exception as error:  # noqa: BLE001 - the last stop: whatever it is, the user is told and the code says so
        from loom_cli.failure import report

        return report(error, arguments)


def _command(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from loom_cli.output import write_out
        from loom_core._version import __version__

        write_out(f"loom {__version__}\n")
        return 0
    from loom_cli import program

    return program.run(arguments)
