"""M: instruction files and what outlives a session."""
