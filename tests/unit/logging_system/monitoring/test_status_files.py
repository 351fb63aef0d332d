from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.monitoring.counters import HandlerCounters
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.status_files import (
    ENDED_AGE_SECONDS,
    ENDED_NAME,
    FILES_KEPT_MAX,
    HandlerStatusFile,
    add_ended,
    status_files,
)
from tests.unit.logging_system.spooling import append, writer

NOW = 2_000_000_000.0


def counters(admitted: int, queued: int = 0, **dropped: int) -> HandlerCounters:
    offered = admitted + queued + sum(dropped.values())
    return HandlerCounters(offered, queued, dropped, admitted, 0, 0, {})


def flow(counted: HandlerCounters) -> HandlerFlow:
    return HandlerFlow(counted.offered, counted.queued, counted.dropped, counted.admitted)


def epoch(number: int) -> str:
    return f"{number:032x}"


def write(
    folder: Path,
    number: int,
    what: HandlerCounters,
    *,
    closed: bool = True,
    age_seconds: float = ENDED_AGE_SECONDS,
) -> Path:
    HandlerStatusFile(folder, epoch(number), "shop", lambda: 0.0).write(what, flow(what), closing=closed)
    path = folder / f"status-handler-{epoch(number)}.json"
    os.utime(path, (NOW - age_seconds, NOW - age_seconds))
    return path


def total(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((folder / ENDED_NAME).read_bytes())
    return content


def test_files_of_ended_handlers_are_added_to_one_and_removed(tmp_path: Path) -> None:
    write(tmp_path, 1, counters(5, queue_full=2))
    write(tmp_path, 2, counters(7, queue_full=1, closed=3))

    assert add_ended(tmp_path, NOW) == 2
    assert list(tmp_path.glob("status-handler-*")) == []
    assert total(tmp_path)["dropped"] == {"queue_full": 3, "closed": 3}
    assert (total(tmp_path)["admitted"], total(tmp_path)["offered"]) == (12, 18)
    assert (total(tmp_path)["handlers"], total(tmp_path)["unclean_exits"]) == (2, 0)


def test_totals_grow_from_step_to_step(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, number, counters(2))
        add_ended(tmp_path, NOW)

    assert (total(tmp_path)["admitted"], total(tmp_path)["handlers"]) == (6, 3)


def test_an_unclean_exit_is_said_and_what_its_queue_held_is_not_invented(tmp_path: Path) -> None:
    write(tmp_path, 1, counters(5, queued=4), closed=False)
    add_ended(tmp_path, NOW)

    assert total(tmp_path)["unclean_exits"] == 1
    # It was offered, which was told and is not taken back; what became of it nobody knows.
    assert (total(tmp_path)["offered"], total(tmp_path)["queued"], total(tmp_path)["unsettled"]) == (9, 0, 4)
    assert (total(tmp_path)["admitted"], total(tmp_path)["balanced"]) == (5, True)


@pytest.mark.parametrize("age_seconds", [0.0, ENDED_AGE_SECONDS - 1])
def test_a_file_touched_lately_stays(tmp_path: Path, age_seconds: float) -> None:
    path = write(tmp_path, 1, counters(5), age_seconds=age_seconds)

    assert add_ended(tmp_path, NOW) == 0
    assert path.exists()


def test_a_file_whose_epoch_has_records_in_the_spool_stays(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 3)
    spool_writer.seal()
    path = write(tmp_path, int.from_bytes(spool_writer.epoch), counters(3))

    assert add_ended(tmp_path, NOW) == 0
    assert path.exists()


def test_however_many_processes_close_few_files_stay(tmp_path: Path) -> None:
    for number in range(FILES_KEPT_MAX + 5):
        write(tmp_path, number, counters(1), age_seconds=1.0)

    assert add_ended(tmp_path, NOW) == 5
    assert len(list(tmp_path.glob("status-handler-*.json"))) == FILES_KEPT_MAX


def test_a_crash_between_adding_and_removing_counts_nothing_twice(tmp_path: Path) -> None:
    path = write(tmp_path, 1, counters(5))
    data = path.read_bytes()
    add_ended(tmp_path, NOW)
    path.with_suffix(".ending").write_bytes(data)

    assert add_ended(tmp_path, NOW) == 0
    assert total(tmp_path)["admitted"] == 5
    assert list(tmp_path.glob("status-handler-*")) == []


def test_a_crash_between_renaming_and_adding_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, 1, counters(5))
    path.rename(path.with_suffix(".ending"))
    add_ended(tmp_path, NOW)

    assert total(tmp_path)["admitted"] == 5


def test_a_handler_taken_for_ended_states_afterwards_only_what_came_later(tmp_path: Path) -> None:
    file = HandlerStatusFile(tmp_path, epoch(1), "shop", lambda: 0.0)
    path = tmp_path / f"status-handler-{epoch(1)}.json"
    file.write(counters(5, queued=2, queue_full=1), flow(counters(5, queued=2, queue_full=1)), closing=False)
    os.utime(path, (NOW - ENDED_AGE_SECONDS, NOW - ENDED_AGE_SECONDS))
    add_ended(tmp_path, NOW)
    file.write(counters(9, queued=1, queue_full=3), flow(counters(9, queued=1, queue_full=3)), closing=True)
    later = orjson.loads(path.read_bytes())

    assert (later["admitted"], later["queued"], later["dropped"]) == (4, 1, {"queue_full": 2})
    assert later["balanced"]
    assert later["offered"] + total(tmp_path)["offered"] == 13


def test_a_removed_folder_does_not_make_a_handler_forget(tmp_path: Path) -> None:
    file = HandlerStatusFile(tmp_path, epoch(1), "shop", lambda: 0.0)
    file.write(counters(5), flow(counters(5)), closing=False)
    path = tmp_path / f"status-handler-{epoch(1)}.json"
    path.unlink()
    file.write(counters(6), flow(counters(6)), closing=False)

    assert orjson.loads(path.read_bytes())["admitted"] == 6


def test_an_idle_handler_touches_its_file_now_and_then(tmp_path: Path) -> None:
    now_seconds = 0.0
    file = HandlerStatusFile(tmp_path, epoch(1), "shop", lambda: now_seconds)
    path = tmp_path / f"status-handler-{epoch(1)}.json"
    file.write(counters(1), flow(counters(1)), closing=False)
    os.utime(path, (0, 0))
    file.write(counters(1), flow(counters(1)), closing=False)
    untouched = path.stat().st_mtime
    now_seconds = 31.0
    file.write(counters(1), flow(counters(1)), closing=False)

    assert untouched == 0
    assert path.stat().st_mtime > 0


@pytest.mark.parametrize("data", [b"", b"[]", b'{"dropped": 3}', b"\xff"])
def test_a_file_that_is_no_status_is_counted_as_unreadable(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path, 1, counters(5))
    path.write_bytes(data)
    os.utime(path, (0, 0))
    add_ended(tmp_path, NOW)

    assert total(tmp_path)["unreadable"] == 1
    assert total(tmp_path)["handlers"] == 0


def test_gateways_are_summed_up_and_bounded_like_handlers(tmp_path: Path) -> None:
    write(tmp_path, 1, counters(5))
    gateway = HandlerStatusFile(tmp_path, epoch(2), None, lambda: 0.0, kind="gateway")
    gateway.write(counters(7, spool_refused=1), flow(counters(7, spool_refused=1)), closing=True)
    (path,) = tmp_path.glob("status-gateway-*.json")
    os.utime(path, (NOW - ENDED_AGE_SECONDS, NOW - ENDED_AGE_SECONDS))
    listed = len(status_files(tmp_path))
    added = add_ended(tmp_path, NOW)

    assert (listed, added) == (2, 2)
    assert (total(tmp_path)["admitted"], total(tmp_path)["dropped"]) == (12, {"spool_refused": 1})
    assert status_files(tmp_path) == []
    assert not path.exists()
