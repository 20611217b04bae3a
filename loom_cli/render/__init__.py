"""Events to text and JSON."""
