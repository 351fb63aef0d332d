"""Whatever writers, readers, rotators, outages and crashes do in whatever order, what was sealed opens."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from logging_system.encryption.envelope import SealError, read_header
from logging_system.keys.keyring import KeyState
from logging_system.keys.leases import LEASE_SECONDS
from logging_system.keys.provider import ProviderUnavailableError
from logging_system.spool.codec import KeyUnavailableError
from tests.unit.logging_system.keys.test_rotation import CrashingDisk, SimulatedCrashError, World

PLACE = b"a place"


class KeyringModel(RuleBasedStateMachine):
    """The model is one sentence: what was sealed opens, unless its key was shredded or cannot be asked."""

    sealed = Bundle("sealed")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.world.provider.create("logs")
        self.writers = [self.world.writer() for _ in range(2)]
        self.reader = self.world.reader()
        self.is_shredded = False
        self.is_out = False
        self.nonces: set[tuple[bytes, bytes]] = set()
        self.count = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(target=sealed, writer=st.integers(0, 1))
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

    @rule(writer=st.integers(0, 1))
    def restart_writer(self, writer: int) -> None:
        self.writers[writer] = self.world.writer()

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
        self.world.clock.now_seconds += 1  # so soon is a provider asked again that failed

    @precondition(lambda self: not self.is_shredded)
    @rule(destroys_old=st.booleans(), passes_over_all=st.booleans(), steps=st.sampled_from([9, 9, 0, 3, 6]))
    def rotate(self, destroys_old: bool, passes_over_all: bool, steps: int) -> None:
        with suppress(ProviderUnavailableError):
            self.world.rotator.begin("logs", "demand", destroys_old=destroys_old)
            for _ in range(steps):
                self.world.rotator.advance("logs", passes_over_all=passes_over_all)

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
