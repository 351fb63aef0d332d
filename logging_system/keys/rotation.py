"""Takes a key from one version to the next while everybody goes on: step by step, each safe to repeat.

```
begun ─▶ published ─▶ readers ready ─▶ switched ─▶ writers switched ─▶ re-wrapped ─▶ minimum raised ─▶ done
        the provider  every reader     new is      every writer uses   data keys are  the provider      old is
        has the new   has it           active      the new version     under the new  refuses the old
        retired
```

What a step does comes first, the note that it was done second: after a crash in between it is done again,
which changes nothing. Readers and writers that have ended, or whose lease has run out, are passed over, and
named. Before an old version is destroyed, the data keys as they are wrapped now are wherever they were as
they had been wrapped with it: publishers are waited for too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from logging_system.keys.audit_log import AuditLog
from logging_system.keys.data_keys import DataKeyError, DataKeyFolder, StoredDataKey
from logging_system.keys.key_use import adopt
from logging_system.keys.keyring import Change, KeyringFile, KeyState, RingKey, Rotation, Step, Version
from logging_system.keys.leases import Role, leases
from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyProvider,
    KeyRetiredError,
    WrapInvalidError,
)
from logging_system.spool.disk import REAL_DISK, Disk

_NAMED_MAX = 20
_PASSES_MAX = 3
_PROOFS_MAX = 16
_UNREADABLE = (DataKeyError, WrapInvalidError, KeyDestroyedError, KeyRetiredError)
"""What no waiting mends; a version that is missing may be restored, so that a rotation waits for it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rotation has come.

    Attributes:
        rotation: As it is now; None where it is done, or none is under way.
        waits_for: The readers, writers or publishers that it waits for.
    """

    rotation: Rotation | None
    waits_for: tuple[str, ...] = ()

    @property
    def can_go_on(self) -> bool:
        """Whether the next step can be taken now."""
        return self.rotation is not None and not self.waits_for


@dataclass(frozen=True, slots=True)
class Shredded:
    """What became of a key that was destroyed on purpose.

    Attributes:
        data_keys: How many data keys went with it.
        tried: How many of them were tried on the provider afterwards; each was refused as destroyed.
    """

    data_keys: int
    tried: int


class ShreddingError(Exception):
    """A key was destroyed, and yet the provider opened a data key of it."""


def nowhere_else() -> str:
    """Bring data keys to no other place than the keyring's folder.

    Returns:
        What is still to be waited for: nothing.
    """
    return ""


class Rotator:
    """Rotates and destroys the keys of one keyring; any process can go on with what another began.

    Args:
        provider: Who keeps the keys.
        keyring: The keyring.
        wall_clock: Seconds since 1970.
        disk: The system calls.
        publish: Brings the data keys as they are wrapped now to where else they are kept, before the old
            version is destroyed; returns why they are not there, empty where they are.
    """

    def __init__(
        self,
        provider: KeyProvider,
        keyring: KeyringFile,
        *,
        wall_clock: Callable[[], float] = time.time,
        disk: Disk = REAL_DISK,
        publish: Callable[[], str] = nowhere_else,
    ) -> None:
        self._provider = provider
        self._keyring = keyring
        self._wall_clock = wall_clock
        self._publish_rewrapped = publish
        self._data_keys = DataKeyFolder(keyring.folder, disk=disk)
        self._audit = AuditLog(keyring.folder, disk=disk)
        self._steps: Mapping[Step, Callable[[str, Rotation, bool], Progress]] = {
            Step.BEGUN: self._publish,
            Step.PUBLISHED: self._wait_for_readers,
            Step.READERS_READY: self._switch,
            Step.SWITCHED: self._wait_for_writers,
            Step.WRITERS_SWITCHED: self._rewrap,
            Step.REWRAPPED: self._raise_minimum,
            Step.MINIMUM_RAISED: self._retire,
        }

    def begin(self, key_id: str, why: str, *, destroys_old: bool = False) -> Rotation:
        """Begin a rotation, unless one is under way.

        Args:
            key_id: Which key.
            why: `schedule`, `demand`, `usage` or `suspicion`.
            destroys_old: Whether the old version is destroyed at the end; it makes one under way do so too.

        Returns:
            What is under way then.

        Raises:
            KeyProviderError: The provider could not say which versions there are.
            KeyringError: The keyring cannot be used.
            OSError: The disk refused.
        """
        adopt(self._provider, self._keyring, key_id, self._wall_clock())
        versions = self._provider.versions(key_id)
        with self._keyring.changing() as change:
            key = change.keyring.keys[key_id]
            if key.rotation is not None:
                if destroys_old and not key.rotation.destroys_old:
                    key = replace(key, rotation=replace(key.rotation, destroys_old=True))
                    change.keyring = change.keyring.with_key(key_id, key)
            else:
                old = key.active or versions.newest
                # A version that somebody made at the provider is taken, not passed by.
                new = versions.newest if versions.newest > old else versions.newest + 1
                rotation = Rotation(old, new, Step.BEGUN, why, self._wall_clock(), destroys_old)
                change.keyring = change.keyring.with_key(key_id, replace(key, rotation=rotation))
                self._note(change, "rotation_begun", key_id, {"from": old, "to": new, "why": why})
            under_way = change.keyring.keys[key_id].rotation
            if under_way is None:
                raise AssertionError("a rotation was just begun")
            return under_way

    def advance(self, key_id: str, *, passes_over_all: bool = False) -> Progress:
        """Take the next step of the rotation that is under way, if there is one and it can be taken.

        Args:
            key_id: Which key.
            passes_over_all: Whether not even live readers and writers are waited for; they are named. Data
                keys whose version is missing are passed over as well.

        Raises:
            KeyProviderError: The provider failed; the step is to be tried again.
            KeyringError: The keyring cannot be used.
            AuditError: The audit log was changed by somebody else.
            OSError: The disk refused.
        """
        key = self._keyring.read().keys.get(key_id)
        if key is None or key.rotation is None:
            return Progress(None)
        return self._steps[key.rotation.step](key_id, key.rotation, passes_over_all)

    def run(self, key_id: str, *, passes_over_all: bool = False) -> Progress:
        """Take steps until the rotation is done or waits for somebody; raises what `advance` does.

        Args:
            key_id: Which key.
            passes_over_all: As with `advance`.

        Returns:
            How far the last step came, and whom it waits for.
        """
        progress = self.advance(key_id, passes_over_all=passes_over_all)
        for _ in range(2 * len(Step)):
            if not progress.can_go_on:
                break
            progress = self.advance(key_id, passes_over_all=passes_over_all)
        return progress

    def due(self, key_id: str, *, every_seconds: float | None, data_keys_max: int | None) -> str | None:
        """Return why a rotation is due: `schedule`, `usage`; None where it is not.

        It never is while one is under way, or where the keyring has no active version of the key.

        Args:
            key_id: Which key.
            every_seconds: How old the active version may become; None for any age.
            data_keys_max: How many data keys the active version may wrap; None for any number.
        """
        key = self._keyring.read().keys.get(key_id)
        if key is None or key.active is None or key.is_destroyed or key.rotation is not None:
            return None
        active = key.active
        age_seconds = self._wall_clock() - key.versions[active].since_seconds
        if every_seconds is not None and age_seconds >= every_seconds:
            return "schedule"
        if data_keys_max is None:
            return None
        count = sum(1 for stored in self._data_keys.of_key(key_id) if stored.wrapped.version == active)
        return "usage" if count >= data_keys_max else None

    def shred(self, key_id: str) -> Shredded:
        """Destroy a key for good: what it protects is not readable any more, wherever copies of it are.

        Args:
            key_id: Which key, with all its versions.

        Returns:
            What went with it, and how it was tried.

        Raises:
            KeyMissingError: There never was such a key.
            KeyProviderError: The provider failed; to be tried again.
            ShreddingError: The provider opened a data key afterwards.
            KeyringError: The keyring cannot be used.
            OSError: The disk refused; to be tried again.
        """
        self._provider.destroy(key_id)
        doomed = list(self._data_keys.of_key(key_id))
        tried = sum(map(self._is_refused, doomed[:_PROOFS_MAX]))
        for stored in doomed:
            self._data_keys.remove(stored.id)
        with self._keyring.changing() as change:
            key = change.keyring.keys.get(key_id, RingKey({}))
            now_seconds = self._wall_clock()
            for number in key.versions:
                key = key.with_state(number, KeyState.DESTROYED, now_seconds)
            change.keyring = change.keyring.with_key(key_id, replace(key, rotation=None, is_destroyed=True))
            self._note(change, "shredded", key_id, {"data_keys": len(doomed), "tried": tried})
        for stored in list(self._data_keys.of_key(key_id)):
            self._data_keys.remove(stored.id)  # a writer put it back before it knew
        return Shredded(len(doomed), tried)

    def note(self, event: str, key_id: str, details: Mapping[str, object]) -> None:
        """Note in the audit log what is done with a key beside rotating it; durable on return.

        Args:
            event: What was done, in a word.
            key_id: Which key.
            details: What else is to be known of it, as JSON has it; nothing secret.

        Raises:
            KeyringError: The keyring cannot be used.
            AuditError: The audit log was changed by somebody else.
            OSError: The disk refused.
        """
        with self._keyring.changing() as change:
            self._note(change, event, key_id, details)

    def _is_refused(self, stored: StoredDataKey) -> bool:
        try:
            self._provider.unwrap(stored.wrapped, stored.context)
        except KeyDestroyedError:
            return True
        raise ShreddingError(
            f"key {stored.wrapped.key_id} was destroyed; its provider still opens data key {stored.id.hex()}"
        )

    def _publish(self, key_id: str, rotation: Rotation, _passes_over_all: bool) -> Progress:
        new = self._provider.rotate(key_id, newest=rotation.new - 1)
        public_key = self._provider.public_key(key_id, new)

        def publish(key: RingKey) -> RingKey:
            if new in key.versions:
                return key
            return key.with_version(new, Version(KeyState.PENDING, self._wall_clock(), public_key))

        return self._done(
            key_id, replace(rotation, new=new), Step.PUBLISHED, "published", {"version": new}, publish
        )

    def _wait_for_readers(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        return self._wait(key_id, rotation, "reader", Step.READERS_READY, passes_over_all)

    def _wait_for_writers(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        return self._wait(key_id, rotation, "writer", Step.WRITERS_SWITCHED, passes_over_all)

    def _wait(
        self, key_id: str, rotation: Rotation, role: Role, step: Step, passes_over_all: bool
    ) -> Progress:
        behind, waits_for = self._behind(key_id, rotation, role)
        if waits_for and not passes_over_all:
            return Progress(rotation, tuple(waits_for))
        details = {"version": rotation.new, "passed_over": behind[:_NAMED_MAX]}
        return self._done(key_id, rotation, step, step.value, details)

    def _behind(self, key_id: str, rotation: Rotation, role: Role) -> tuple[list[str], list[str]]:
        """Return who has not got the new version, and who of them is to be waited for."""
        now_seconds = self._wall_clock()
        behind = [
            lease
            for lease in leases(self._keyring.folder, now_seconds, self._keyring.disk)
            if lease.role == role and lease.versions.get(key_id, rotation.new) < rotation.new
        ]
        waits_for = [lease.shown for lease in behind if not lease.lapse(now_seconds)]
        return [lease.shown for lease in behind], waits_for

    def _switch(self, key_id: str, rotation: Rotation, _passes_over_all: bool) -> Progress:
        def switch(key: RingKey) -> RingKey:
            now_seconds = self._wall_clock()
            for number, version in key.versions.items():
                if version.state is KeyState.ACTIVE and number != rotation.new:
                    key = key.with_state(number, KeyState.DECRYPT_ONLY, now_seconds)
            return key.with_state(rotation.new, KeyState.ACTIVE, now_seconds)

        return self._done(key_id, rotation, Step.SWITCHED, "switched", {"version": rotation.new}, switch)

    def _rewrap(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        rewrapped, unreadable = self._rewrap_all(key_id, rotation.new, passes_over_all)
        details = {"data_keys": rewrapped, "unreadable": unreadable[:_NAMED_MAX]}
        return self._done(key_id, rotation, Step.REWRAPPED, "rewrapped", details)

    def _rewrap_all(self, key_id: str, version: int, passes_over_all: bool) -> tuple[int, list[str]]:
        """Wrap all data keys with a version; return how many, and the ids of those that cannot be opened.

        Raises:
            KeyMissingError: The version that one is wrapped with is not there now, as in an outage of a key
                file: it must not be retired while it may be needed, unless the caller passes over all.
        """
        count, unreadable = 0, set[str]()
        given_up = (*_UNREADABLE, KeyMissingError) if passes_over_all else _UNREADABLE
        for _ in range(_PASSES_MAX):
            older = [
                stored
                for stored in self._data_keys.of_key(key_id)
                if stored.wrapped.version < version and stored.id.hex() not in unreadable
            ]
            for stored in older:
                try:
                    data_key = self._provider.unwrap(stored.wrapped, stored.context)
                except given_up:
                    unreadable.add(stored.id.hex())
                    continue
                wrapped = self._provider.wrap(key_id, version, data_key, stored.context)
                count += self._data_keys.rewrap(stored, wrapped)
            if not older:
                break
        return count, sorted(unreadable)

    def _raise_minimum(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        # What a writer that was passed over has added since.
        self._rewrap_all(key_id, rotation.new, passes_over_all)
        self._provider.raise_minimum(key_id, rotation.new)

        def retire(key: RingKey) -> RingKey:
            for number, version in key.versions.items():
                if number < rotation.new and version.state not in (KeyState.RETIRED, KeyState.DESTROYED):
                    # Nobody wraps with it any more, so that its public key is of no use.
                    key = key.with_version(number, Version(KeyState.RETIRED, self._wall_clock()))
            return key

        details = {"minimum": rotation.new}
        return self._done(key_id, rotation, Step.MINIMUM_RAISED, "minimum_raised", details, retire)

    def _retire(self, key_id: str, rotation: Rotation, passes_over_all: bool) -> Progress:
        trouble = self._publish_rewrapped()
        behind: list[str] = []
        if rotation.destroys_old:
            behind, waits_for = self._behind(key_id, rotation, "publisher")
            waits_for += [trouble] if trouble else []
            if waits_for and not passes_over_all:
                return Progress(rotation, tuple(waits_for))
            self._provider.destroy(key_id, through_version=rotation.new - 1)

        def finish(key: RingKey) -> RingKey:
            for number in key.versions if rotation.destroys_old else ():
                if number < rotation.new:
                    key = key.with_state(number, KeyState.DESTROYED, self._wall_clock())
            return key

        details = {
            "from": rotation.old,
            "to": rotation.new,
            "why": rotation.why,
            "destroyed": rotation.destroys_old,
            "passed_over": behind[:_NAMED_MAX],
        }
        return self._done(key_id, rotation, None, "rotated", details, finish)

    def _done(
        self,
        key_id: str,
        rotation: Rotation,
        step: Step | None,
        event: str,
        details: Mapping[str, object],
        edit: Callable[[RingKey], RingKey] = lambda key: key,
    ) -> Progress:
        """Note that a step was done; where another process was faster, leave it at that."""
        with self._keyring.changing() as change:
            key = change.keyring.keys[key_id]
            there = key.rotation
            if there is None or replace(there, new=rotation.new) != rotation:
                return Progress(there)
            after = None if step is None else replace(there, new=rotation.new, step=step)
            change.keyring = change.keyring.with_key(key_id, replace(edit(key), rotation=after))
            self._note(change, event, key_id, details)
            return Progress(after)

    def _note(self, change: Change, event: str, key_id: str, details: Mapping[str, object]) -> None:
        proven = change.keyring.audit
        made = self._audit.append(event, key_id, details, self._wall_clock(), proven=proven)
        change.keyring = replace(change.keyring, audit=made.position)
