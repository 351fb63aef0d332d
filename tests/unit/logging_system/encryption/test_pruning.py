"""A data key goes when nothing needs it, and never one that a record may still need."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from logging_system.delivery.machine import BuryDeadLetter, Item
from logging_system.encryption.block_codec import SealedBlocks
from logging_system.encryption.encryption import Encryption
from logging_system.encryption.lines import SealedLines
from logging_system.encryption.pruning import (
    SEALS_SECONDS_MAX,
    UNKNOWN,
    UNUSED_SECONDS_MIN,
    Pruning,
    unneeded_data_keys,
)
from logging_system.encryption.sealing import Sealer
from logging_system.encryption.spool_reading import spooled_documents
from logging_system.keys.audit_log import AuditLog
from logging_system.keys.data_keys import StoredDataKey
from logging_system.keys.provider import WrappedKey
from logging_system.shipping.dead_letters import DeadLetterFile
from logging_system.spool.codec import PLAIN, Codecs
from logging_system.spool.frame import FileHeader, encode_file_header
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.encryption.sealed import Clock, encryption, key_file

DAY_SECONDS = 86400.0
NOW_SECONDS = 1_800_000_000.0
RETENTION_SECONDS = 30 * DAY_SECONDS


@dataclass
class Index:
    """A key index in memory."""

    held: dict[bytes, StoredDataKey] = field(default_factory=dict)
    trouble: str = ""

    def all(self) -> Iterator[StoredDataKey]:
        yield from list(self.held.values())

    def remove(self, data_key_ids: Sequence[bytes]) -> None:
        if self.trouble:
            raise OSError(None, self.trouble)
        for each in data_key_ids:
            self.held.pop(each, None)


def data_key(number: int, purpose: str, age_days: float, key_id: str = "logs") -> StoredDataKey:
    wrapped = WrappedKey(key_id, 1, "provider", b"wrapped")
    return StoredDataKey(number.to_bytes(16, "big"), purpose, NOW_SECONDS - age_days * DAY_SECONDS, wrapped)


def unneeded(folder: Path, *data_keys: StoredDataKey, retention_seconds: float | None = None) -> list[int]:
    found = unneeded_data_keys(data_keys, {"": folder}, retention_seconds, NOW_SECONDS)
    assert sum(found.counts.values()) + sum(found.kept.values()) == len(data_keys)
    return [int.from_bytes(each.id, "big") for each in found.data_keys]


class World:
    """A spool and its keyring on a clock of their own."""

    def __init__(self, folder: Path) -> None:
        self.made = Encryption(key_file(folder), folder / "spool" / "keys", "logs", spool=folder / "spool")
        self.spool = folder / "spool"
        self.clock = Clock(NOW_SECONDS)
        self.index = Index()

    def sealer(self, purpose: str) -> Sealer:
        return Sealer(self.made.key_use, purpose, wall_clock=self.clock)

    def days(self, count: float) -> None:
        self.clock.now_seconds += count * DAY_SECONDS

    def pruning(self, retention_seconds: float | None = None, index: Index | None = None) -> Pruning:
        return Pruning(
            self.made.data_keys,
            self.made.rotator(),
            self.made.keyring,
            retention_seconds=retention_seconds,
            index=index,
            wall_clock=self.clock,
        )

    def prune(self, retention_seconds: float | None = None, index: Index | None = None) -> dict[str, int]:
        pruning = self.pruning(retention_seconds, index)
        found = pruning.look()
        pruning.remove(found.data_keys)
        return dict(found.counts)

    def write(self, *documents: bytes) -> SpoolWriter:
        codecs = Codecs.of(SealedBlocks(self.sealer("block"), self.made.opener("block")), PLAIN)
        writer = SpoolWriter(self.spool, spool_bytes_max=1 << 20, sync=False, codecs=codecs)
        for document in documents:
            writer.append([document])
        return writer

    def read(self) -> list[bytes]:
        def unopened(key: str, reason: str, count: int) -> None:
            raise AssertionError(f"{count} of {key} {reason}")

        # Two writers of one second have no order among them.
        return sorted(spooled_documents(self.spool, self.made.codecs(), unopened))


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "spool").mkdir()
    return World(tmp_path)


def test_blocks_keys_go_once_no_block_names_them_and_nobody_can_be_using_them(world: World) -> None:
    world.write(b'{"n":1}').seal()
    world.days(1)
    world.write(b'{"n":2}')  # its segment is open still
    world.days(100)
    assert world.prune() == {}
    assert world.read() == [b'{"n":1}', b'{"n":2}']
    (sealed,) = world.spool.glob("*.segment")
    sealed.unlink()  # as one that was shipped
    assert world.prune() == {"block": 1}
    assert world.read() == [b'{"n":2}']


def test_a_block_s_key_that_is_young_stays_though_no_block_names_it(tmp_path: Path) -> None:
    old_days = UNUSED_SECONDS_MIN / DAY_SECONDS
    data_keys = [data_key(number, "block", old_days + more) for number, more in enumerate((-1, -0.1, 0.1))]
    assert unneeded(tmp_path, *data_keys) == [2]


@pytest.mark.parametrize("state", ["corrupt", "evicted", "new"])
def test_a_segment_that_waits_for_somebody_needs_its_keys_too(world: World, state: str) -> None:
    world.write(b'{"n":1}').seal()
    (sealed,) = world.spool.glob("*.segment")
    sealed.rename(sealed.with_suffix(f".{state}"))
    world.days(100)
    assert world.prune() == {}


def test_a_block_behind_damage_is_found(world: World) -> None:
    writer = world.write(b'{"n":1}', b'{"n":2}')
    writer.seal()
    (sealed,) = world.spool.glob("*.segment")
    content = bytearray(sealed.read_bytes())
    content[44:60] = bytes(16)  # the first block's header
    sealed.write_bytes(content)
    world.days(100)
    assert world.prune() == {}


def test_fields_and_lines_keys_stay_for_the_declared_retention_and_for_ever_where_none_is(
    tmp_path: Path,
) -> None:
    over_days = (RETENTION_SECONDS + SEALS_SECONDS_MAX) / DAY_SECONDS
    data_keys = [
        data_key(number, purpose, over_days + more)
        for number, (purpose, more) in enumerate((("field", -0.1), ("field", 0.1), ("line", 0.1)))
    ]
    assert unneeded(tmp_path, *data_keys, retention_seconds=RETENTION_SECONDS) == [1, 2]
    assert unneeded(tmp_path, *data_keys) == []


def test_the_newest_token_key_stays_and_an_older_one_until_what_was_logged_with_it_is_gone(
    tmp_path: Path,
) -> None:
    of_other_key = data_key(9, "token", 1000, "other")
    old, older = data_key(1, "token", 1000), data_key(2, "token", 2000)
    young = data_key(3, "token", 10)

    def found(*data_keys: StoredDataKey) -> list[int]:
        return unneeded(tmp_path, *data_keys, of_other_key, retention_seconds=RETENTION_SECONDS)

    assert found(old, older) == [2]
    assert found(old, older, young) == [2]
    assert found(old) == []


def test_what_waits_in_the_spool_keeps_the_keys_of_its_fields(world: World) -> None:
    world.sealer("field").seal(b"x", b"field")
    world.days(1)
    world.write(b'{"n":1}').seal()  # may hold a field of that key, and is shipped some day
    world.days(100)
    assert world.prune(RETENTION_SECONDS) == {}
    (sealed,) = world.spool.glob("*.segment")
    sealed.unlink()
    assert world.prune(RETENTION_SECONDS) == {"block": 1, "field": 1}


def test_a_dead_letter_keeps_its_key_and_those_of_its_fields(world: World) -> None:
    world.sealer("field").seal(b"x", b"field")
    lines = SealedLines(world.sealer("line"), world.made.opener("line"))
    letters = DeadLetterFile(world.spool, lines)
    letters.bury([BuryDeadLetter(Item(bytes(16), 1, b'{"message":"dead"}'), 400, "no")])
    letters.close()
    world.days(1000)
    assert world.prune(RETENTION_SECONDS) == {}
    (world.spool / "dead-letters.ndjson").unlink()
    assert world.prune(RETENTION_SECONDS) == {"line": 1, "field": 1}


def test_nothing_goes_where_a_spool_is_not_known_or_cannot_be_read(world: World, tmp_path: Path) -> None:
    data_keys = [data_key(1, "block", 1000), data_key(2, "field", 1000)]
    nothing = unneeded_data_keys(data_keys, {}, 1.0, NOW_SECONDS)
    assert (nothing.data_keys, nothing.unknown_spools) == ((), ("",))
    with pytest.raises(FileNotFoundError):
        unneeded_data_keys(data_keys, {"": tmp_path / "not there"}, 1.0, NOW_SECONDS)
    epoch = b"newer-version-00"
    newer = segment_path(world.spool, epoch, 0, "segment")
    newer.write_bytes(encode_file_header(FileHeader(epoch, 0, 1, version=99)) + b"unknown")
    world.days(100)
    with pytest.raises(OSError, match="newer version"):
        world.prune()


def test_a_keyring_that_serves_several_spools_keeps_what_each_of_them_needs(tmp_path: Path) -> None:
    spools = [tmp_path / name for name in ("one", "other", "gone")]
    long_ago = Clock(NOW_SECONDS - 1000 * DAY_SECONDS)
    for spool in spools:
        spool.mkdir()
        made = Encryption(key_file(tmp_path), tmp_path / "keyring", "logs", spool=spool)
        Sealer(made.key_use, "block", wall_clock=long_ago).seal(b"x", b"place")  # shipped since
        sealer = Sealer(made.key_use, "block", wall_clock=long_ago)
        codecs = Codecs.of(SealedBlocks(sealer, made.opener("block")), PLAIN)
        writer = SpoolWriter(spool, spool_bytes_max=1 << 20, sync=False, codecs=codecs)
        writer.append([b'{"n":1}'])
        writer.seal()
    Sealer(made.key_use, "field", wall_clock=long_ago).seal(b"x", b"field")
    shutil.move(spools[-1], tmp_path / "on another host")

    def pruning() -> Pruning:
        rotator = made.rotator()
        return Pruning(made.data_keys, rotator, made.keyring, retention_seconds=DAY_SECONDS)

    found = pruning().look()
    assert found.counts == {"block": 2}
    assert found.kept == {"block": 4, "field": 1}
    assert [label.partition(":")[2] for label in found.unknown_spools] == [str(spools[-1])]
    shutil.move(tmp_path / "on another host", spools[-1])
    assert pruning().look().counts == {"block": 3}  # the field's key may be needed by what waits
    for spool in spools:
        for segment in spool.glob("*.segment"):
            segment.unlink()
    assert pruning().look().counts == {"block": 6, "field": 1}


def test_a_spool_that_nobody_named_keeps_everything(tmp_path: Path) -> None:
    made = Encryption(key_file(tmp_path), tmp_path / "keyring", "logs")
    Sealer(made.key_use, "block", wall_clock=Clock(1.0)).seal(b"x", b"place")
    found = made.pruning().look()
    assert (found.data_keys, found.unknown_spools) == ((), (UNKNOWN,))


def test_what_another_keyring_has_in_the_index_is_left_alone(world: World) -> None:
    world.sealer("field").seal(b"x", b"field")
    theirs = data_key(7, "field", 5000)
    world.index.held = {theirs.id: theirs}
    world.days(100)
    assert world.prune(RETENTION_SECONDS, world.index) == {"field": 1}
    world.made.rotator().shred("logs")
    assert world.prune(RETENTION_SECONDS, world.index) == {}
    assert world.index.held == {theirs.id: theirs}


def test_the_index_is_pruned_first_and_what_it_does_not_give_up_stays_in_the_folder(world: World) -> None:
    world.sealer("field").seal(b"x", b"field")
    (there,) = (world.made.data_keys.get(each) for each in world.made.data_keys.ids())
    assert there is not None
    lost = replace(there, id=b"l" * 16)  # its folder is gone; the index has it still
    world.index.held = {there.id: there, lost.id: lost}
    world.days(100)
    world.index.trouble = "no answer"
    with pytest.raises(OSError, match="no answer"):
        world.prune(RETENTION_SECONDS, world.index)
    assert world.made.data_keys.has(there.id)
    world.index.trouble = ""
    assert world.prune(RETENTION_SECONDS, world.index) == {"field": 2}
    assert (world.index.held, list(world.made.data_keys.ids())) == ({}, [])


def test_what_was_shredded_goes_from_the_index_at_once(world: World) -> None:
    world.sealer("field").seal(b"x", b"field")
    (there,) = (world.made.data_keys.get(each) for each in world.made.data_keys.ids())
    assert there is not None
    world.index.held = {there.id: there}
    world.made.rotator().shred("logs")
    assert world.prune(None, world.index) == {"field": 1}
    assert world.index.held == {}


def test_each_pruning_is_in_the_audit_log(world: World) -> None:
    world.sealer("block").seal(b"x", b"place")
    world.days(100)
    world.prune()
    world.prune()
    keyring = world.made.keyring.read()
    log = AuditLog(world.made.keyring.folder)
    *_, event = log.events()

    assert (event.event, event.subject, event.details) == (
        "data_keys_pruned",
        "logs",
        {"data_keys": {"block": 1}},
    )
    assert log.verify(keyring.audit) == event


def test_the_schedule_prunes_blocks_keys_and_leaves_the_retention_to_the_command(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    made = Encryption(
        key_file(tmp_path),
        tmp_path / "spool" / "keys",
        "logs",
        spool=tmp_path / "spool",
        index_retention_seconds=DAY_SECONDS,
    )
    long_ago = lambda: NOW_SECONDS - 1000 * DAY_SECONDS  # noqa: E731 - a clock
    for purpose in ("block", "field"):
        Sealer(made.key_use, purpose, wall_clock=long_ago).seal(b"x", b"place")
    made.schedule().look(lambda _event: None)
    (left,) = made.data_keys.ids()
    stored = made.data_keys.get(left)

    assert stored is not None
    assert stored.purpose == "field"
    assert made.pruning().look().counts == {"field": 1}


def test_a_writer_whose_data_key_was_removed_stores_it_again(tmp_path: Path) -> None:
    made, clock = encryption(tmp_path), Clock()
    writer = Sealer(made.key_use, "block", monotonic=clock)
    sealed = writer.seal(b"x", b"place")
    (data_key_id,) = made.data_keys.ids()
    made.data_keys.remove(data_key_id)
    clock.now_seconds += 1
    writer.seal(b"x", b"place")

    assert made.opener("block").open(sealed, b"place") == b"x"


@pytest.mark.parametrize("worn", [True, False])
def test_a_writer_does_not_seal_with_a_key_that_was_destroyed(tmp_path: Path, *, worn: bool) -> None:
    made, clock = encryption(tmp_path), Clock()
    writer = Sealer(made.key_use, "block", monotonic=clock)
    writer.seal(b"x", b"place")
    made.rotator().shred("logs")
    clock.now_seconds += 1000 if worn else 1
    for _ in range(2):
        with pytest.raises(Exception, match="key logs is not available"):
            writer.seal(b"x", b"place")
    assert list(made.data_keys.ids()) == []
