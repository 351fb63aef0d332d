from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.spool.checkpoint import (
    SLOT_BYTES,
    Checkpoint,
    CheckpointError,
    CheckpointFile,
    Position,
    reserve_checkpoint,
)

EPOCH = b"0123456789abcdef"


def checkpoint(sequence: int) -> Checkpoint:
    return Checkpoint({EPOCH: Position(2, 44, sequence)}, {"delivered": sequence})


def load(folder: Path) -> tuple[Checkpoint, bool]:
    file = CheckpointFile(folder)
    try:
        return file.load()
    finally:
        file.close()


def save(folder: Path, *sequences: int) -> None:
    file = CheckpointFile(folder)
    file.load()
    for sequence in sequences:
        file.save(checkpoint(sequence))
    file.close()


def test_a_first_start_has_an_empty_checkpoint_and_has_lost_none(tmp_path: Path) -> None:
    assert load(tmp_path) == (Checkpoint(), False)


def test_the_last_save_is_loaded(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 3)
    save(tmp_path, 4)

    assert load(tmp_path) == (checkpoint(4), False)


@pytest.mark.parametrize("saves", [2, 3])
def test_a_torn_save_leaves_the_one_before(tmp_path: Path, saves: int) -> None:
    save(tmp_path, *range(1, saves + 1))
    with (tmp_path / "checkpoint").open("r+b") as file:
        file.seek((saves % 2) * SLOT_BYTES + 30)
        file.write(b"\0\0\0\0")

    assert load(tmp_path) == (checkpoint(saves - 1), False)


def test_saving_goes_on_after_a_torn_slot(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    with (tmp_path / "checkpoint").open("r+b") as file:
        file.write(b"\0" * 40)
    save(tmp_path, 7)

    assert load(tmp_path) == (checkpoint(7), False)


@pytest.mark.parametrize("content", [b"garbage", b"\0" * 64 + b"x"])
def test_a_checkpoint_beyond_repair_is_reported_as_lost(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint").write_bytes(content)

    assert load(tmp_path) == (Checkpoint(), True)


def test_more_writers_than_fit_are_refused_by_name(tmp_path: Path) -> None:
    positions = {index.to_bytes(16): Position(0, 0, 1) for index in range(30_000)}
    file = CheckpointFile(tmp_path)

    with pytest.raises(CheckpointError, match="30000 writers"):
        file.save(Checkpoint(positions, {}))

    file.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    save(tmp_path, 1)

    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o600


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_file_is_loaded_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    (folder / "checkpoint").write_bytes(content)

    assert load(folder) == (Checkpoint(), bool(content.strip(b"\0")))


def test_room_that_was_reserved_and_never_written_is_no_lost_checkpoint(tmp_path: Path) -> None:
    reserve_checkpoint(tmp_path)

    assert load(tmp_path) == (Checkpoint(), False)
    save(tmp_path, 1)
    reserve_checkpoint(tmp_path)
    assert load(tmp_path) == (checkpoint(1), False)
