"""`python -m loom_cli` is `loom`."""

from loom_cli.main import main

main()
