from harness.judging.timeline import timeline
from tests.unit.harness.literal_history import at, fault, phases


def test_what_was_on_names_the_innermost_fault_and_then_the_last_one_healed():
    run = timeline([*phases(), *fault(0, 4.0, 8.0), *fault(1, 5.0, 6.0)])
    outer, inner = (window for _, window in run.fault_windows)
    told = {seconds: run.what_was_on(at(seconds)) for seconds in (3, 4.5, 5.5, 7, 9)}

    assert (outer.to_ns, inner.to_ns) == (at(8), at(6))
    assert told == {
        3: "before any fault",
        4.5: "while killed on elasticsearch was on",
        5.5: "while killed on elasticsearch was on",
        7: "while killed on elasticsearch was on",
        9: "1.0 s after killed on elasticsearch was healed",
    }
