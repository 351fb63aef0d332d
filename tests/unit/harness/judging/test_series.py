from harness.judging.series import bands, series
from harness.judging.timeline import timeline
from harness.model.declarations import Step
from harness.model.facts import MEMORY_MIB, STORED, Answered, ControlCall, FaultSeen, Sample
from tests.unit.harness.literal_history import MS, STEP, at, fault, good_run, life, phases, scenario, without


def test_each_second_holds_its_own_records():
    rows = series(timeline([*phases(), *life(0, 0.5, 2), *life(1, 0.6, 4), *life(2, 2.5, 6)]))

    assert [row.due for row in rows[:4]] == [2, 0, 1, 0]
    assert (rows[0].response_p50_ms, rows[0].response_p99_ms) == (2, 4)
    assert rows[1].response_p99_ms is None


def test_backlog_is_what_was_acknowledged_and_is_not_stored_yet():
    rows = series(
        timeline(
            [*phases(), *life(0, 0.1), *life(1, 0.2), Sample(at(0.9), STORED, 1), Sample(at(1.5), STORED, 2)]
        )
    )

    assert [row.backlog for row in rows[:2]] == [1, 0]


def test_a_store_nobody_could_ask_leaves_a_gap():
    rows = series(timeline([*phases(), *life(0, 0.1), Sample(at(0.9), STORED, 1)]))

    assert rows[0].stored == 1
    assert rows[4].stored is None
    assert rows[4].backlog is None


def test_a_call_that_never_returned_counts_with_the_time_it_was_seen_to_take():
    events = without([*phases(), *life(0, 0.5, 2), *life(1, 0.6, 4)], Answered, 1)

    assert series(timeline(events))[0].response_p99_ms == 13_400


def test_memory_is_summed_over_the_processes_but_for_the_control():
    samples = [
        Sample(at(0.5), f"{MEMORY_MIB}.{name}", value)
        for name, value in (("application", 20.0), ("shipper", 30.0), ("control", 19.0))
    ]

    rows = series(timeline([*phases(), *life(0, 0.1), *samples]))

    assert [row.memory_mib for row in rows[:2]] == [50, None]


def test_the_control_has_its_own_column():
    rows = series(timeline([*phases(), *life(0, 0.1), ControlCall(at(0.5), at(0.5), at(0.5) + 3 * MS)]))

    assert rows[0].control_p99_ms == 3


def test_a_run_that_never_sent_has_no_series():
    assert series(timeline([])) == ()


def test_bands_carry_the_proof():
    (band,) = bands(timeline(good_run()), scenario(STEP))

    assert (band.from_seconds, band.to_seconds, band.fault, band.target) == (4, 6, "killed", "elasticsearch")
    assert band.landed
    assert band.proof == "pid 7 is gone"


def test_a_band_quotes_the_last_look_that_proved_its_fault():
    looks = [FaultSeen(at(4.1), 0, True, "1 of 1"), FaultSeen(at(5.9), 0, True, "52 of 52")]
    unproved = FaultSeen(at(5.95), 0, False, "no route")

    (whole,) = bands(timeline([*phases(), *fault(landed=False), *looks]), scenario(STEP))
    (hidden,) = bands(timeline([*phases(), *fault(landed=False), *looks, unproved]), scenario(STEP))

    assert (whole.landed, whole.proof) == (True, "52 of 52")
    assert (hidden.landed, hidden.proof) == (True, "52 of 52")


def test_a_fault_that_never_landed_says_what_was_seen():
    (band,) = bands(timeline([*phases(), *fault(landed=False)]), scenario(STEP))

    assert not band.landed
    assert band.proof == "pid 7 runs"


def test_a_fault_that_was_not_healed_lasts_to_the_end():
    events = [*phases(), *[e for e in fault() if getattr(e, "state", "") != "healed"]]
    (band,) = bands(timeline(events), scenario(Step("killed", "elasticsearch", 4, 2)))

    assert band.to_seconds >= 14
