from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.console import pipeline
from logging_system.console.board import PanelError
from logging_system.console.pipeline import FINE_POINTS, FINE_SECONDS, Pipeline
from logging_system.monitoring.delays import BOUNDS_SECONDS, Delays
from logging_system.spool.writer import SpoolWriter

START = 1_800_000_000.0


class Spool:
    """A spool folder whose shipper's file the test writes, and a clock that only the test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_seconds = START
        self.pipeline = Pipeline(folder, folder / "status-shipper.json", lambda: self.now_seconds)

    def state(self, delivered: int, *, seconds: float = 1.0, spooled: int = 0, closed: bool = False) -> None:
        delays = Delays.of_each([seconds] * delivered) if delivered else Delays()
        told: dict[str, Any] = {"counts": delays.counts, "sum_seconds": delays.sum_seconds, "exemplars": []}
        content = {
            "delivered": delivered,
            "spooled": spooled,
            "closed": closed,
            "logged_to_searchable_seconds": told,
        }
        status = self.folder / "status-shipper.json"
        status.write_bytes(orjson.dumps(content))
        os.utime(status, (self.now_seconds, self.now_seconds))

    def read(self, after_seconds: float = FINE_SECONDS) -> dict[str, Any]:
        self.now_seconds += after_seconds
        return self.pipeline.read()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def test_a_folder_without_anything_is_told_as_not_known(spool: Spool) -> None:
    found = spool.read()

    assert (found["has_shipper"], found["delivered"], found["delivered_per_second"]) == (False, None, None)
    assert found["latencies_seconds"] is None
    assert spool.pipeline.series(3_600)["latencies_seconds"] == [None]


def test_rates_and_latencies_are_those_between_two_readings(spool: Spool) -> None:
    spool.state(100, seconds=0.3)
    spool.read()
    spool.state(150, seconds=0.3, spooled=7)
    found = spool.read()

    assert found["delivered_per_second"] == 10.0
    assert found["backlog"] == 7.0
    assert found["latencies_seconds"] == [0.5, 0.5, 0.5]
    assert spool.pipeline.series(3_600)["delivered"] == [None, 10.0]


def test_a_delay_beyond_the_last_bound_is_no_number(spool: Spool) -> None:
    spool.state(0)
    spool.read()
    spool.state(10, seconds=2 * BOUNDS_SECONDS[-1])

    assert spool.read()["latencies_seconds"] == [None, None, None]


def test_records_are_held_up_once_the_oldest_waits_for_longer_than_the_objective(spool: Spool) -> None:
    spool.state(100)
    spool.read()
    assert spool.pipeline.held_up_since() is None
    content = orjson.loads((spool.folder / "status-shipper.json").read_bytes())
    content["oldest_undelivered_timestamp_seconds"] = START - 40
    (spool.folder / "status-shipper.json").write_bytes(orjson.dumps(content))
    spool.read()

    assert spool.pipeline.held_up_since() == START - 40


def test_a_counter_that_begins_anew_is_no_negative_rate(spool: Spool) -> None:
    spool.state(100)
    spool.read()
    spool.state(3)
    found = spool.read()

    assert found["delivered_per_second"] is None
    assert found["latencies_seconds"] is None


def test_points_are_taken_at_their_pace_however_often_it_is_read_and_are_bounded(spool: Spool) -> None:
    for _ in range(10):
        spool.read(FINE_SECONDS / 5)
    assert len(spool.pipeline.series(3_600)["at_ms"]) == 2
    for _ in range(FINE_POINTS + 20):
        spool.read()
    series = spool.pipeline.series(3_600)

    assert len(series["at_ms"]) <= 181
    assert series["at_ms"][-1] == round(spool.now_seconds * 1000)
    assert series["every_seconds"] == 4 * FINE_SECONDS


def test_a_long_stretch_is_of_points_further_apart(spool: Spool) -> None:
    for _ in range(100):
        spool.read()
    series = spool.pipeline.series(86_400)

    assert series["every_seconds"] == pipeline.COARSE_SECONDS
    assert len(series["at_ms"]) == 5
    assert series["until_ms"] - series["since_ms"] == 86_400_000


def _spooled(folder: Path, records: int) -> None:
    writer = SpoolWriter(folder, spool_bytes_max=10**7, sync=False)
    writer.append([b"{}"] * records)
    writer.seal()


def test_a_shipper_that_ended_counts_nothing_any_more_so_the_folder_itself_is_asked(spool: Spool) -> None:
    spool.state(100, closed=True)
    ended = spool.read()
    _spooled(spool.folder, 7)
    later = spool.read()

    assert (ended["is_shipper_closed"], ended["is_counted_from_spool"], ended["backlog"]) == (True, True, 0.0)
    assert (later["backlog"], later["is_backlog_exact"]) == (7.0, True)


def test_a_shipper_that_is_silent_or_was_never_there_leaves_the_count_to_the_folder(spool: Spool) -> None:
    _spooled(spool.folder, 3)
    never = spool.read()
    spool.state(100, spooled=1)
    alive = spool.read()
    silent = spool.read(100.0)

    assert (never["has_shipper"], never["backlog"]) == (False, 3.0)
    assert (alive["is_counted_from_spool"], alive["backlog"]) == (False, 1.0)
    assert (silent["is_shipper_closed"], silent["is_counted_from_spool"], silent["backlog"]) == (
        False,
        True,
        3.0,
    )


def test_a_spool_folder_that_vanishes_is_told_and_is_read_again_when_it_is_back(spool: Spool) -> None:
    spool.state(100)
    spool.read()
    away = spool.folder.with_name("away")
    spool.folder.rename(away)
    with pytest.raises(PanelError, match="There is no spool folder"):
        spool.read()
    away.rename(spool.folder)

    assert spool.read()["delivered"] == 100


def test_a_clock_that_is_set_back_stops_no_chart_and_leaves_no_point_in_the_future(spool: Spool) -> None:
    spool.state(100)
    for _ in range(50):
        spool.read()
    for after_seconds in (-3_600.0, FINE_SECONDS, FINE_SECONDS):
        spool.read(after_seconds)
    series = spool.pipeline.series(86_400)
    fine = spool.pipeline.series(3_600)

    assert len(fine["at_ms"]) == 3
    assert max(fine["at_ms"] + series["at_ms"]) <= fine["until_ms"] == round(spool.now_seconds * 1000)
