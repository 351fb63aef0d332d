"""What the spool does about forks, started programs and writers that died."""

from __future__ import annotations

import fcntl
import os
import signal
from functools import partial
from pathlib import Path

from logging_system.spool.checkpoint import (
    read_checkpoint,
)
from logging_system.spool.forks import forget_all
from logging_system.spool.reader import UNCLOSED_EPOCHS_MAX, SpoolBusyError, SpoolReader
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.forking import fork_by_python, in_a_child
from tests.unit.logging_system.spooling import append, die, numbered, read_all, reading, writer


def test_a_forked_child_appends_as_a_writer_of_its_own(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    mine = spool_writer.epoch

    def child() -> int:
        append(spool_writer, 1, 3)
        spool_writer.seal()
        return 0 if spool_writer.epoch != mine else 2

    assert in_a_child(fork_by_python, child) == 0
    append(spool_writer, 3, 4)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert sorted(read_all(reader)) == sorted(numbered(1, 4) + numbered(1, 3))


def test_a_parent_that_died_is_known_to_be_gone_although_its_child_lives(tmp_path: Path) -> None:
    ready, go = os.pipe()
    parent = os.fork()
    if parent == 0:
        spool_writer = writer(tmp_path)
        append(spool_writer, 1, 2)
        if os.fork() == 0:
            os.write(go, b"%d\n" % os.getpid())
            signal.pause()
        os._exit(0)
    os.waitpid(parent, 0)
    child = int(os.read(ready, 20))
    try:
        with reading(tmp_path) as reader:
            assert read_all(reader) == numbered(1, 2)
            assert reader.damage.unclean_exits == 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(ready)
        os.close(go)


def test_a_fork_of_a_reader_neither_reads_nor_holds_the_folder(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)

    def child() -> int:
        try:
            reader.read(1)
        except SpoolBusyError:
            return 0
        return 2

    assert in_a_child(fork_by_python, child) == 0
    reader.read(1)
    reader.close()


def test_a_started_program_inherits_no_descriptor(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with reading(tmp_path):
        open_files = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
        ours = [
            number
            for number in open_files
            if Path(f"/proc/self/fd/{number}").exists()
            and str(tmp_path) in os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        ]

        assert len(ours) == 3
        assert all(fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for number in ours)
    spool_writer.seal()


def test_an_unfinished_segment_with_a_writer_at_it_is_not_removed(tmp_path: Path) -> None:
    creating = segment_path(tmp_path, b"0" * 16, 0, "new")
    with creating.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with reading(tmp_path):
            assert creating.exists()


def test_what_a_child_inherited_is_closed_before_anything_else_runs(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    forget_all()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.damage.unclean_exits == 1


def test_positions_of_writers_that_did_not_close_are_kept_for_the_youngest_only(tmp_path: Path) -> None:
    for number in range(UNCLOSED_EPOCHS_MAX + 3):
        spool_writer = SpoolWriter(
            tmp_path,
            spool_bytes_max=1 << 20,
            sync=False,
            name_epoch=partial(number.to_bytes, 16, "big"),
        )
        append(spool_writer, 1, 1)
        die(spool_writer)
    with reading(tmp_path) as reader:
        read_all(reader)
        for number in range(UNCLOSED_EPOCHS_MAX + 3):
            reader.acknowledge(number.to_bytes(16, "big"), 2)
        reader.save({})
        reader.save({"delivered": UNCLOSED_EPOCHS_MAX + 3})

    kept, _ = read_checkpoint(tmp_path)
    assert sorted(kept.positions)[0] == (3).to_bytes(16, "big")
    assert len(kept.positions) == UNCLOSED_EPOCHS_MAX
