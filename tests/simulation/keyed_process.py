"""What one simulated process has of keys: the product's own sealer, opener, keyring and lease, watched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from logging_system.encryption.opening import Opener
from logging_system.encryption.sealing import Sealer, SealingLimits
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.key_use import KeyUse, ReaderPresence
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.leases import LEASE_SECONDS
from logging_system.keys.rotation import Rotator
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.disk import Disk
from tests.simulation.disk import FOLDER, Process
from tests.simulation.key_server import KEY_ID, KeyClient, KeyServer

KEYS = FOLDER / "keys"
PURPOSES = ("block", "field", "line")


class Mortal(Disk):
    """A process's disk; a file that is removed when an object of a dead process is collected stays."""

    def __init__(self, process: Process) -> None:
        own = {name for each in type(self).__mro__ if each is not Disk for name in vars(each)}
        for name in vars(Disk):
            if not name.startswith("_") and name not in own:
                setattr(self, name, getattr(process, name))
        self._process = process

    def unlink(self, path: Path) -> None:
        if not self._process.dead:
            self._process.unlink(path)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all processes of a run share.

    Attributes:
        server: The key server.
        clock: Seconds, for ages and for what is stored.
        random_bytes: Where data keys and names of leases come from.
        limits: When a data key has served its time.
        on_sealed: Told the header of all that is sealed.
    """

    server: KeyServer
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    limits: SealingLimits
    on_sealed: Callable[[bytes], None]


class WatchedSealer(Sealer):
    """A sealer whose nonces are noted."""

    on_sealed: Callable[[bytes], None]

    def seal_in_parts(self, data: bytes, place: bytes, records: int = 1) -> tuple[bytes, bytes]:
        made = super().seal_in_parts(data, place, records)
        self.on_sealed(made[0])
        return made


class WatchedOpener(Opener):
    """An opener that notes when a key is not there."""

    missed_seconds = float("-inf")
    clock: Callable[[], float]

    def open(self, sealed: bytes, place: bytes) -> bytes:
        try:
            return super().open(sealed, place)
        except KeyUnavailableError:
            self.missed_seconds = self.clock()
            raise


class WatchedPresence(ReaderPresence):
    """A reader's presence that notes since when its lease has not run out."""

    clock: Callable[[], float]
    noted_seconds = float("-inf")
    since_seconds = float("inf")

    def note(self, key_id: str) -> None:
        super().note(key_id)
        self.noted()

    def noted(self) -> None:
        """Note that the lease is renewed, as far as this reader knows."""
        now_seconds = self.clock()
        if now_seconds - self.noted_seconds >= LEASE_SECONDS:
            self.since_seconds = now_seconds
        self.noted_seconds = now_seconds


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What processes are made of; a deliberate bug replaces one of them.

    Attributes:
        sealer: Seals.
        rotator: Rotates.
        presence: Says that a reader is there.
        disk: The disk of a process, as its keys see it.
        is_open_without_key: Whether blocks are stored plain where there is no key.
        repeats_randomness: Whether each process draws the same data keys.
    """

    sealer: type[WatchedSealer] = WatchedSealer
    rotator: type[Rotator] = Rotator
    presence: type[WatchedPresence] = WatchedPresence
    disk: Callable[[Process], Disk] = Mortal
    is_open_without_key: bool = False
    repeats_randomness: bool = False


class KeyedProcess:
    """The keys of one process.

    Args:
        process: The process.
        ground: What it shares with the others.
        parts: What it is made of.
    """

    def __init__(self, process: Process, ground: Ground, parts: KeyParts) -> None:
        self.process = process
        self.ground = ground
        self.parts = parts
        self.struck_seconds = float("-inf")
        disk = parts.disk(process)
        clock = ground.clock
        self.keyring = KeyringFile(KEYS, disk=disk)
        self.provider = KeyClient(ground.server, process)
        self.data_keys = DataKeyFolder(KEYS, disk=disk)
        self.key_use = KeyUse(
            self.provider, self.keyring, KEY_ID, wall_clock=clock, random_bytes=ground.random_bytes
        )
        self.presence = parts.presence(
            self.provider, self.keyring, wall_clock=clock, random_bytes=ground.random_bytes
        )
        self.presence.clock = clock
        self.sealers = {purpose: self._sealer(purpose) for purpose in PURPOSES}
        self.openers = {purpose: self._opener(purpose) for purpose in PURPOSES}
        self.rotator = parts.rotator(self.provider, self.keyring, wall_clock=clock, disk=disk)

    def _sealer(self, purpose: str) -> WatchedSealer:
        ground = self.ground
        made = self.parts.sealer(
            self.key_use,
            purpose,
            limits=ground.limits,
            random_bytes=ground.random_bytes,
            monotonic=ground.clock,
            wall_clock=ground.clock,
        )
        made.on_sealed = ground.on_sealed
        return made

    def _opener(self, purpose: str) -> WatchedOpener:
        clock = self.ground.clock
        made = WatchedOpener(self.provider, self.data_keys, purpose, presence=self.presence, monotonic=clock)
        made.clock = clock
        return made

    def forked(self, process: Process) -> KeyedProcess:
        """Return what a child has after fork(2): copies of the memory, and then the hook of forks has run."""
        child = KeyedProcess(process, self.ground, self.parts)
        for purpose, mine in child.sealers.items():
            parents = self.sealers[purpose]
            mine._in_use = None if parents._in_use is None else replace(parents._in_use)
            mine._look_at_seconds = parents._look_at_seconds
            mine._failed_until_seconds = parents._failed_until_seconds
            mine.forget()
        lease, parents_lease = child.key_use._lease, self.key_use._lease
        lease._own = copy.copy(parents_lease._own)
        lease._versions, lease._due_seconds = dict(parents_lease._versions), parents_lease._due_seconds
        lease.forget()
        return child
