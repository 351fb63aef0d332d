from __future__ import annotations

import struct
from pathlib import Path

import orjson

from logging_system.coordination.detection.pipeline_reading import PipelineReader
from logging_system.coordination.detection.writer_processes import DIED_SECONDS, WriterProcesses
from logging_system.monitoring.status_files import SHIPPER_NAME

EPOCH = struct.pack(">II8s", 1, 77, b"a" * 8).hex()


def shows(proc: Path, state: str | None) -> None:
    folder = proc / "77"
    folder.mkdir(exist_ok=True)
    stat = folder / "stat"
    if state is None:
        stat.unlink()
    else:
        stat.write_text(f"77 (a name) {state}) {state} 1 77 77")


def looked(processes: WriterProcesses, open_epochs: list[str], now_seconds: float) -> int:
    gone = processes.gone()
    return processes.look(open_epochs, gone, now_seconds)


def test_a_process_that_lived_and_is_gone_died_and_is_told_for_a_while(tmp_path: Path) -> None:
    processes = WriterProcesses(tmp_path)
    shows(tmp_path, "S")
    assert looked(processes, [EPOCH], 100.0) == 0
    shows(tmp_path, None)

    assert looked(processes, [EPOCH], 101.0) == 1
    assert looked(processes, [EPOCH], 102.0) == 1
    assert looked(processes, [EPOCH], 102.0 + DIED_SECONDS) == 0


def test_a_process_that_ends_in_order_while_files_are_read_did_not_die(tmp_path: Path) -> None:
    """However long a look takes: it was not gone before its file was read."""
    processes = WriterProcesses(tmp_path)
    shows(tmp_path, "S")
    looked(processes, [EPOCH], 100.0)
    gone = processes.gone()
    shows(tmp_path, None)

    assert processes.look([EPOCH], gone, 101.0) == 0
    assert looked(processes, [], 105.0) == 0


def test_a_process_that_is_gone_while_its_file_says_that_it_ended_did_not_die(tmp_path: Path) -> None:
    processes = WriterProcesses(tmp_path)
    shows(tmp_path, "S")
    looked(processes, [EPOCH], 100.0)
    shows(tmp_path, None)

    assert looked(processes, [], 101.0) == 0


def test_a_process_that_nobody_waited_for_is_dead(tmp_path: Path) -> None:
    processes = WriterProcesses(tmp_path)
    shows(tmp_path, "R")
    looked(processes, [EPOCH], 100.0)
    shows(tmp_path, "Z")

    assert looked(processes, [EPOCH], 101.0) == 1


def test_a_process_of_another_machine_or_one_that_closed_did_not_die(tmp_path: Path) -> None:
    processes = WriterProcesses(tmp_path)
    assert looked(processes, [EPOCH], 100.0) == 0
    shows(tmp_path, "S")
    looked(processes, [EPOCH], 101.0)
    shows(tmp_path, None)

    assert looked(processes, [], 102.0) == 0


def test_a_folder_without_a_shipper_and_with_damaged_files_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / f"status-handler-{EPOCH}.json").write_text("{")
    reader = PipelineReader(tmp_path, steady=lambda: 0.0)
    assert reader.read(100.0).shipper is None

    (tmp_path / SHIPPER_NAME).write_text('{"pid": "none"}')
    assert reader.read(101.0).shipper is None


def test_writers_are_summed_up(tmp_path: Path) -> None:
    content = {"epoch": EPOCH, "closed": False, "queued": 5, "queue_records_max": 10, "spool_bytes_max": 1000}
    content |= {"events": {"disk_trouble": 2}, "offered": 9, "dropped": {}, "spool_errors": {"ENOSPC": 1}}
    (tmp_path / f"status-handler-{EPOCH}.json").write_bytes(orjson.dumps(content))
    now = (tmp_path / f"status-handler-{EPOCH}.json").stat().st_mtime
    moment = PipelineReader(tmp_path, steady=lambda: 0.0).read(now)

    assert moment.writers.open_writers == 1
    assert moment.writers.queue_fill == 0.5
    assert moment.events == {"disk_trouble": 2}
    assert moment.room.bytes_max == 1000
    assert moment.room.disk_bytes > moment.room.free_bytes > 0
