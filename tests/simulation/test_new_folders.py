"""A folder that is made for what is to last lasts as well: its name is synced in the folder above it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from logging_system.keys.data_keys import DataKeyFolder, StoredDataKey
from logging_system.keys.durable_files import make_folder
from logging_system.keys.keyring import KeyringFile, KeyState, RingKey, Version
from logging_system.keys.leases import LeaseFile
from logging_system.keys.provider import WrappedKey
from logging_system.keys.providers.file import FileProvider
from logging_system.spool.disk import sync_folder
from logging_system.spool.reader import SpoolReader
from logging_system.spool.segment import prepare_folder
from logging_system.spool.writer import SpoolWriter
from tests.simulation.disk import FOLDER, Killed, Process, SimulatedDisk, Strike

SEEDS = 40
SPOOL = FOLDER / "logs" / "shop"
KEYRING = SPOOL / "keys"
KEY_FILE = FOLDER / "secrets" / "kek.json"
DATA_KEY = StoredDataKey(bytes(16), "block", 1.0, WrappedKey("logs", 1, "provider", b"wrapped"))


class SyncsNoNewFolder(Process):
    """A disk on which a new folder's name is never made durable: the mistake that this is about."""

    def make_folder(self, folder: Path, mode: int) -> list[Path]:
        super().make_folder(folder, mode)
        return []

    def list_names(self, folder: Path) -> list[str]:
        return super().list_names(folder) or [".nothing"]


def append(disk: SimulatedDisk, process: Process) -> None:
    """Acknowledge records."""
    SpoolWriter(SPOOL, spool_bytes_max=1 << 20, sync=True, disk=process).append([b"{}", b"{}"])


def append_after_a_death(disk: SimulatedDisk, process: Process) -> None:
    """Die with the folder made and not yet durable; whoever comes next finds it there."""
    disk.process().make_folder(SPOOL.parent, 0o700)
    sync_folder(FOLDER, process)
    process.arm((Strike("sync", 0, "kill"),))
    with pytest.raises(Killed):
        prepare_folder(SPOOL, process)
    append(disk, disk.process())


def records(process: Process) -> int:
    return sum(len(block.documents) for block in SpoolReader(SPOOL, disk=process).read(1 << 20))


def put_data_key(disk: SimulatedDisk, process: Process) -> None:
    # The first to need the folder, and its file may be lost.
    LeaseFile(KEYRING, "reader", disk=process).renew("logs", 1)
    DataKeyFolder(KEYRING, disk=process).put(DATA_KEY)


def data_keys(process: Process) -> int:
    return len(list(DataKeyFolder(KEYRING, disk=process).all()))


def change_keyring(disk: SimulatedDisk, process: Process) -> None:
    LeaseFile(KEYRING, "reader", disk=process).renew("logs", 1)
    with KeyringFile(KEYRING, disk=process).changing() as change:
        change.keyring = change.keyring.with_key("logs", RingKey({1: Version(KeyState.ACTIVE, 1.0)}))


def change_keyring_after_an_error(disk: SimulatedDisk, process: Process) -> None:
    """Meet an error with the folder made and not yet durable; the next try finds it there."""
    prepare_folder(SPOOL, process)
    process.arm((Strike("sync", 0, "error", 5),))
    with pytest.raises(OSError, match="Input/output"):
        make_folder(KEYRING, process)
    with KeyringFile(KEYRING, disk=process).changing() as change:
        change.keyring = change.keyring.with_key("logs", RingKey({1: Version(KeyState.ACTIVE, 1.0)}))


def keys(process: Process) -> int:
    return len(KeyringFile(KEYRING, disk=process).read().keys)


def create_key(disk: SimulatedDisk, process: Process) -> None:
    FileProvider(KEY_FILE, disk=process).create("logs")


def key_files(process: Process) -> int:
    return int(process.path_status(KEY_FILE) is not None)


MAKES = [
    (append, records, 2),
    (append_after_a_death, records, 2),
    (put_data_key, data_keys, 1),
    (change_keyring, keys, 1),
    (change_keyring_after_an_error, keys, 1),
    (create_key, key_files, 1),
]


def found_after_a_power_cut(
    seed: int,
    make: Callable[[SimulatedDisk, Process], None],
    count: Callable[[Process], int],
    kind: type[Process] = Process,
) -> int:
    disk = SimulatedDisk(random.Random(seed))
    make(disk, disk.process() if kind is Process else kind(disk))
    disk.power_cut()
    return count(disk.process())


@pytest.mark.parametrize(("make", "count", "expected"), MAKES)
def test_what_was_made_durable_in_a_new_folder_is_there_after_a_power_cut(
    make: Callable[[SimulatedDisk, Process], None], count: Callable[[Process], int], expected: int
) -> None:
    assert {found_after_a_power_cut(seed, make, count) for seed in range(SEEDS)} == {expected}


@pytest.mark.parametrize(
    ("make", "count", "expected"),
    [each for each in MAKES if each[0] not in {append_after_a_death, change_keyring_after_an_error}],
)
def test_the_simulation_finds_a_folder_whose_name_was_not_synced(
    make: Callable[[SimulatedDisk, Process], None], count: Callable[[Process], int], expected: int
) -> None:
    found = {found_after_a_power_cut(seed, make, count, SyncsNoNewFolder) for seed in range(SEEDS)}

    assert found == {0, expected}


def test_a_data_key_is_found_where_it_was_put() -> None:
    """On the disk that it is given: a writer would put it again, as it was wrapped once."""
    process = SimulatedDisk(random.Random(1)).process()
    folder = DataKeyFolder(KEYRING, disk=process)
    folder.put(DATA_KEY)

    assert folder.has(DATA_KEY.id)
    process.arm((Strike("path_status", 0, "error", 5),))
    assert folder.has(DATA_KEY.id)  # it cannot be told, so it is left as it is
    folder.remove(DATA_KEY.id)
    assert not folder.has(DATA_KEY.id)
