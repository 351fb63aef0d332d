"""What the runner asks of every kind of load, and of the fake that its own tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.load.hosted import HostedLoad
from harness.load.locust.load import LocustLoad
from harness.model.declarations import APPLICATION, Part
from harness.model.protocols import Clock, Load, LoadKind, LoadSpec, PausableLoad, Tally
from harness.processes.clock import SystemClock
from harness.testing import FakeClock
from tests.unit.harness.runs.stage import FakeLoad

RECORDS, PROBES = 10, 2
LEAD_NS = 300_000_000
WAIT_SECONDS, POLL_SECONDS = 20.0, 0.02
EXIT_SECONDS_MAX = 14.0
"""Below the 15 s after which a process that does not end is made to."""

KINDS: list[LoadKind] = [HostedLoad, LocustLoad]
"""A new kind of load is one more line here."""


@dataclass
class Bench:
    """A load that was started and is ready, and the clock it goes by."""

    load: Load
    clock: Clock

    def begin(self) -> None:
        self.load.begin(self.clock.now_ns() + LEAD_NS)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until_ns = self.clock.now_ns() + int(WAIT_SECONDS * 1e9)
        while not condition():
            assert self.clock.now_ns() < until_ns, "it did not happen in time"
            self.clock.sleep(POLL_SECONDS)


def _real(kind: LoadKind, tmp_path: Path) -> tuple[Load, Clock]:
    folder, history = tmp_path / "load", tmp_path / "history"
    folder.mkdir()
    history.mkdir()
    spec = LoadSpec(
        run_id="load-contract-01",
        seed=3,
        offsets_ns=[n * 1_000_000 for n in range(RECORDS)],
        producers=2,
        input_path="",
        acknowledged_by="return",
        intake=Part("python_logging", {"handler": "logging:NullHandler"}),
        history_bytes_max=1 << 20,
        probes=PROBES,
        waves=2,
    )
    clock = SystemClock()
    return kind(spec, folder, history, clock), clock


def _fake() -> tuple[Load, Clock]:
    clock = FakeClock()
    return FakeLoad([], clock), clock


@pytest.fixture(params=[*KINDS, None], ids=lambda kind: "fake" if kind is None else kind.__name__)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    load, clock = _fake() if request.param is None else _real(request.param, tmp_path)
    try:
        load.start()
        load.wait_ready(30.0)
        yield Bench(load, clock)
    finally:
        load.stop()


def test_nothing_is_sent_before_sending_begins(bench: Bench) -> None:
    before = bench.load.tally(), bench.load.owed()
    bench.begin()

    assert before == (Tally(), frozenset())
    assert bench.load.owed() == frozenset()


def test_every_record_due_is_sent_and_owed_once_acknowledged(bench: Bench) -> None:
    bench.begin()
    bench.wait_for(lambda: bench.load.tally().acknowledged == RECORDS)

    assert bench.load.tally() == Tally(RECORDS, RECORDS, RECORDS, 0, RECORDS)
    assert bench.load.owed() == frozenset(range(RECORDS))


def test_waves_of_probes_are_numbered_after_the_scheduled_and_wait_until_they_are_asked_for(
    bench: Bench,
) -> None:
    bench.begin()
    bench.wait_for(lambda: len(bench.load.owed()) >= RECORDS)
    owed = [bench.load.owed()]
    waves = []
    for _ in range(2):
        waves.append(bench.load.probe(bench.clock.now_ns()))
        bench.wait_for(lambda: set(waves[-1]) <= bench.load.owed())
        owed.append(bench.load.owed())

    assert waves == [range(RECORDS, RECORDS + PROBES), range(RECORDS + PROBES, RECORDS + 2 * PROBES)]
    assert [len(each) for each in owed] == [RECORDS, RECORDS + PROBES, RECORDS + 2 * PROBES]


def test_what_falls_due_in_a_pause_is_never_sent_and_fresh_records_are(bench: Bench) -> None:
    if not isinstance(bench.load, PausableLoad):
        pytest.skip("the fake cannot be paused")
    began_ns = bench.clock.now_ns() + LEAD_NS
    bench.load.pause(began_ns + 4_500_000)
    bench.load.begin(began_ns)
    bench.clock.sleep(0.5)
    fresh = bench.load.probe(bench.clock.now_ns())
    bench.wait_for(lambda: bench.load.tally().acknowledged == 5 + PROBES)

    assert bench.load.owed() == frozenset([*range(5), *fresh])
    assert bench.load.tally().due == 5 + PROBES


def test_the_application_is_no_process_that_ended_by_itself_once_it_was_told_to_finish(bench: Bench) -> None:
    bench.begin()
    bench.wait_for(lambda: len(bench.load.owed()) == RECORDS)
    while_sending = bench.load.exited()
    told_ns = bench.clock.now_ns()
    seconds = bench.load.finish()
    in_all_seconds = (bench.clock.now_ns() - told_ns) / 1e9

    assert list(while_sending) == list(bench.load.exited()) == []
    assert in_all_seconds < EXIT_SECONDS_MAX
    # Locust's workers hold nothing of the stack, so how long they take to exit is not told.
    assert (
        seconds is None
        if isinstance(bench.load, LocustLoad)
        else seconds is not None and 0 <= seconds < WAIT_SECONDS
    )


def test_the_application_is_a_target(bench: Bench) -> None:
    assert APPLICATION in bench.load.targets()


def test_it_is_stopped_twice_in_any_state(bench: Bench) -> None:
    bench.begin()
    bench.load.stop()

    bench.load.stop()
