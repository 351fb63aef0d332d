"""What a stack calls delivered while the store answers nothing was sent before the last answer."""

from __future__ import annotations

import pytest

from harness.judging.delivered_unanswered import delivered_unanswered
from harness.judging.timeline import timeline
from harness.model.facts import ANSWERS, CounterRead, Event, Found, Sample
from tests.unit.harness.literal_history import at, good_run, without

# Sent every 10 ms from 0 s on; the store answers once a second, and nothing from 4.02 s to 6.02 s.
ANSWERED = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 4, 7: 5, 8: 6}
TRUE = {0: 0, 1: 80, 2: 180, 3: 280, 4: 380, 5: 400, 6: 400, 7: 680, 8: 780}
SENT_BY_THEN = 403


def beyond(told=TRUE, answered=ANSWERED, links=("to_store",), run=None):
    """Return what is found; a round reads the counter on the second, and the links 20 ms later."""
    rounds: list[Event] = [
        *(CounterRead(at(second), "delivered", value) for second, value in told.items()),
        *(
            Sample(at(second + 0.02), f"{ANSWERS}.{link}", value)
            for link in links
            for second, value in answered.items()
        ),
    ]
    return delivered_unanswered(timeline([*(good_run() if run is None else run), *rounds]), "delivered")


def test_a_true_count_is_not_beyond_what_the_store_answered():
    assert beyond() is None


@pytest.mark.parametrize("second", [5, 6])
def test_a_single_reading_beyond_what_was_sent_before_the_last_answer_is_found(second):
    found = beyond({**TRUE, second: 450})

    assert found is not None
    assert (found.reading.at_ns, found.records) == (at(second), 450 - SENT_BY_THEN)
    assert f"{SENT_BY_THEN:,} records were sent before 4.020 s" in found.sentence(timeline(good_run()))


def test_what_was_sent_before_the_last_answer_may_be_counted_late():
    assert beyond({**TRUE, 5: SENT_BY_THEN, 6: SENT_BY_THEN}) is None


@pytest.mark.parametrize("second", [4, 7])
def test_a_reading_beside_which_an_answer_came_says_nothing(second):
    """The answer may have come just before the counter was read."""
    assert beyond({**TRUE, second: 5_000}) is None


def test_a_copy_of_a_record_counts_as_often_as_it_is_stored():
    copies = [Found(number, "d", f"again/{number}") for number in range(50)]

    assert beyond({**TRUE, 5: SENT_BY_THEN + 50}, run=[*good_run(), *copies]) is None


def test_an_answer_over_another_link_may_have_told_of_it():
    other = [Sample(at(second + 0.02), f"{ANSWERS}.other", second) for second in ANSWERED]

    assert beyond({**TRUE, 5: 450}, run=[*good_run(), *other]) is None


def test_a_stack_that_delivers_without_any_answer_is_not_judged_by_them():
    """Its archive is filled another way, and in the steady state already."""
    assert beyond({**TRUE, 6: 450}, answered=dict.fromkeys(ANSWERED, 0)) is None


def test_without_a_link_that_can_be_looked_into_nothing_is_judged():
    assert beyond({**TRUE, 5: 450}, links=()) is None


def test_records_that_were_lost_may_have_been_delivered():
    assert beyond({**TRUE, 5: SENT_BY_THEN}, run=without(good_run(), Found, 100, 200)) is None
