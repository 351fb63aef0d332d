"""Who uses the keyring: each reader, writer and publisher renews a small file, and says in it what it has.

A lease runs out by itself, so that a process that died holds up no rotation. Whoever comes back after that
reads the keyring before anything else: it may have been passed over, and has lost nothing by it. On the same
system a lease ends with its process, however that ended (`process_life.py`).
"""

from __future__ import annotations

import os
import socket
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import orjson

from logging_system.keys.durable_files import FILE_MODE, make_folder, read_file
from logging_system.keys.process_life import ProcessIdentity, has_ended, own_identity
from logging_system.spool.disk import REAL_DISK, Disk, write_fully
from logging_system.spool.forks import FORKS, forget_in_children

FOLDER_NAME = "leases"
LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
_FORGOTTEN_SECONDS = 3600.0
_FILE_BYTES_MAX = 64 * 1024

Role = Literal["reader", "writer", "publisher"]
_ROLES: Mapping[str, Role] = {"reader": "reader", "writer": "writer", "publisher": "publisher"}


@dataclass(frozen=True, slots=True)
class Lease:
    """What one process says of itself.

    Attributes:
        role: Whether it opens, seals, or brings wrapped data keys to the store.
        process: Host and process id, for whoever has to look for it.
        expires_seconds: When it is passed over, in seconds since 1970.
        versions: For each key the newest version that a reader has, the one that a writer uses, or the one
            with which a publisher has brought all data keys.
        identity: By which those on the same system see whether the process lives; None where it had none.
    """

    role: Role
    process: str
    expires_seconds: float
    versions: Mapping[str, int]
    identity: ProcessIdentity | None = None

    @property
    def shown(self) -> str:
        """Return who it is."""
        return f"{self.role} {self.process}"

    def lapse(self, now_seconds: float) -> str:
        """Return why it is passed over: `process ended` or `lease expired`; empty while it counts.

        Args:
            now_seconds: The moment it is asked for, in seconds since 1970.
        """
        if self.identity is not None and has_ended(self.identity):
            return "process ended"
        return "" if self.expires_seconds > now_seconds else "lease expired"


@dataclass(slots=True)
class _Own:
    """The lease of a process: a forked child has another."""

    path: Path = Path()
    pid: int = 0


class LeaseFile:
    """The lease of this process in one role; a forked child has one of its own.

    Args:
        keyring_folder: The keyring's folder.
        role: Whether this process opens, seals, or brings wrapped data keys to the store.
        wall_clock: Seconds since 1970.
        random_bytes: Where the file's name comes from.
        disk: The system calls.
    """

    def __init__(
        self,
        keyring_folder: Path,
        role: Role,
        *,
        wall_clock: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = os.urandom,
        disk: Disk = REAL_DISK,
    ) -> None:
        self._folder = keyring_folder / FOLDER_NAME
        self._role: Role = role
        self._wall_clock = wall_clock
        self._random_bytes = random_bytes
        self._disk = disk
        self._own = _Own()
        self.forget()
        forget_in_children(self)
        weakref.finalize(self, _remove, self._own, disk)

    def forget(self) -> None:
        """In a forked child: leave the parent's lease to it."""
        name = f"{self._role}-{self._random_bytes(8).hex()}.json"
        self._own.path, self._own.pid = self._folder / name, os.getpid()
        self._versions: dict[str, int] = {}
        self._due_seconds = float("-inf")
        self._identity = own_identity()

    def renew(self, key_id: str, version: int) -> None:
        """Say that this process has, or uses, a version; written when that is news or time has passed.

        A folder that cannot be written is no reason to stop: the process is passed over as an expired one.

        Args:
            key_id: Which key; those named before stay in the lease.
            version: Its version, in place of the one named before.
        """
        FORKS.notice()
        now_seconds = self._wall_clock()
        if self._versions.get(key_id) == version and now_seconds < self._due_seconds:
            return
        self._versions[key_id] = version
        self._due_seconds = now_seconds + RENEW_SECONDS
        process = f"{socket.gethostname()}:{os.getpid()}"
        lease = Lease(self._role, process, now_seconds + LEASE_SECONDS, self._versions, self._identity)
        with suppress(OSError):
            self._write(orjson.dumps(asdict(lease)))

    def _write(self, content: bytes) -> None:
        """Replace the file, not durably: after a crash of the machine nobody needs it."""
        if self._disk.path_status(self._folder) is None:
            make_folder(self._folder, self._disk)  # with the keyring's, which others expect to be durable
        creating = self._own.path.with_suffix(".new")
        descriptor = self._disk.open(creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        try:
            write_fully(descriptor, content, self._disk)
        finally:
            self._disk.close(descriptor)
        self._disk.set_mode(creating, FILE_MODE)
        self._disk.rename(creating, self._own.path)


def _remove(own: _Own, disk: Disk) -> None:
    """Take a lease back where nobody uses it any more, or its process ends; never that of a parent."""
    if own.pid == os.getpid():
        with suppress(OSError):
            disk.unlink(own.path)


def leases(keyring_folder: Path, now_seconds: float, disk: Disk = REAL_DISK) -> Iterator[Lease]:
    """Yield all leases, also those that have run out; remove those that ran out long ago.

    Args:
        keyring_folder: The keyring's folder; none of them where it has no folder of leases.
        now_seconds: Seconds since 1970.
        disk: The system calls.

    Raises:
        OSError: The folder cannot be read.
    """
    folder = keyring_folder / FOLDER_NAME
    try:
        names = disk.list_names(folder)
    except FileNotFoundError:
        return
    for path in sorted(folder / name for name in names if name.endswith(".json")):
        try:
            lease = _decoded(read_file(path, _FILE_BYTES_MAX, disk))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being replaced, or no lease
        if lease.expires_seconds < now_seconds - _FORGOTTEN_SECONDS:
            with suppress(OSError):
                disk.unlink(path)
            continue
        yield lease


def _decoded(data: bytes) -> Lease:
    content = orjson.loads(data)
    versions = {str(key_id): int(version) for key_id, version in content["versions"].items()}
    role = _ROLES[content["role"]]
    given = content.get("identity")
    identity = (
        None
        if given is None
        else ProcessIdentity(str(given["system"]), int(given["pid"]), int(given["started_ticks"]))
    )
    return Lease(role, str(content["process"]), float(content["expires_seconds"]), versions, identity)
