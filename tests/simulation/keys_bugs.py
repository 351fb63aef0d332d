"""Deliberate bugs in how keys are used, put into the real code through a seam, for the simulation to find."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from logging_system.encryption.sealing import _InUse
from logging_system.keys.data_keys import FOLDER_NAME, DataKeyFolder, StoredDataKey
from logging_system.keys.keyring import KeyringError, KeyringFile, Rotation, Step
from logging_system.keys.leases import LeaseFile, Role
from logging_system.keys.provider import KeyProvider, WrappedKey
from logging_system.keys.rotation import Progress, Rotator
from logging_system.spool.disk import Disk, write_fully
from tests.simulation.disk import Process
from tests.simulation.keyed_process import KeyParts, Mortal, WatchedPresence, WatchedSealer


class _DropsOldKeyEarly(Rotator):
    def _rewrap_all(self, key_id: str, version: int, passes_over_all: bool) -> tuple[int, list[str]]:
        """Lets the old version be retired while data keys are wrapped with it."""
        del key_id, version, passes_over_all
        return 0, []


class _TakesMissingForLost(Rotator):
    def _rewrap_all(self, key_id: str, version: int, passes_over_all: bool) -> tuple[int, list[str]]:
        """Retires a version that is out of reach for a moment."""
        del passes_over_all
        return super()._rewrap_all(key_id, version, True)


class _WaitsForNoReader(Rotator):
    def _wait(
        self, key_id: str, rotation: Rotation, role: Role, step: Step, passes_over_all: bool
    ) -> Progress:
        """Switches writers before readers have the new version."""
        return super()._wait(key_id, rotation, role, step, passes_over_all or role == "reader")


class _NotesBeforeItIsDone(Rotator):
    def _publish(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        """Publishes a version before the server has it."""
        progress = self._done(key_id, rotation, Step.PUBLISHED, "published", {"version": rotation.new})
        super()._publish(key_id, rotation, passes_over_all)
        return progress


class _Overtaken(DataKeyFolder):
    def rewrap(self, before: StoredDataKey, wrapped: WrappedKey) -> bool:
        """Writes beside others who wrap the same data key anew, and over what they wrote."""
        self.put(replace(before, wrapped=wrapped))
        return True


class _RewrapsBesideOthers(Rotator):
    def __init__(
        self, provider: KeyProvider, keyring: KeyringFile, *, wall_clock: Callable[[], float], disk: Disk
    ) -> None:
        super().__init__(provider, keyring, wall_clock=wall_clock, disk=disk)
        self._data_keys = _Overtaken(keyring.folder, disk=disk)


class _InPlace(DataKeyFolder):
    def put(self, stored: StoredDataKey) -> None:
        """Writes over what is there."""
        if self.get(stored.id) is None:
            super().put(stored)
            return
        descriptor = self._disk.open(self._path(stored.id), os.O_WRONLY | os.O_TRUNC)
        try:
            write_fully(descriptor, stored.encoded(), self._disk)
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)


class _RewrapsInPlace(Rotator):
    def __init__(
        self, provider: KeyProvider, keyring: KeyringFile, *, wall_clock: Callable[[], float], disk: Disk
    ) -> None:
        super().__init__(provider, keyring, wall_clock=wall_clock, disk=disk)
        self._data_keys = _InPlace(keyring.folder, disk=disk)


class _KeepsNoncesInChild(WatchedSealer):
    def forget(self) -> None:
        """Goes on counting in a forked child where the parent goes on, too."""


class _StoresKeyUnsynced(Mortal):
    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._data_keys: set[int] = set()

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = self._process.open(path, flags, mode)
        if FOLDER_NAME in path.parts:
            self._data_keys.add(descriptor)
        return descriptor

    def sync(self, descriptor: int) -> None:
        """Seals with data keys that a power cut may take."""
        if descriptor not in self._data_keys:
            self._process.sync(descriptor)


class _SyncsNoParent(Mortal):
    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._folders: dict[int, Path] = {}

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = self._process.open(path, flags, mode)
        self._folders[descriptor] = path
        return descriptor

    def sync(self, descriptor: int) -> None:
        """Leaves the name of the folder of data keys to chance."""
        if self._folders.get(descriptor) not in (Path("/spool"), Path("/spool/keys")):
            self._process.sync(descriptor)


class _TrustsWhatItStored(WatchedSealer):
    def _renewed(self, now_seconds: float) -> _InUse:
        """Does not look whether writers were switched while the data key was stored."""
        used = self._new(now_seconds)
        self._key_use.uses(used.stored.wrapped.version)
        return used


class _AsksForEachKey(WatchedSealer):
    def _new(self, now_seconds: float) -> _InUse:
        """Does without the public key where the server gives no answer."""
        self._key_use.provider.versions(self._key_use.key_id)
        return super()._new(now_seconds)


class _LeaseOnce(LeaseFile):
    def renew(self, key_id: str, version: int) -> None:
        if key_id not in self._versions:
            super().renew(key_id, version)


class _ForgetsLease(WatchedPresence):
    def note(self, key_id: str) -> None:
        """Says once that it is there, and never again."""
        self._lease.__class__ = _LeaseOnce
        super().note(key_id)


class _ClaimsWhatItHasNot(WatchedPresence):
    def note(self, key_id: str) -> None:
        """Says that it has a version which it has only heard of."""
        with suppress(KeyringError):
            key = self._keyring.read().keys.get(key_id)
            if key is not None:
                self._lease.renew(key_id, max(key.versions))
        self.noted()


BUGS: dict[str, KeyParts] = {
    "drops the old key before data keys are wrapped anew": KeyParts(rotator=_DropsOldKeyEarly),
    "takes a version that is out of reach for lost": KeyParts(rotator=_TakesMissingForLost),
    "switches writers before readers have the key": KeyParts(rotator=_WaitsForNoReader),
    "publishes a version before the server has it": KeyParts(rotator=_NotesBeforeItIsDone),
    "wraps data keys anew in place": KeyParts(rotator=_RewrapsInPlace),
    "wraps data keys anew beside others who do": KeyParts(rotator=_RewrapsBesideOthers),
    "counts nonces on in a forked child": KeyParts(sealer=_KeepsNoncesInChild),
    "draws the same data keys after a restart": KeyParts(repeats_randomness=True),
    "falls open in an outage": KeyParts(is_open_without_key=True),
    "forgets to renew a reader's lease": KeyParts(presence=_ForgetsLease),
    "says that a reader has a version which it has only heard of": KeyParts(presence=_ClaimsWhatItHasNot),
    "does not sync data keys": KeyParts(disk=_StoresKeyUnsynced),
    "does not sync the folder of a new folder": KeyParts(disk=_SyncsNoParent),
    "trusts a data key that was stored while writers were switched": KeyParts(sealer=_TrustsWhatItStored),
    "asks the server for each data key": KeyParts(sealer=_AsksForEachKey),
}
"""Each bug by what it does wrong, with the parts of a run that has it."""
