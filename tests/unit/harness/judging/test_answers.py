"""Answers judged from literal facts: how many records one may tell, of now or of a moment before."""

from dataclasses import replace

import pytest

from harness.judging.checkers.answers_missing import AnswersMissing
from harness.judging.checkers.answers_wrong import AnswersWrong
from harness.judging.timeline import timeline
from harness.model.declarations import Answers
from harness.model.facts import (
    Answered,
    AnswerGiven,
    AnswersRead,
    Due,
    FaultChanged,
    FirstSeen,
    PhaseChanged,
    Sent,
)
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status
from tests.unit.harness.literal_history import BEGAN, at, charge

ANSWERS = Answers("", own_namespace="mine", visible_seconds=1.0, every_seconds=3.0, asker="dashboard")


def record(sequence, seconds, seen=None):
    """Return a record that is logged, and when it could first be searched; times in s after sending began."""
    facts = [
        Due(sequence, at(seconds), 0, ""),
        Sent(sequence, at(seconds)),
        Answered(sequence, at(seconds + 0.001)),
    ]
    return [*facts, *([FirstSeen(at(seen), sequence, sequence)] if seen is not None else [])]


TEN = [fact for second in range(10) for fact in record(second, second, second + 0.5)]
"""A record a second, each of which can be searched half a second later."""


def answer(records, asked, *, took=0.1, since=-1.0, until=100.0, stale=0.0, namespace="mine"):
    return AnswerGiven(
        *(at(asked + took), at(asked), at(since), at(until)), records, int(stale * SECOND_NS), namespace
    )


def judged(kind, *facts, read=None):
    read = AnswersRead(at(20)) if read is None else read
    end = [PhaseChanged(at(10), "drain"), *([read] if read else []), PhaseChanged(at(20), "stop")]
    story = timeline([PhaseChanged(BEGAN, "steady"), *facts, *end])
    return kind(replace(charge(), answers=ANSWERS)).check(story)


def is_right(*answers):
    return judged(AnswersWrong, *TEN, *answers).status is Status.PASS


# --- how many records ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("records", "right"), [(3, False), (4, True), (5, True), (6, True), (7, False)])
def test_an_answer_of_now_tells_all_that_could_be_searched_and_nothing_not_logged_yet(records, right):
    assert (
        is_right(answer(records, asked=5)) is right
    )  # 0 to 3 could be searched a second before, 0 to 5 were logged


def test_what_is_logged_while_the_answer_is_on_its_way_may_be_told():
    assert is_right(answer(8, asked=5, took=2.5))
    assert not is_right(answer(9, asked=5, took=2.5))


def test_an_answer_that_says_how_old_it_is_is_judged_as_of_then():
    assert is_right(answer(2, asked=9, stale=6))
    assert not is_right(answer(2, asked=9, stale=5))
    assert not is_right(answer(2, asked=9))


def test_only_records_of_the_time_asked_about_are_told():
    assert is_right(answer(3, asked=9, since=1.5, until=4.5))
    assert not is_right(answer(2, asked=9, since=1.5, until=4.5))
    assert not is_right(answer(4, asked=9, since=1.5, until=4.5))


def test_a_record_at_the_very_border_may_be_told_or_not():
    assert is_right(answer(3, asked=9, since=2, until=4.5))
    assert is_right(answer(2, asked=9, since=2, until=4.5))
    assert not is_right(answer(1, asked=9, since=2, until=4.5))


def test_another_namespace_has_none_of_these_records():
    assert is_right(answer(0, asked=9, namespace="theirs"))
    verdict = judged(AnswersWrong, *TEN, answer(9, asked=9, namespace="theirs"))
    assert verdict.status is Status.FAIL
    assert verdict.counterexample[0].endswith("about theirs: 9 records, which are all of mine.")


def test_who_says_that_it_asked_long_ago_says_that_its_answer_is_old():
    long_ago = replace(answer(0, asked=9, took=0), asked_ns=at(0))
    assert not is_right(long_ago)


def test_a_record_that_nobody_could_search_need_not_be_told():
    verdict = judged(AnswersWrong, *record(0, 1), answer(0, asked=9))
    assert verdict.status is Status.PASS


# --- how often -------------------------------------------------------------------------------------------


def often(*seconds):
    return [answer(0, asked=second, took=0) for second in seconds]


def test_an_answer_in_time_again_and_again_is_enough():
    verdict = judged(AnswersMissing, *often(0, 3, 6, 9))
    assert (verdict.status, verdict.value) == (Status.PASS, 3)


@pytest.mark.parametrize("seconds", [(4, 6, 9), (0, 3, 7, 9), (0, 3, 6)])
def test_a_silence_at_the_beginning_in_between_or_at_the_end_is_told(seconds):
    assert judged(AnswersMissing, *often(*seconds)).status is Status.FAIL


def test_while_the_asker_is_hurt_no_time_passes():
    hurt = [
        FaultChanged(at(moment), 0, "killed", "dashboard", state)
        for moment, state in ((3.5, "injecting"), (3.5, "injected"), (6, "healed"))
    ]
    assert judged(AnswersMissing, *often(0, 3, 8, 9), *hurt).status is Status.PASS
    elsewhere = [replace(each, target="to_store") for each in hurt]
    assert judged(AnswersMissing, *often(0, 3, 8, 9), *elsewhere).status is Status.FAIL


# --- what is not known -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AnswersWrong, AnswersMissing])
def test_what_was_not_read_is_not_judged(kind):
    right = answer(5, asked=5)
    assert judged(kind, *TEN).summary == "The stack answered nothing."
    assert "were not read to their end" in judged(kind, *TEN, right, read=False).summary
    assert (
        "could not be read: gone"
        in judged(kind, *TEN, right, read=AnswersRead(at(20), unread="gone")).summary
    )
    assert "3 lines are no answers" in judged(kind, *TEN, right, read=AnswersRead(at(20), 3, "x")).summary


def test_without_a_promise_nothing_is_planned():
    assert AnswersWrong(charge()).lacks() == "the stack promises no answers"
    assert AnswersWrong(replace(charge(), answers=ANSWERS)).lacks() == ""
