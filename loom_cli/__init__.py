"""The command line and its interfaces over `loom_core`."""
