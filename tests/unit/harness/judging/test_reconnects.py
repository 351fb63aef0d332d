"""What a counterexample of a duplicate says of connections that the stack opened meanwhile."""

import pytest

from harness.judging.reconnects import reconnect_lines
from harness.judging.timeline import timeline
from harness.model.facts import CONNECTIONS, Sample
from tests.unit.harness.literal_history import at, good_run

# Sent every 10 ms, so record 150 at 1.5 s; the fault is on from 4 s to 6 s.


def lines(opened, sequence=150):
    """Return what is said where connections were opened at these times: so many by then."""
    samples = [Sample(at(seconds), f"{CONNECTIONS}.to_store", value) for seconds, value in opened.items()]
    made = timeline([*good_run(), *samples])
    return reconnect_lines(made, made.entries[sequence], 1.0)


def test_a_new_connection_is_told_with_how_soon_after_the_log_call_it_came():
    assert lines({0.1: 1, 1.8: 2}) == (
        "A new connection over to_store was opened 0.3 s after its log call, at 1.800 s, while no fault "
        "was on.",
    )


@pytest.mark.parametrize(
    ("opened", "sequence"),
    [
        ({0.1: 1}, 150),
        ({0.1: 1, 5.0: 2}, 150),
        ({0.1: 1, 6.5: 2}, 150),
        ({0.1: 1, 1.4: 2}, 150),
        ({0.1: 1, 13.0: 2}, 150),
        ({0.1: 1, 1.8: 5}, 150),
        ({}, 150),
    ],
    ids=[
        "one for all",
        "while a fault was on",
        "just after it was healed",
        "before the record was sent",
        "too long after it",
        "one of many",
        "nothing is known of the link",
    ],
)
def test_nothing_is_said_of_a_connection_that_tells_nothing(opened, sequence):
    assert lines(opened, sequence) == ()
