"""Large outputs beside the log, each in a file named by the SHA-256 of its content."""

import errno
import os
import re
import stat
import threading
from collections import deque
from io import BufferedReader
from pathlib import Path

from loom_core.errors import SessionError, StorageError
from loom_core.runtime.private_files import (
    copy_range,
    make_private_directory,
    open_private,
    storage_errors,
    sync_directory,
    sync_file,
    temporary_name,
    write_all,
)

SCRATCH_NAME = "scratch"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256_of(file: BufferedReader) -> str:
    """The digest of the rest of the file in hex, read in pieces."""
    import hashlib  # loads OpenSSL: 3 ms that a listing need not pay

    return hashlib.file_digest(file, "sha256").hexdigest()


class Blobs:
    """The blobs of one session, in a directory made when the first of them is stored.

    `scratch` is a directory on the same file system for content on its way in.
    """

    def __init__(self, directory: Path, scratch: Path) -> None:
        self._directory = directory
        self._scratch = scratch
        self._unsynced: deque[Path] = deque()
        self._guard = threading.Lock()

    @property
    def dirty(self) -> bool:
        """Whether `sync` has something to do."""
        return bool(self._unsynced)

    def add(self, data: bytes | Path) -> str:
        """Store bytes, or a regular file, which is moved in; the same content is stored once. Gives the SHA-256.

        Reads all of it, 1 to 2 ms a MB; may be called from any thread. Raises `StorageError`.
        """
        with storage_errors(self._directory):
            make_private_directory(self._directory)
            return self._move_in(data if isinstance(data, Path) else self._write_scratch(data))

    def read(self, sha: str) -> bytes:
        """The content of a blob. Raises `SessionError` where there is none of this name."""
        try:
            return self.path(sha).read_bytes()
        except OSError as error:
            raise SessionError(f"cannot read blob {sha}: {error.strerror}") from error

    def path(self, sha: str) -> Path:
        """Where a blob is, if there is one of this name. Raises `SessionError` for what is no SHA-256 in hex."""
        if not _SHA256.fullmatch(sha):
            raise SessionError(f"{sha!r} does not name a blob")
        return self._directory / sha

    def sync(self) -> None:
        """Return when every blob stored so far is on the disk. Blocks; for any thread. Raises `StorageError`."""
        with self._guard, storage_errors(self._directory):
            if not self._unsynced:
                return
            while self._unsynced:
                _sync_path(self._unsynced[0])
                self._unsynced.popleft()
            sync_directory(self._directory)

    def _write_scratch(self, data: bytes) -> Path:
        make_private_directory(self._scratch)
        path = temporary_name(self._scratch / "blob")
        descriptor = open_private(path, os.O_WRONLY | os.O_EXCL)
        try:
            write_all(descriptor, data)
        except BaseException:
            path.unlink()
            raise
        finally:
            os.close(descriptor)
        return path

    def _move_in(self, source: Path) -> str:
        with os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"cannot store {source}: it is not a regular file")
            sha = sha256_of(file)
            target = self._directory / sha
            if _size(target) == status.st_size:  # a power cut may have left an empty file of this name
                source.unlink()
                return sha
            os.fchmod(file.fileno(), 0o600)
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy_in(file.fileno(), status.st_size, target)
                source.unlink()
        self._unsynced.append(target)
        return sha

    def _copy_in(self, source: int, size: int, target: Path) -> None:
        temporary = self._write_scratch(b"")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CLOEXEC)
        try:
            copy_range(source, 0, size, descriptor)
            temporary.rename(target)
        except BaseException:
            temporary.unlink()
            raise
        finally:
            os.close(descriptor)


def session_blobs(directory: Path) -> Blobs:
    """The blobs of the session in this directory."""
    return Blobs(directory / "blobs", directory / SCRATCH_NAME)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _sync_path(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # removed from outside; its absence shows where it is looked for
        return
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)
