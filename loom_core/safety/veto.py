"""What no policy allows: commands that destroy the machine or the home, and writes to what others run later.

Textual, and so the best that can be done without a sandbox: a program in between can do all of this unseen.
"""

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from loom_core.safety.paths import PROTECTED
from loom_core.safety.script import SHELLS, Command, Script

_SYSTEM = frozenset(
    (
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/opt"),
        *("/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/usr/bin", "/usr/lib", "/usr/local"),
        *("/usr/sbin", "/usr/share", "/var", "/var/lib", "/var/log"),
        *("/Applications", "/Library", "/System", "/Users", "/Volumes", "/private"),
    )
)
_DISK = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|mapper/|dm-|md|mem$|kmem$|port$)")
# Bounded repetitions, so that no text makes the search take more than linear time.
_FORK_BOMB = re.compile(
    r"(?<![^\s;&|])([^\s(){}|&;]{1,40})\s{0,9}\(\s{0,9}\)\s{0,9}\{[^}]{0,99}\1\s{0,9}\|\s{0,9}\1\s{0,9}&"
)
_HOME = re.compile(r"^(~|\$HOME|\$\{HOME\})(?=/|$)")
_OTHER_HOME = re.compile(r"~[\w.-]+")
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
_ALL_WITHIN = re.compile(r"(?<=/)(\*+|\.\*|\{\*,\.\*\})$")
_IN_PLACE = re.compile(r"-[a-zA-Z]*i.*|--in-place.*")
_RECURSIVE = re.compile(r"-[a-zA-Z]*R[a-zA-Z]*|--recursive")

_PARTITIONERS = frozenset(("fdisk", "parted", "sfdisk", "sgdisk"))
_LISTING = frozenset(("-l", "--list", "-p", "--print", "print"))
_FORMATTERS = _PARTITIONERS | {"blkdiscard", "dd", "mkswap", "shred", "wipefs"}
_POWER = frozenset(("shutdown", "reboot", "halt", "poweroff", "kexec"))
_DOWNLOADERS = frozenset(("curl", "wget", "fetch", "aria2c"))
# What these are given, they write: the last argument, or each one.
_WRITERS_OF_LAST = frozenset(("cp", "install", "rsync", "scp"))
_WRITERS_OF_ALL = frozenset(
    (
        *("chattr", "chgrp", "chmod", "chown", "curl", "dd", "ed", "ex", "ln", "mkdir", "mv", "nano", "patch", "rm"),
        *("rmdir", "shred", "split", "tee", "touch", "truncate", "unlink", "vi", "vim", "wget"),
    )
)


class Veto(Struct, frozen=True, kw_only=True):
    """Why a command is never run."""

    name: str
    reason: str


class Places(Struct, frozen=True, kw_only=True):
    """Where the session is: what a command must not destroy besides the system."""

    root: Path
    home: Path

    def critical(self, word: str) -> bool:
        """Whether the word names the system, a home, the workspace or something above it, or all that is in one."""
        path = _HOME.sub(lambda _: str(self.home), word)
        path = posixpath.normpath(_ALL_WITHIN.sub("", path))
        if _OTHER_HOME.fullmatch(path) or ("/" in word and _VARIABLE.fullmatch(path)):
            return True  # a variable that is not set leaves "/" of "$DIRECTORY/*"
        if not path.startswith("/"):
            return path.rpartition("/")[2] == ".."
        path = "/" + path.lstrip("/")
        return path in _SYSTEM or any(place.is_relative_to(path) for place in (self.root, self.home))


def judge_script(script: Script, places: Places) -> Veto | None:
    """The first veto against any command of the script."""
    if _FORK_BOMB.search(script.source):
        return Veto(name="fork-bomb", reason="the function starts itself without end")
    if remote := _remote_code(script):
        return remote
    for command in script.commands:
        if veto := _destroys(command, places) or _disks(command) or _power(command) or _protected(command):
            return veto
    return None


def _destroys(command: Command, places: Places) -> Veto | None:
    words = command.words[1:]
    deletes = command.program == "rm" or (
        command.program == "find" and ("-delete" in words or {"rm", "shred"} & set(words))
    )
    changes = command.program in {"chmod", "chown", "chgrp"} and any(_RECURSIVE.fullmatch(word) for word in words)
    if deletes or changes:
        for word in words:
            if places.critical(word):
                verb = "deletes" if deletes else "changes everything in"
                return Veto(name="destroys-root", reason=f'"{command.program}" {verb} "{word}"')
    return None


def _disks(command: Command) -> Veto | None:
    formats = command.program in _FORMATTERS or command.program.startswith(("mkfs", "mke2fs", "newfs"))
    if command.program in _PARTITIONERS and not _LISTING.isdisjoint(command.words):
        formats = False
    for word in command.words[1:] if formats else _written(command):
        if _DISK.match(word.removeprefix("of=")):
            return Veto(name="disk-device", reason=f'it overwrites the disk "{word.removeprefix("of=")}"')
    return None


def _power(command: Command) -> Veto | None:
    words = command.words[1:]
    switches = command.program in _POWER or (
        (command.program == "systemctl" and not _POWER.isdisjoint(words))
        or (command.program in {"init", "telinit"} and words[:1] in {("0",), ("6",)})
    )
    if switches:
        return Veto(name="power", reason=f'"{command.text}" switches the machine off or restarts it')
    if command.program == "kill" and len(words) > 1 and words[-1] == "-1":
        return Veto(name="kill-all", reason="it ends every process")
    return None


def _protected(command: Command) -> Veto | None:
    for word in _written(command):
        for path in (word, word.partition("=")[2], word.removeprefix("-t")):
            if pattern := PROTECTED.find(posixpath.normpath(path.rpartition(":")[2].lstrip("/"))):
                reason = f'it writes "{path}" ("{pattern}" is run or obeyed by other programs)'
                return Veto(name="protected-path", reason=reason)
    return None


def _written(command: Command) -> Iterator[str]:
    """The words that name what the command writes, deletes or renames."""
    yield from command.targets
    words = command.words[1:]
    if command.program in _WRITERS_OF_ALL:
        yield from (word for word in words if "://" not in word and not word.startswith("if="))
    elif command.program in _WRITERS_OF_LAST and words:
        yield words[-1]
        yield from (value for option, value in pairwise(words) if option in {"-t", "--target-directory"})
        yield from (word for word in words if word.startswith(("--target-directory=", "-t")))
    elif command.program in {"sed", "perl", "ruby"} and any(_IN_PLACE.fullmatch(word) for word in words):
        yield from words


def _remote_code(script: Script) -> Veto | None:
    """Text from the network that a shell runs, unseen by anyone."""
    fetched = next((command for command in script.commands if command.program in _DOWNLOADERS), None)
    if fetched is None:
        return None
    for command in script.commands:
        runs = command.program in SHELLS or command.program in {"eval", "source", "."}
        given = any("$(" in word or "<(" in word or "`" in word for word in command.words[1:])
        if runs and (command.piped or given):
            return Veto(name="remote-code", reason=f'"{command.program}" runs what "{fetched.program}" downloads')
    return None
