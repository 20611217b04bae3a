"""C: what the model is sent, as values and pure functions."""
