"""The entry point. Nothing here may cost: `loom --version` ends before anything heavy is imported."""

import gc
import sys


def main() -> None:
    """Run the program on `sys.argv` and end the process: by exit code, or by the signal that stopped it."""
    from loom_cli.output import ReaderGone

    # Nearly all a short run allocates lives to its end, so looking for garbage while it starts costs 5 % of the CPU
    # for nothing.
    gc.set_threshold(100_000, 20, 20)
    arguments = sys.argv[1:]
    try:
        code = _run(arguments)
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

        code = report(error, arguments)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from loom_cli.output import write_out
        from loom_core._version import __version__

        write_out(f"loom {__version__}\n")
        return 0
    from loom_cli.program import run

    return run(arguments)
