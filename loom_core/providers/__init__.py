"""Model services: one adapter a wire format, all over one HTTP module."""
