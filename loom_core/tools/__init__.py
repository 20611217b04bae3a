"""S: what a model can call: definitions, execution, and the built-in ones."""
