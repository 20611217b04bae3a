"""`loom chat --line`."""
