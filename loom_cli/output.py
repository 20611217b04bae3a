"""What the program writes: bytes, at once, the same whatever the locale.

Standard output carries the answer and nothing else; everything said about it goes to standard error. Nothing passes
through Python's own streams, so nothing is left in a buffer when the interpreter ends.
"""

import os

TYPE_CHECKING = False  # as of typing, whose import costs a third of what `loom --version` may take
if TYPE_CHECKING:
    from loom_core.errors import StorageError

STDIN, STDOUT, STDERR = 0, 1, 2

# What stands in for a descriptor the caller closed. Each is open the wrong way round, so that use of it fails as use
# of the closed one would, while no file opened later can get its number and receive the answer instead of its reader.
_STAND_IN = {STDIN: os.O_WRONLY, STDOUT: os.O_RDONLY, STDERR: os.O_WRONLY}

# Linux's device of that name accepts a write of no bytes and fails every other, so only its number tells.
_DEV_FULL = os.makedev(1, 7)


class ReaderGone(Exception):
    """Nobody reads standard output any more. Not an error: the program ends, silently, as if by SIGPIPE."""


def occupy_standard_descriptors() -> None:
    """Fill the numbers 0 to 2 where the caller closed them; see `_STAND_IN`."""
    for descriptor, flags in _STAND_IN.items():
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)


def write_out(text: str) -> None:
    """Write to standard output, completely.

    Raises `ReaderGone` where the reader went away, `StorageError` where it cannot be written for another reason.
    """
    try:
        write_all(STDOUT, encode(text))
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise _unwritable(error) from None


def write_err(text: str) -> None:
    """Write to standard error. That nobody can be told is no reason to stop, so failures are not raised."""
    try:
        write_all(STDERR, encode(text))
    except OSError:
        return


def require_stdout() -> None:
    """Raise `StorageError` where it is known beforehand that standard output takes nothing.

    To be called before any request is sent: an answer that cannot be delivered is not worth its price.
    """
    import fcntl
    import stat

    from loom_core.errors import StorageError

    try:
        status = os.fstat(STDOUT)
        access = fcntl.fcntl(STDOUT, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError as error:
        raise _unwritable(error) from None
    if access == os.O_RDONLY:
        raise StorageError("cannot write standard output: it is closed")
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == _DEV_FULL:
        raise StorageError("cannot write standard output: No space left on device")


def encode(text: str) -> bytes:
    """UTF-8; what it cannot say (half a surrogate pair) as its escape."""
    return text.encode("utf-8", "backslashreplace")


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, in as many system calls as that takes. Raises `OSError`."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # whoever shares the descriptor may have made it non-blocking
            import select

            select.select([], [descriptor], [])


def _unwritable(error: OSError) -> "StorageError":
    import errno

    from loom_core.errors import StorageError

    reason = "it is closed" if error.errno == errno.EBADF else error.strerror
    return StorageError(f"cannot write standard output: {reason}")
