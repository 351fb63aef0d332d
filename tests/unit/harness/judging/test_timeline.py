import pytest

from harness.judging.timeline import sequences_text, timeline
from harness.model.facts import FaultChanged
from tests.unit.harness.literal_history import at, fault, phases


def test_what_was_on_names_the_innermost_fault_and_then_the_last_one_healed():
    run = timeline([*phases(), *fault(0, 4.0, 8.0), *fault(1, 5.0, 6.0)])
    outer, inner = (window for _, window in run.fault_windows)
    told = {seconds: run.what_was_on(at(seconds)) for seconds in (3, 4.5, 5.5, 7, 9)}

    assert (outer.to_ns, inner.to_ns) == (at(8), at(6))
    assert told == {
        3: "1.0 s before killed on elasticsearch began",
        4.5: "while killed on elasticsearch was on, 0.5 s after it began",
        5.5: "while killed on elasticsearch was on, 0.5 s after it began",
        7: "while killed on elasticsearch was on, 3.0 s after it began",
        9: "1.0 s after killed on elasticsearch was healed",
    }


def test_between_two_faults_a_moment_is_told_from_both():
    run = timeline([*phases(), *fault(0, 3.0, 4.0), *fault(1, 6.0, 7.0)])

    assert run.what_was_on(at(4.4)) == (
        "0.4 s after killed on elasticsearch was healed, 1.6 s before killed on elasticsearch began"
    )


def test_a_moment_before_a_kill_is_told_as_such():
    kill = [
        FaultChanged(at(5), 0, "killed", "application", state, "Killable")
        for state in ("injecting", "injected")
    ]

    assert timeline([*phases(), *kill]).what_was_on(at(4.5)) == "0.5 s before the application was killed"


def test_a_run_without_faults_has_no_moment_before_or_after_one():
    assert timeline(phases()).what_was_on(at(3)) == "no fault was on"


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ([7], "7"),
        ([8, 7], "7, 8"),
        ([7, 9, 8], "7 to 9"),
        ([1, *range(5, 2000), 3000], "1, 5 to 1999, 3000"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and 10 more"),
    ],
)
def test_sequences_that_follow_each_other_are_a_range(sequences, said):
    assert sequences_text(sequences) == said
