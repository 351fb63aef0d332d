"""Whatever writers, readers, rotators, outages and crashes do in whatever order, what was sealed opens."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from logging_system.encryption.envelope import SealError, read_header
from logging_system.encryption.sealing import SealingLimits
from logging_system.keys.audit_log import AuditLog
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.keyring import KeyState, Step
from logging_system.keys.leases import LEASE_SECONDS, leases
from logging_system.keys.provider import KeyDestroyedError, ProviderUnavailableError
from logging_system.spool.codec import KeyUnavailableError
from tests.unit.logging_system.keys.test_rotation import CrashingDisk, SimulatedCrashError, World

PLACE = b"a place"
ORDER = list(KeyState)
WAITS_FOR = {Step.PUBLISHED: "reader", Step.SWITCHED: "writer"}
LIMITS = (None, SealingLimits(records_max=2), SealingLimits(bytes_max=20, age_seconds_max=5.0))
"""What each writer's data keys may do: one in the product's own limits, two that soon need another."""


class KeyringModel(RuleBasedStateMachine):
    """The model is one sentence: what was sealed opens, unless its key was shredded or cannot be asked."""

    sealed = Bundle("sealed")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.world.provider.create("logs")
        self.writers = [self.world.writer(limits) for limits in LIMITS]
        self.reader = self.world.reader()
        self.is_shredded = False
        self.is_out = False
        self.nonces: set[tuple[bytes, bytes]] = set()
        self.count = 0
        self.seen: dict[int, KeyState] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(target=sealed, writer=st.integers(0, len(LIMITS) - 1))
    def seal(self, writer: int) -> object:
        content = b"record %d" % self.count
        self.count += 1
        try:
            made = self.writers[writer].seal(content, PLACE)
        except KeyUnavailableError:
            assert self.is_shredded or self.is_out
            return multiple()
        header = read_header(made)
        nonce = header.data_key_id, header.nonce
        assert nonce not in self.nonces
        self.nonces.add(nonce)
        assert content not in made
        return made, content

    @rule(each=sealed, anew=st.booleans())
    def open_it(self, each: tuple[bytes, bytes], anew: bool) -> None:
        made, content = each
        reader = self.world.reader() if anew else self.reader
        try:
            assert reader.open(made, PLACE) == content
        except KeyUnavailableError:
            assert self.is_out
        except SealError as error:
            if not (error.is_destroyed and self.is_shredded):
                raise

    @rule(writer=st.integers(0, len(LIMITS) - 1))
    def restart_writer(self, writer: int) -> None:
        self.writers[writer] = self.world.writer(LIMITS[writer])

    @rule(writer=st.integers(0, len(LIMITS) - 1))
    def tell_writer(self, writer: int) -> None:
        self.writers[writer].renew()

    @rule()
    def restart_reader(self) -> None:
        self.reader = self.world.reader()

    @rule(seconds=st.sampled_from([1, 6, LEASE_SECONDS + 1, 301]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.now_seconds += seconds

    @rule()
    def outage(self) -> None:
        self.is_out = True
        self.world.provider.fail()

    @rule()
    def outage_ends(self) -> None:
        self.is_out = False
        self.world.provider.mend()
        self.world.clock.now_seconds += SealingLimits().retry_seconds  # so soon a writer asks again

    @precondition(lambda self: not self.is_shredded)
    @rule(destroys_old=st.booleans(), passes_over_all=st.booleans(), steps=st.sampled_from([9, 9, 0, 3, 6]))
    def rotate(self, destroys_old: bool, passes_over_all: bool, steps: int) -> None:
        why = "suspicion" if destroys_old else "demand"
        with suppress(ProviderUnavailableError):
            begun = self.world.rotator.begin("logs", why, destroys_old=destroys_old)
            for _ in range(steps):
                self._advance(passes_over_all)
            if destroys_old and self.world.keyring.read().keys["logs"].rotation is None:
                with pytest.raises(KeyDestroyedError):
                    self.world.provider.public_key("logs", begun.old)

    def _advance(self, passes_over_all: bool) -> None:
        """Take a step: who is behind with a valid lease is waited for, who is behind otherwise is named."""
        before = self.world.keyring.read().keys["logs"].rotation
        role = None if before is None else WAITS_FOR.get(before.step)
        now_seconds = self.world.clock.now_seconds
        behind = [
            lease
            for lease in leases(self.world.keyring.folder, now_seconds)
            if before is not None and lease.role == role and lease.versions["logs"] < before.new
        ]
        living = [lease.shown for lease in behind if lease.expires_seconds > now_seconds]
        progress = self.world.rotator.advance("logs", passes_over_all=passes_over_all)
        assert list(progress.waits_for) == ([] if passes_over_all else living)
        if role is not None and not progress.waits_for:
            *_, event = AuditLog(self.world.keyring.folder).events()
            assert event.details["passed_over"] == [lease.shown for lease in behind]

    @rule(data_keys_max=st.integers(1, 6), every_seconds=st.sampled_from([30.0, 600.0, None]))
    def look_whether_due(self, data_keys_max: int, every_seconds: float | None) -> None:
        key = self.world.keyring.read().keys.get("logs")
        folder = DataKeyFolder(self.world.keyring.folder)
        stored = [each for each in map(folder.get, folder.ids()) if each is not None]
        expected = None
        if key is not None and key.active is not None and key.rotation is None:
            if sum(each.wrapped.version == key.active for each in stored) >= data_keys_max:
                expected = "usage"
            age_seconds = self.world.clock.now_seconds - key.versions[key.active].since_seconds
            if every_seconds is not None and age_seconds >= every_seconds:
                expected = "schedule"

        due = self.world.rotator.due("logs", every_seconds=every_seconds, data_keys_max=data_keys_max)
        assert due == expected

    @precondition(lambda self: not (self.is_shredded or self.is_out))
    @rule(dies_at=st.integers(0, 60))
    def rotate_and_die(self, dies_at: int) -> None:
        dying = World(Path(self.folder.name), CrashingDisk(dies_at))
        dying.clock.now_seconds = self.world.clock.now_seconds
        with suppress(SimulatedCrashError):
            dying.rotator.begin("logs", "schedule")
            dying.rotator.run("logs")

    @precondition(lambda self: self.count > 10)
    @rule()
    def shred(self) -> None:
        with suppress(ProviderUnavailableError):
            self.world.rotator.shred("logs")
            self.is_shredded = True
            self.world.clock.now_seconds += 61

    @invariant()
    def at_most_one_version_is_active(self) -> None:
        key = self.world.keyring.read().keys.get("logs")
        if key is not None:
            active = [n for n, each in key.versions.items() if each.state is KeyState.ACTIVE]
            assert len(active) == (0 if key.is_destroyed else 1)

    @invariant()
    def a_version_only_goes_on_to_later_states(self) -> None:
        key = self.world.keyring.read().keys.get("logs")
        states = {} if key is None else {number: each.state for number, each in key.versions.items()}
        assert states.keys() >= self.seen.keys()
        for number, state in self.seen.items():
            assert ORDER.index(states[number]) >= ORDER.index(state)
        self.seen = states

    @invariant()
    def the_audit_log_is_whole(self) -> None:
        keyring = self.world.keyring.read()
        AuditLog(self.world.keyring.folder).verify(keyring.audit)

    @invariant()
    def no_version_comes_back(self) -> None:
        key = self.world.keyring.read().keys.get("logs")
        if key is not None and key.active is not None:
            assert all(
                each.state in (KeyState.RETIRED, KeyState.DESTROYED, KeyState.DECRYPT_ONLY)
                for number, each in key.versions.items()
                if number < key.active
            )


TestKeyringModel = KeyringModel.TestCase
TestKeyringModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
