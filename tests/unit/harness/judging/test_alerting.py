"""Alerts judged from literal facts: when one was owed, when it may have been, and what a message is then."""

from dataclasses import replace

import pytest

from harness.judging.alerting import possible_crossings, sure_crossings
from harness.judging.checkers.alerts_false import AlertsFalse
from harness.judging.checkers.alerts_late import AlertsLate
from harness.judging.checkers.alerts_missed import AlertsMissed
from harness.judging.checkers.alerts_repeated import AlertsRepeated
from harness.judging.timeline import timeline
from harness.model.declarations import ERROR_BURST, AlertChannel, Alerts, Part
from harness.model.facts import (
    Acknowledged,
    AlertReceived,
    AlertsRead,
    Answered,
    Due,
    FaultChanged,
    PhaseChanged,
    Sent,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import BEGAN, at, charge

HOOK = AlertChannel("hook", "webhook_receiver", "to_webhook", "header id", "json rule", "json state")
ALERTS = Alerts("errors", 3, 5.0, 12.0, (HOOK,), "watch", resolution_seconds=0.5, after_outage_seconds=8.0)
FOUR = (AlertsMissed, AlertsLate, AlertsRepeated, AlertsFalse)


def error(sequence, seconds, *, acknowledged=True, call_seconds=0.001):
    """Return an error that was logged; times in s after sending began."""
    facts = [
        Due(sequence, at(seconds), 0, "", level="ERROR"),
        Sent(sequence, at(seconds)),
        Answered(sequence, at(seconds + call_seconds)),
    ]
    return [*facts, *([Acknowledged(sequence, at(seconds + call_seconds))] if acknowledged else [])]


def errors(*seconds, **how):
    return [fact for number, moment in enumerate(seconds) for fact in error(number, moment, **how)]


def told(seconds, key="a", *, fires=True, fingerprint=""):
    return AlertReceived(at(seconds), "hook", key, fires, fingerprint)


def fault(target, begin, end, step=0):
    return [
        FaultChanged(at(moment), step, "black_hole", target, state)
        for moment, state in ((begin, "injecting"), (begin, "injected"), (end, "healed"))
    ]


def story(*facts, read_at=60.0):
    return timeline([PhaseChanged(BEGAN, "steady"), *facts, AlertsRead(at(read_at), "hook", 1)])


def judged(check, *facts, read_at=60.0, alerts=ALERTS):
    return check(replace(charge(), alerts=alerts)).check(story(*facts, read_at=read_at))


def verdicts(*facts, read_at=60.0, alerts=ALERTS):
    found = [judged(check, *facts, read_at=read_at, alerts=alerts) for check in FOUR]
    return {verdict.objective.removeprefix("alerts_"): verdict.status.name for verdict in found}


RIGHT = {"missed": "PASS", "late": "PASS", "repeated": "PASS", "false": "PASS"}


def but(**changed):
    return {**RIGHT, **changed}


# --- crossings -------------------------------------------------------------------------------------------


def crossed(how, *facts, alerts=ALERTS):
    found = how(timeline(facts).entries.values(), alerts)
    return [(each.from_ns - BEGAN) / 1e9 for each in found]


@pytest.mark.parametrize(
    ("last", "is_sure", "is_possible"),
    [(6.4, True, True), (6.6, False, True), (7.4, False, True), (7.6, False, False)],
)
def test_at_the_edge_of_the_window_an_alert_may_come_and_is_not_owed(last, is_sure, is_possible):
    """Three errors are 4.4, 4.6, 5.4 and 5.6 s apart; the window is 5 s, the stack's step half a second."""
    logged = errors(2.0, 3.0, last)

    assert crossed(sure_crossings, *logged) == ([last] if is_sure else [])
    assert crossed(possible_crossings, *logged) == ([last] if is_possible else [])


def test_errors_that_are_not_acknowledged_make_an_alert_possible_and_not_owed():
    logged = [*errors(2.0, 2.1), *error(2, 2.2, acknowledged=False)]

    assert crossed(sure_crossings, *logged) == []
    assert crossed(possible_crossings, *logged) == [2.2]


def test_a_log_call_that_lasted_leaves_open_when_its_error_was_logged():
    logged = [*errors(2.0, 2.1), *error(2, 2.2, call_seconds=9.0)]

    assert crossed(sure_crossings, *logged) == []
    assert crossed(possible_crossings, *logged) == [2.2]


def test_stretches_that_touch_are_one_and_others_are_not():
    logged = errors(2.0, 2.1, 2.2, 6.0, 6.1, 6.2, 20.0, 20.1, 20.2)

    assert crossed(sure_crossings, *logged) == [2.2, 20.2]


def test_records_of_lower_levels_are_no_errors():
    logged = [
        replace(fact, level="WARNING") if isinstance(fact, Due) else fact for fact in errors(2, 2.1, 2.2)
    ]

    assert crossed(possible_crossings, *logged) == []


# --- one burst -------------------------------------------------------------------------------------------

BURST = errors(4.0, 4.1, 4.2)


def test_one_message_in_time_is_right():
    assert verdicts(*BURST, told(5.0)) == RIGHT
    assert judged(AlertsLate, *BURST, told(5.2)).value == pytest.approx(0.999)


def test_no_message_is_missed():
    verdict = judged(AlertsMissed, *BURST)

    assert verdicts(*BURST) == but(missed="FAIL", late="INCONCLUSIVE", repeated="INCONCLUSIVE")
    assert (verdict.value, verdict.summary) == (1, "1 of 1 alert never came.")
    assert verdict.counterexample == (
        "hook: the threshold was crossed at 4.200 s, no fault was on; nothing came by 9.201 s.",
    )


def test_a_message_is_owed_on_every_channel():
    both = replace(ALERTS, channels=(HOOK, replace(HOOK, name="mail")))
    facts = [*BURST, told(5.0), AlertsRead(at(60), "mail", 0)]

    assert judged(AlertsMissed, *facts, alerts=both).status is Status.FAIL


def test_a_message_after_the_deadline_is_late():
    verdict = judged(AlertsLate, *BURST, told(9.4))

    assert verdicts(*BURST, told(9.4)) == but(late="FAIL")
    assert (round(verdict.value, 1), verdict.limit) == (5.2, 5.0)


def test_a_message_that_is_not_late_yet_when_the_run_ends_is_not_missed():
    assert verdicts(*BURST, read_at=9.0)["missed"] == "INCONCLUSIVE"
    assert verdicts(*BURST, read_at=9.3)["missed"] == "FAIL"


def test_a_message_without_errors_is_false():
    assert verdicts(told(5.0)) == but(missed="INCONCLUSIVE", late="INCONCLUSIVE", false="FAIL")


def test_a_message_before_its_errors_is_false_and_not_theirs():
    assert verdicts(*BURST, told(3.0)) == but(missed="INCONCLUSIVE", late="INCONCLUSIVE", false="FAIL")


def test_a_message_that_the_alert_is_over_is_none_that_it_fires():
    assert verdicts(*BURST, told(5.0), told(12.0, "b", fires=False)) == RIGHT
    assert verdicts(*BURST, told(5.0, fires=False))["missed"] == "FAIL"


def test_nothing_at_all_is_no_false_alert():
    assert verdicts()["false"] == "PASS"


# --- cooldown --------------------------------------------------------------------------------------------


def test_two_keys_within_the_cooldown_are_a_repeat_and_after_it_are_none():
    going_on = errors(*[4 + number / 2 for number in range(40)])

    assert verdicts(*going_on, told(5.1), told(17.2, "b")) == RIGHT
    assert verdicts(*going_on, told(5.1), told(9.0, "b")) == but(repeated="FAIL")


def test_alerts_of_two_fingerprints_are_not_each_others_repeat():
    assert verdicts(*BURST, told(5, fingerprint="x"), told(5.5, "b", fingerprint="y")) == RIGHT


def test_the_same_key_again_is_a_repeat_where_nothing_was_wrong():
    verdict = judged(AlertsRepeated, *BURST, told(5.0), told(7.0))

    assert verdicts(*BURST, told(5.0), told(7.0)) == but(repeated="FAIL")
    assert verdict.counterexample == (
        "hook, 7.000 s, no fault was on: message a came again after 2.0 s, and nothing was wrong.",
    )


@pytest.mark.parametrize("target", ["watch", "to_webhook", "webhook_receiver"])
def test_the_same_key_again_after_a_crash_or_a_lost_answer_is_counted(target):
    facts = [*BURST, told(5.0), *fault(target, 5.0, 6.0), told(7.0)]
    verdict = judged(AlertsRepeated, *facts)

    assert verdict.status is Status.PASS
    assert verdict.evidence == ("1 message came again with the same key after a fault.",)


def test_a_fault_on_the_store_is_no_reason_to_send_again():
    assert verdicts(*BURST, told(5.0), *fault("to_store", 5.0, 6.0), told(7.0)) == but(repeated="FAIL")


def test_a_crossing_within_the_cooldown_need_not_be_told_and_may_be_told_after_it():
    twice = [*BURST, *[fact for number in (7, 8, 9) for fact in error(number, 12 + number / 10)]]

    assert verdicts(*twice, told(5.0)) == RIGHT
    assert verdicts(*twice, told(5.0), told(17.1, "b")) == RIGHT
    assert judged(AlertsMissed, *twice, told(5.0)).evidence == (
        "1 crossing within the cooldown of a message before.",
    )


def test_a_crossing_after_the_cooldown_must_be_told():
    twice = [*BURST, *[fact for number in (7, 8, 9) for fact in error(number, 20 + number / 10)]]

    assert verdicts(*twice, told(5.0)) == but(missed="FAIL")
    assert verdicts(*twice, told(5.0), told(21.0, "b")) == RIGHT


def test_a_first_crossing_that_nobody_was_told_of_is_missed_though_the_second_was():
    twice = [*BURST, *[fact for number in (7, 8, 9) for fact in error(number, 20 + number / 10)]]

    assert verdicts(*twice, told(21.0)) == but(missed="FAIL")


# --- faults on the way -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["watch", "to_webhook", "webhook_receiver"])
def test_what_a_fault_keeps_back_is_owed_from_its_healing_on(target):
    down = fault(target, 3.0, 20.0)

    assert verdicts(*down, *BURST, told(27.0)) == RIGHT
    assert verdicts(*down, *BURST, told(28.5)) == but(late="FAIL")
    assert verdicts(*down, *BURST) == but(missed="FAIL", late="INCONCLUSIVE", repeated="INCONCLUSIVE")


def test_a_store_that_is_down_is_no_excuse():
    assert verdicts(*fault("to_store", 3.0, 20.0), *BURST, told(21.0)) == but(late="FAIL")


def test_a_fault_that_begins_before_the_deadline_keeps_a_message_back_and_one_after_it_does_not():
    assert verdicts(*BURST, *fault("to_webhook", 9.0, 20.0), told(22.0)) == RIGHT
    assert verdicts(*BURST, *fault("to_webhook", 9.5, 20.0), told(22.0)) == but(late="FAIL")


def test_faults_that_follow_each_other_keep_a_message_back_together():
    chain = [*fault("to_webhook", 3.0, 10.0), *fault("watch", 15.0, 30.0, step=1)]

    assert verdicts(*chain, *BURST, told(33.0)) == RIGHT


def test_what_was_held_up_may_be_followed_by_a_message_made_a_cooldown_later():
    going_on = errors(*[4 + number / 2 for number in range(40)])
    down = fault("to_webhook", 3.0, 15.0)

    assert verdicts(*going_on, *down, told(16.0), told(18.0, "b")) == RIGHT
    assert verdicts(*going_on, *down, told(16.0), told(18.0, "b"), told(19.0, "c")) == but(repeated="FAIL")


def test_after_an_outage_two_messages_for_one_firing_are_a_repeat():
    down = fault("to_webhook", 3.0, 8.0)

    assert verdicts(*BURST, *down, told(9.0), told(9.1, "b")) == but(repeated="FAIL")


# --- what is not known -----------------------------------------------------------------------------------


def check_all(*facts):
    return [check(replace(charge(), alerts=ALERTS)).check(timeline(facts)) for check in FOUR]


def test_without_a_reading_of_the_channel_there_is_no_verdict():
    assert {each.status for each in check_all(PhaseChanged(BEGAN, "steady"), *BURST)} == {Status.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (
            AlertsRead(at(60), "hook", 0, unread="no answer"),
            "What came by hook could not be read: no answer.",
        ),
        (
            AlertsRead(at(60), "hook", 1, unreadable=1, example="a message has no key"),
            "1 message by hook cannot be read as alerts: a message has no key.",
        ),
    ],
)
def test_what_cannot_be_read_may_be_what_is_missing(read, said):
    assert {(each.status, each.summary) for each in check_all(*BURST, read)} == {(Status.INCONCLUSIVE, said)}


def test_what_is_wrong_in_what_was_read_stays_wrong():
    read = AlertsRead(at(60), "hook", 3, unreadable=1, example="garbage")
    facts = [PhaseChanged(BEGAN, "steady"), told(5.0), told(6.0, "b"), read]
    status = {each.objective: each.status for each in check_all(*facts)}

    assert status["alerts_false"] is status["alerts_repeated"] is Status.FAIL


def test_alerts_are_judged_where_they_are_promised_and_errors_are_planned():
    planned = replace(charge().scenario, schedule=Part(ERROR_BURST))

    assert AlertsMissed(charge()).lacks() == "the stack promises no alerts"
    assert "only the schedule error_burst" in AlertsMissed(replace(charge(), alerts=ALERTS)).lacks()
    assert AlertsMissed(replace(charge(), alerts=ALERTS, scenario=planned)).lacks() == ""
