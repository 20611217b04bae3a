"""Why something could not be read, in words for the user."""


def reason(error: OSError | UnicodeDecodeError) -> str:
    """As `No such file or directory`, or that it is no text; without a number or the path, which the message names."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 text (byte {error.start})"
    return error.strerror or str(error)
