from __future__ import annotations

import os
from pathlib import Path

from tests.unit.logging_system.spooling import append, read_all, reading, writer


def nobody(_epoch: bytes) -> bool:
    return False


def test_what_was_read_does_not_count_however_old_its_file_is(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 3)
    (still_open,) = tmp_path.glob("*.open")
    os.utime(still_open, (1_000.0, 1_000.0))
    with reading(tmp_path) as reader:
        before = reader.oldest_unread_seconds(nobody)
        read_all(reader)

        assert before == 1_000.0
        assert reader.oldest_unread_seconds(nobody) is None
        append(spool_writer, 4, 5)
        os.utime(still_open, (2_000.0, 2_000.0))
        assert reader.oldest_unread_seconds(nobody) == 2_000.0


def test_the_oldest_of_all_writers_counts_but_for_those_passed_over(tmp_path: Path) -> None:
    epochs = []
    for seconds in (3_000.0, 1_000.0, 2_000.0):
        spool_writer = writer(tmp_path)
        append(spool_writer, 1, 2)
        spool_writer.seal()
        epochs.append(spool_writer.epoch)
        (segment,) = tmp_path.glob(f"{spool_writer.epoch.hex()}-*.segment")
        os.utime(segment, (seconds, seconds))
    with reading(tmp_path) as reader:
        assert reader.oldest_unread_seconds(nobody) == 1_000.0
        assert reader.oldest_unread_seconds(lambda epoch: epoch == epochs[1]) == 2_000.0


def test_a_later_segment_counts_when_an_earlier_one_is_read(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        read_all(reader)
        append(spool_writer, 3, 4)
        spool_writer.seal()
        for segment, seconds in zip(sorted(tmp_path.glob("*.segment")), (1_000.0, 2_000.0), strict=True):
            os.utime(segment, (seconds, seconds))

        assert reader.oldest_unread_seconds(nobody) == 2_000.0
        read_all(reader)
        assert reader.oldest_unread_seconds(nobody) is None
