from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.console import pipeline
from logging_system.console.pipeline import FINE_POINTS, FINE_SECONDS, Pipeline
from logging_system.monitoring.delays import BOUNDS_SECONDS, Delays

START = 1_800_000_000.0


class Spool:
    """A spool folder whose shipper's file the test writes, and a clock that only the test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_seconds = START
        self.pipeline = Pipeline(folder, folder / "status-shipper.json", lambda: self.now_seconds)

    def state(self, delivered: int, *, seconds: float = 1.0, spooled: int = 0) -> None:
        delays = Delays.of_each([seconds] * delivered) if delivered else Delays()
        told: dict[str, Any] = {"counts": delays.counts, "sum_seconds": delays.sum_seconds, "exemplars": []}
        content = {"delivered": delivered, "spooled": spooled, "logged_to_searchable_seconds": told}
        (self.folder / "status-shipper.json").write_bytes(orjson.dumps(content))

    def read(self, after_seconds: float = FINE_SECONDS) -> dict[str, Any]:
        self.now_seconds += after_seconds
        return self.pipeline.read()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def test_a_folder_without_anything_is_told_as_not_known(spool: Spool) -> None:
    found = spool.read()

    assert (found["has_shipper"], found["backlog"], found["delivered_per_second"]) == (False, None, None)
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
