"""One module a command group, imported only when the command runs."""
