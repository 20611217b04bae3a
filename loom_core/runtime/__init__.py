"""The one loop, the one log, the one gate, and the sessions they make."""
