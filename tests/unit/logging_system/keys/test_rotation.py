"""A rotation never makes anything unreadable, whoever stops, dies or joins at whatever moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from logging_system.encryption.encryption import Encryption
from logging_system.encryption.envelope import SealError, read_header
from logging_system.encryption.opening import Opener
from logging_system.encryption.sealing import Sealer, SealingLimits, renew_data_keys
from logging_system.keys.audit_log import NAME as AUDIT_NAME
from logging_system.keys.audit_log import AuditError, AuditLog
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.key_use import KeyUse, ReaderPresence
from logging_system.keys.keyring import KeyringError, KeyringFile, KeyState, Step
from logging_system.keys.leases import LEASE_SECONDS, LeaseFile
from logging_system.keys.provider import (
    KeyMissingError,
    KeyVersions,
    ProviderUnavailableError,
    WrappedKey,
)
from logging_system.keys.providers.file import FileProvider
from logging_system.keys.rotation import Progress, Rotator
from logging_system.keys.secret import Secret
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.disk import Disk, Identity
from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.encryption.sealed import Clock, Unreliable, encryption, key_file

PLACE = b"a place"


class QuickDisk(Disk):
    """A disk of a machine that loses no power."""

    def sync(self, descriptor: int) -> None:
        pass


QUICK = QuickDisk()


class World:
    """A keyring, and its users, on a clock of their own."""

    def __init__(self, folder: Path, disk: Disk = QUICK) -> None:
        self.folder = folder
        self.clock = Clock(1_000_000.0)
        self.provider = Unreliable(FileProvider(folder / "keys.json", disk=disk))
        self.keyring = KeyringFile(folder / "keyring", disk=disk)
        self.rotator = Rotator(self.provider, self.keyring, wall_clock=self.clock, disk=disk)

    def writer(self, limits: SealingLimits | None = None) -> Sealer:
        keyring = KeyringFile(self.folder / "keyring")
        key_use = KeyUse(self.provider, keyring, "logs", wall_clock=self.clock)
        return Sealer(key_use, "block", limits=limits, monotonic=self.clock, wall_clock=self.clock)

    def reader(self) -> Opener:
        presence = ReaderPresence(self.provider, KeyringFile(self.folder / "keyring"), wall_clock=self.clock)
        data_keys = DataKeyFolder(self.folder / "keyring")
        return Opener(self.provider, data_keys, "block", presence=presence, monotonic=self.clock)

    def states(self) -> dict[int, str]:
        return {n: each.state.value for n, each in self.keyring.read().keys["logs"].versions.items()}

    def events(self) -> list[str]:
        return [each.event for each in AuditLog(self.folder / "keyring").events()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.provider.create("logs")
    return made


def version_of(sealed: bytes) -> int:
    return read_header(sealed).key_version


def test_a_rotation_goes_through_its_steps_and_everything_stays_readable(world: World) -> None:
    writer, reader = world.writer(), world.reader()
    before = writer.seal(b"before", PLACE)
    reader.open(before, PLACE)
    world.rotator.begin("logs", "demand")
    steps = []
    for _ in range(20):
        progress = world.rotator.advance("logs")
        steps.append(progress.rotation.step.value if progress.rotation else "done")
        if progress.rotation is None:
            break
        world.clock.now_seconds += 3
        sealed = writer.seal(b"now", PLACE)
        assert reader.open(before, PLACE) == b"before"
        assert reader.open(sealed, PLACE) == b"now"
    after = writer.seal(b"after", PLACE)

    assert list(dict.fromkeys(steps)) == [*[each.value for each in Step][1:], "done"]
    assert (version_of(before), version_of(after)) == (1, 2)
    assert world.states() == {1: "retired", 2: "active"}
    assert world.provider.versions("logs") == KeyVersions(2, 2)
    for opener in (reader, world.reader()):
        assert [opener.open(each, PLACE) for each in (before, after)] == [b"before", b"after"]
    assert world.events() == [
        "key_adopted",
        "rotation_begun",
        "published",
        "readers_ready",
        "switched",
        "writers_switched",
        "rewrapped",
        "minimum_raised",
        "rotated",
    ]


def test_the_keyring_keeps_no_public_key_that_nobody_wraps_with(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "demand")
    assert world.rotator.run("logs").rotation is None
    versions = world.keyring.read().keys["logs"].versions

    assert {number: each.public_key is not None for number, each in versions.items()} == {1: False, 2: True}


def test_writers_switch_within_a_second_of_the_switch_and_at_once_when_told(world: World) -> None:
    writer, told = world.writer(), world.writer()
    for each in (writer, told):
        each.seal(b"x", PLACE)
    world.rotator.begin("logs", "demand")
    while world.states().get(2) != "active":
        world.rotator.advance("logs")
    assert version_of(writer.seal(b"x", PLACE)) == 1
    told.renew()
    assert version_of(told.seal(b"x", PLACE)) == 2
    world.clock.now_seconds += 1
    assert version_of(writer.seal(b"x", PLACE)) == 2


def test_a_signal_that_comes_while_something_is_sealed_is_heard_by_all_that_seals(world: World) -> None:
    writers = [world.writer(), world.writer()]
    before = [read_header(each.seal(b"x", PLACE)).data_key_id for each in writers]
    with writers[0]._lock:  # as the thread that the signal interrupts may hold it
        renew_data_keys()
    after = [read_header(each.seal(b"x", PLACE)).data_key_id for each in writers]

    assert set(before).isdisjoint(after)
    assert [read_header(each.seal(b"x", PLACE)).data_key_id for each in writers] == after


def test_it_waits_for_a_reader_that_has_not_got_the_new_version_and_passes_over_one_that_died(
    world: World,
) -> None:
    writer, reader = world.writer(), world.reader()
    sealed = writer.seal(b"x", PLACE)
    reader.open(sealed, PLACE)
    world.rotator.begin("logs", "demand")
    assert world.rotator.run("logs").waits_for == (f"reader {os.uname().nodename}:{os.getpid()}",)
    world.clock.now_seconds += 5
    assert world.rotator.run("logs").waits_for != ()
    writer.seal(b"x", PLACE)
    reader.open(sealed, PLACE)  # it looks, and has it
    assert world.rotator.run("logs").waits_for == (f"writer {os.uname().nodename}:{os.getpid()}",)
    world.clock.now_seconds += 1
    writer.seal(b"x", PLACE)
    assert world.rotator.run("logs") == Progress(None)
    world.rotator.begin("logs", "demand")
    world.rotator.run("logs")
    world.clock.now_seconds += LEASE_SECONDS + 1
    assert world.rotator.run("logs").rotation is None
    passed_over = [
        event.details["passed_over"]
        for event in AuditLog(world.folder / "keyring").events()
        if event.event == "readers_ready"
    ]
    assert passed_over == [[], [f"reader {os.uname().nodename}:{os.getpid()}"]]


def test_it_does_not_wait_for_a_writer_whose_process_was_killed_and_what_that_sealed_stays_readable(
    world: World,
) -> None:
    pid = os.fork()
    if pid == 0:
        writer = world.writer()  # which has a lease while it lives
        (world.folder / "sealed").write_bytes(writer.seal(b"x", PLACE))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    world.rotator.begin("logs", "demand")

    assert world.rotator.run("logs") == Progress(None)
    assert world.reader().open((world.folder / "sealed").read_bytes(), PLACE) == b"x"
    assert [
        event.details["passed_over"]
        for event in AuditLog(world.folder / "keyring").events()
        if event.event == "writers_switched"
    ] == [[f"writer {os.uname().nodename}:{pid}"]]


def test_a_writer_that_was_passed_over_comes_back_with_the_new_version(world: World) -> None:
    writer = world.writer()
    before = writer.seal(b"before", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "demand")
    assert world.rotator.run("logs").rotation is None
    after = writer.seal(b"after", PLACE)

    assert version_of(after) == 2
    assert [world.reader().open(each, PLACE) for each in (before, after)] == [b"before", b"after"]


def test_an_outage_stops_a_rotation_where_it_is_and_it_goes_on_afterwards(world: World) -> None:
    sealed = world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "demand")
    world.provider.fail()
    with pytest.raises(ProviderUnavailableError):
        world.rotator.run("logs")
    world.provider.mend()
    assert world.rotator.run("logs").rotation is None
    assert world.reader().open(sealed, PLACE) == b"x"


def test_a_version_that_is_out_of_reach_is_not_retired_while_data_keys_need_it(world: World) -> None:
    sealed = world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "suspicion", destroys_old=True)
    while world.states().get(2) != "active":
        world.rotator.advance("logs")
    world.rotator.advance("logs")
    world.provider.fail(lambda: KeyMissingError("the key file is away"))
    with pytest.raises(KeyMissingError):
        world.rotator.advance("logs")
    world.provider.mend()
    assert world.rotator.run("logs").rotation is None
    assert world.reader().open(sealed, PLACE) == b"x"


class LosesVersions(Unreliable):
    """Knows no version that anything was wrapped with."""

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        raise KeyMissingError(f"no key {wrapped.key}")


def test_a_version_that_is_lost_for_good_is_passed_over_when_that_is_asked_for(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    rotator = Rotator(LosesVersions(world.provider.within), world.keyring, wall_clock=world.clock)
    rotator.begin("logs", "demand")
    with pytest.raises(KeyMissingError, match="logs:1"):
        rotator.run("logs")

    assert rotator.run("logs", passes_over_all=True).rotation is None


def test_a_key_that_others_rotated_at_the_provider_is_taken_over(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.provider.rotate("logs", newest=1)
    world.rotator.begin("logs", "demand")
    world.rotator.run("logs")
    assert world.states() == {1: "retired", 2: "active"}


def test_revoking_destroys_the_old_version_once_nothing_needs_it(world: World) -> None:
    before = world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "demand")
    world.rotator.begin("logs", "suspicion", destroys_old=True)
    world.rotator.run("logs")
    assert world.states() == {1: "destroyed", 2: "active"}
    assert world.reader().open(before, PLACE) == b"x"
    old = orjson.loads((world.folder / "keys.json").read_bytes())["keys"]["logs"]["secrets"]
    assert list(old) == ["2"]


def test_a_rotation_is_due_by_its_schedule_and_by_how_often_the_version_was_used(world: World) -> None:
    for _ in range(3):
        world.writer().seal(b"x", PLACE)

    def due(data_keys_max: int = 100) -> str | None:
        return world.rotator.due("logs", every_seconds=1000, data_keys_max=data_keys_max)

    assert (due(), due(4), due(3)) == (None, None, "usage")
    world.clock.now_seconds += 1000
    assert due() == "schedule"
    world.rotator.begin("logs", "schedule")
    assert due() is None


def test_shredding_one_namespace_leaves_the_others_and_is_proved_by_trying(world: World) -> None:
    doomed = world.writer().seal(b"x", PLACE)
    kept_folder = encryption(world.folder, provider=key_file(world.folder, "kept"), key_id="kept")
    kept = kept_folder.sealer("block").seal(b"y", PLACE)
    reader = world.reader()
    reader.open(doomed, PLACE)
    for first in (True, False):
        shredded = world.rotator.shred("logs")
        assert (shredded.data_keys, shredded.tried) == ((1, 1) if first else (0, 0))
    with pytest.raises(SealError, match="destroyed"):
        world.reader().open(doomed, PLACE)
    world.clock.now_seconds += 61
    with pytest.raises(SealError, match="destroyed"):
        reader.open(doomed, PLACE)
    with pytest.raises(KeyUnavailableError):
        world.writer().seal(b"x", PLACE)
    assert world.reader().open(kept, PLACE) == b"y"
    assert world.keyring.read().keys["logs"].is_destroyed


class SimulatedCrashError(BaseException):
    """The process is gone; nothing of it runs any more."""


class CrashingDisk(Disk):
    """A disk on which the process dies before its nth change."""

    def __init__(self, dies_at: int) -> None:
        self.left = dies_at

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise SimulatedCrashError

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._count()
        return super().write(descriptor, data[: max(1, len(data) // 2)])  # torn, if it dies at the next

    def sync(self, descriptor: int) -> None:
        self._count()

    def rename(self, source: Path, target: Path) -> None:
        self._count()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._count()
        super().unlink(path)

    def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
        self._count()
        return super().pwrite(descriptor, data, offset_bytes)


class BusyDisk(QuickDisk):
    """A disk beside which others are at work: they do something after each removal of a file."""

    def __init__(self) -> None:
        self.others: Callable[[], object] = lambda: None

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self.others()


def test_what_a_writer_puts_back_while_its_key_is_shredded_goes_too(tmp_path: Path) -> None:
    disk = BusyDisk()
    world = World(tmp_path, disk)
    world.provider.create("logs")
    writer = world.writer()
    writer.seal(b"x", PLACE)

    def write_on() -> None:
        world.clock.now_seconds += 1
        with suppress(KeyUnavailableError):
            writer.seal(b"x", PLACE)

    disk.others = write_on
    world.rotator.shred("logs")

    assert list((world.keyring.folder / "data-keys").iterdir()) == []


def rotate(world: World) -> None:
    world.rotator.begin("logs", "suspicion", destroys_old=True)
    assert world.rotator.run("logs").rotation is None


def shred(world: World) -> None:
    world.rotator.shred("logs")


def crashes_of(folder: Path, act: Callable[[World], None]) -> int:
    """Return how often `act` changes something."""
    disk = CrashingDisk(1_000_000)
    world = World(folder, disk)
    world.provider.create("logs")
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    before = disk.left
    act(world)
    return before - disk.left


@pytest.mark.slow
def test_after_a_crash_at_any_change_of_a_rotation_another_process_ends_it_and_all_is_readable(
    tmp_path: Path,
) -> None:
    count = crashes_of(tmp_path / "counted", rotate)
    for dies_at in range(count):
        folder = tmp_path / str(dies_at)
        world = World(folder)
        world.provider.create("logs")
        sealed = [world.writer().seal(b"x", PLACE) for _ in range(2)]
        dying = World(folder, CrashingDisk(dies_at))
        dying.clock.now_seconds += LEASE_SECONDS + 1
        with pytest.raises(SimulatedCrashError):
            rotate(dying)
        reader = world.reader()
        in_between = world.writer().seal(b"x", PLACE)
        assert {reader.open(each, PLACE) for each in (*sealed, in_between)} == {b"x"}, dies_at
        again = World(folder)
        again.clock.now_seconds += 3 * LEASE_SECONDS
        rotate(again)
        log = AuditLog(folder / "keyring")
        keyring = again.keyring.read()
        assert log.verify(keyring.audit) is not None
        assert again.states()[max(again.states())] == "active", dies_at
        assert max(again.states()) <= 3, dies_at
        assert {again.reader().open(each, PLACE) for each in (*sealed, in_between)} == {b"x"}, dies_at
    assert count > 40


def test_after_a_crash_at_any_change_of_a_shredding_it_is_done_again_to_its_end(tmp_path: Path) -> None:
    count = crashes_of(tmp_path / "counted", shred)
    for dies_at in range(count):
        folder = tmp_path / str(dies_at)
        world = World(folder)
        world.provider.create("logs")
        sealed = world.writer().seal(b"x", PLACE)
        with pytest.raises(SimulatedCrashError):
            shred(World(folder, CrashingDisk(dies_at)))
        shred(World(folder))
        with pytest.raises(SealError, match="destroyed"):
            World(folder).reader().open(sealed, PLACE)
        assert list((folder / "keyring" / "data-keys").iterdir()) == []


def test_the_audit_log_shows_what_was_changed_taken_out_or_cut_off(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    rotate(world)
    path = world.folder / "keyring" / AUDIT_NAME
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    keyring = world.keyring.read()
    log = AuditLog(world.folder / "keyring")
    last = log.verify(keyring.audit)
    assert last is not None
    assert (last.event, last.sequence) == ("rotated", len(lines))
    for wrong in (
        whole.replace(b"suspicion", b"schedule"),
        b"".join(lines[:3] + lines[4:]),
        b"".join(lines[:-1]),
        b"".join([lines[1], lines[0], *lines[2:]]),
        b"".join(lines + lines[-1:]),
        b"",
        whole[:-30] + b"\n",
    ):
        path.write_bytes(wrong)
        with pytest.raises(AuditError):
            log.verify(keyring.audit)
    path.write_bytes(whole + b'{"torn')
    assert log.verify(keyring.audit) == last
    assert log.append("next", "logs", {}, 0.0).previous == last.digest


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format":1,"generation":-1}', b"\xff"])
def test_a_keyring_that_is_none_stops_writers_with_its_remedy(world: World, content: bytes) -> None:
    world.keyring.folder.mkdir()
    (world.keyring.folder / "keyring.json").write_bytes(content)
    with pytest.raises(KeyringError, match="made anew from the provider"):
        world.keyring.read()
    with pytest.raises(KeyUnavailableError):
        world.writer().seal(b"x", PLACE)


class UnreadableDisk(Disk):
    """A disk on which nothing can be told of a file once a data key was stored, until it is mended."""

    is_broken = False
    is_mended = False

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self.is_broken = self.is_broken or target.parent.name == "data-keys"

    def identity(self, path: Path) -> Identity | None:
        if self.is_broken and not self.is_mended:
            raise OSError(5, "Input/output error")
        return super().identity(path)


def test_a_new_data_key_seals_nothing_before_it_is_known_that_writers_were_not_switched(world: World) -> None:
    disk = UnreadableDisk()
    keyring = KeyringFile(world.folder / "keyring", disk=disk)
    key_use = KeyUse(world.provider, keyring, "logs", wall_clock=world.clock)
    writer = Sealer(key_use, "block", monotonic=world.clock, wall_clock=world.clock)
    with pytest.raises(KeyUnavailableError):
        writer.seal(b"x", PLACE)
    disk.is_mended = True
    world.clock.now_seconds += 1

    assert world.reader().open(writer.seal(b"x", PLACE), PLACE) == b"x"


class ForgetfulDisk(Disk):
    """A disk whose syncs fail as long as `fails`; what was written by then is taken for clean."""

    def __init__(self) -> None:
        self.fails = False
        self.synced: list[bytes] = []
        self.dirty = b""

    def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
        self.dirty += data
        return super().pwrite(descriptor, data, offset_bytes)

    def sync(self, descriptor: int) -> None:
        written, self.dirty = self.dirty, b""
        if self.fails:
            raise OSError(5, "Input/output error")
        self.synced.append(written)


def test_an_event_whose_sync_failed_is_written_again_before_the_next_is_chained_to_it(tmp_path: Path) -> None:
    disk = ForgetfulDisk()
    log = AuditLog(tmp_path, disk=disk)
    log.append("first", "logs", {}, 0.0)
    disk.fails = True
    with pytest.raises(OSError, match="Input"):
        log.append("unproven", "logs", {}, 0.0)
    disk.fails = False
    log.append("next", "logs", {}, 0.0)

    written = next(each for each in disk.synced if b"next" in each)
    assert written.count(b"\n") == 3
    assert [event.event for event in log.events()] == ["first", "unproven", "next"]


def test_what_a_crash_tore_behind_the_proven_events_is_cut_off_and_nothing_before(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    proven = [log.append(word, "logs", {}, 0.0) for word in ("first", "second")][-1]
    path = tmp_path / AUDIT_NAME
    whole = path.read_bytes()
    torn = whole + log.append("unproven", "logs", {}, 0.0).encoded().replace(b"unproven", bytes(8))
    path.write_bytes(torn)
    assert log.verify(proven.position) == proven
    with pytest.raises(AuditError):
        log.append("next", "logs", {}, 0.0)
    log.append("next", "logs", {}, 0.0, proven=proven.position)
    assert [event.event for event in log.events()] == ["first", "second", "next"]
    path.write_bytes(whole.replace(b"second", bytes(6)))
    with pytest.raises(AuditError, match="event 2 is not there"):
        log.append("next", "logs", {}, 0.0, proven=proven.position)


def test_who_is_overtaken_by_whole_rotations_brings_no_retired_version_back(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    folder = DataKeyFolder(world.keyring.folder)
    (before,) = [each for each in map(folder.get, folder.ids()) if each is not None]
    for _ in range(2):
        world.clock.now_seconds += LEASE_SECONDS + 1
        world.rotator.begin("logs", "demand")
        assert world.rotator.run("logs").rotation is None

    assert not folder.rewrap(before, before.wrapped)
    assert [each.wrapped.version for each in map(folder.get, folder.ids()) if each is not None] == [3]


class RotatedMeanwhile(Unreliable):
    """A provider at which a whole rotation passes before the next unwrapping."""

    world: World

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        if wrapped.version == 1:
            self.world.rotator.begin("logs", "suspicion", destroys_old=True)
            self.world.rotator.run("logs", passes_over_all=True)
        return super().unwrap(wrapped, context)


def test_a_reader_that_a_whole_rotation_overtakes_reads_the_data_key_again(world: World) -> None:
    sealed = world.writer().seal(b"x", PLACE)
    provider = RotatedMeanwhile(world.provider.within)
    provider.world = world
    opener = Opener(provider, DataKeyFolder(world.keyring.folder), "block", monotonic=world.clock)

    assert opener.open(sealed, PLACE) == b"x"
    assert world.states()[1] == "destroyed"


def test_two_rotators_at_once_make_one_new_version(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    world.clock.now_seconds += LEASE_SECONDS + 1
    other = Rotator(world.provider, KeyringFile(world.folder / "keyring"), wall_clock=world.clock)
    assert world.rotator.begin("logs", "demand") == other.begin("logs", "demand")
    for _ in range(10):
        world.rotator.advance("logs")
        other.advance("logs")
    assert world.states() == {1: KeyState.RETIRED, 2: KeyState.ACTIVE}


def test_an_encryption_shows_no_key_in_any_repr(tmp_path: Path) -> None:
    made: Encryption = encryption(tmp_path)
    sealer = made.sealer("block")
    sealer.seal(b"x", PLACE)
    secret = orjson.loads((tmp_path / "keys.json").read_bytes())["keys"]["logs"]["secrets"]["1"]
    shown = repr([vars(made), vars(sealer), sealer._in_use, made.keyring.read()])
    assert secret not in shown
    assert "bytearray" not in shown


def test_a_version_is_destroyed_once_publishers_have_brought_what_was_wrapped_anew(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    publisher = LeaseFile(world.keyring.folder, "publisher", wall_clock=world.clock)
    publisher.renew("logs", 1)
    world.rotator.begin("logs", "demand")
    assert world.rotator.run("logs", passes_over_all=True).rotation is None  # nothing is destroyed
    world.rotator.begin("logs", "suspicion", destroys_old=True)
    world.clock.now_seconds += LEASE_SECONDS - 1
    publisher.renew("logs", 2)
    while (waiting := world.rotator.run("logs")).rotation is not None and "writer" in waiting.waits_for[0]:
        world.clock.now_seconds += 1
        publisher.renew("logs", 2)

    assert [each.partition(" ")[0] for each in waiting.waits_for] == ["publisher"]
    assert world.states() == {1: "retired", 2: "retired", 3: "active"}
    assert "destroy" not in world.provider.calls
    publisher.renew("logs", 3)
    assert world.rotator.run("logs").rotation is None
    assert world.states() == {1: "destroyed", 2: "destroyed", 3: "active"}


def test_a_publisher_that_is_gone_holds_no_destruction_and_is_named(world: World) -> None:
    world.writer().seal(b"x", PLACE)
    publisher = LeaseFile(world.keyring.folder, "publisher", wall_clock=world.clock)
    publisher.renew("logs", 0)
    world.clock.now_seconds += LEASE_SECONDS + 1
    world.rotator.begin("logs", "suspicion", destroys_old=True)

    assert world.rotator.run("logs").rotation is None
    (last,) = [each for each in AuditLog(world.keyring.folder).events() if each.event == "rotated"]
    passed_over = last.details["passed_over"]
    assert isinstance(passed_over, list)
    assert [each.partition(" ")[0] for each in passed_over] == ["publisher"]


def test_a_crash_as_the_old_version_is_destroyed_finds_the_data_keys_brought_as_they_are_wrapped_now(
    world: World,
) -> None:
    world.writer().seal(b"x", PLACE)
    brought: list[list[int]] = []

    def publish() -> str:
        data_keys = DataKeyFolder(world.keyring.folder)
        brought.append([each.wrapped.version for each in data_keys.all()])
        return ""

    class CrashError(Exception):
        pass

    def crash_at_destroying() -> Exception:
        return CrashError() if world.provider.calls[-1] == "destroy" else AssertionError(world.provider.calls)

    rotator = Rotator(world.provider, world.keyring, wall_clock=world.clock, publish=publish)
    rotator.begin("logs", "suspicion", destroys_old=True)
    while (progress := rotator.advance("logs", passes_over_all=True)).rotation is not None:
        if progress.rotation.step is Step.MINIMUM_RAISED:
            break
    assert brought == []
    world.provider.fail(crash_at_destroying)
    with pytest.raises(CrashError):
        rotator.advance("logs")
    assert brought == [[2]]
    world.provider.mend()
    assert rotator.run("logs").rotation is None


def test_what_keeps_data_keys_from_their_other_place_holds_a_destruction_and_no_other_rotation(
    world: World,
) -> None:
    world.writer().seal(b"x", PLACE)
    trouble = ["the index is away"]
    rotator = Rotator(world.provider, world.keyring, wall_clock=world.clock, publish=lambda: trouble[-1])
    rotator.begin("logs", "demand")
    assert rotator.run("logs", passes_over_all=True).rotation is None
    rotator.begin("logs", "suspicion", destroys_old=True)
    world.clock.now_seconds += LEASE_SECONDS + 1

    assert rotator.run("logs").waits_for == ("the index is away",)
    assert world.states() == {1: "retired", 2: "retired", 3: "active"}
    trouble.append("")
    assert rotator.run("logs").rotation is None
    assert world.states() == {1: "destroyed", 2: "destroyed", 3: "active"}


def test_a_writer_that_cannot_read_the_keyring_puts_back_no_data_key(world: World) -> None:
    """What it has is wrapped with a version that may be destroyed by then; the one that is there counts."""
    writer = world.writer()
    writer.seal(b"x", PLACE)
    data_keys = DataKeyFolder(world.keyring.folder)
    (data_key_id,) = data_keys.ids()
    data_keys.remove(data_key_id)
    keyring = world.keyring.folder / "keyring.json"
    content = keyring.read_bytes()
    keyring.write_bytes(b"damaged")
    world.clock.now_seconds += 1
    writer.seal(b"x", PLACE)
    assert not data_keys.has(data_key_id)
    keyring.write_bytes(content)
    world.clock.now_seconds += 1
    writer.seal(b"x", PLACE)

    assert data_keys.has(data_key_id)  # somebody removed it, and it is the one in use


def test_a_writer_with_nothing_to_seal_holds_no_rotation(world: World) -> None:
    writer = world.writer(SealingLimits(age_seconds_max=1.0))
    before = writer.seal(b"before", PLACE)
    for _ in range(3):
        world.clock.now_seconds += 1
        writer.answer_rotation()
    assert len(list(DataKeyFolder(world.keyring.folder).ids())) == 1  # it makes none while no version is new
    world.rotator.begin("logs", "demand")
    assert world.rotator.run("logs").waits_for[0].startswith("writer ")
    world.clock.now_seconds += 1
    writer.answer_rotation()
    assert world.rotator.run("logs").rotation is None
    after = writer.seal(b"after", PLACE)

    assert (version_of(before), version_of(after)) == (1, 2)
    assert world.reader().open(before, PLACE) == b"before"
    assert world.reader().open(after, PLACE) == b"after"


def test_a_writer_with_nothing_to_seal_waits_for_no_provider_and_raises_nothing(world: World) -> None:
    world.provider.has_public_keys = False
    writer = world.writer()
    writer.answer_rotation()
    writer.seal(b"x", PLACE)
    world.rotator.begin("logs", "demand")
    world.rotator.run("logs")
    world.provider.fail()
    world.clock.now_seconds += 1
    writer.answer_rotation()
    assert version_of(writer.seal(b"x", PLACE)) == 1  # what it has serves on
    world.provider.mend()
    world.clock.now_seconds += 2
    writer.answer_rotation()

    assert version_of(writer.seal(b"x", PLACE)) == 2


def test_what_waits_for_records_follows_a_rotation_by_what_its_spool_calls(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    codecs = made.codecs()
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=1 << 20, sync=False, codecs=codecs)
    writer.append([b"{}"])
    reader = SpoolReader(tmp_path / "spool", codecs)
    assert len(reader.read(1 << 20)) == 1
    made.rotator().begin("logs", "demand")
    began = time.monotonic()
    while made.rotator().run("logs").rotation is not None and time.monotonic() < began + LEASE_SECONDS / 2:
        writer.idle()
        time.sleep(0.05)

    assert made.keyring.read().keys["logs"].active == 2
    assert made.keyring.read().keys["logs"].rotation is None
