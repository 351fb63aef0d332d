from dataclasses import replace

from harness.evidence.lines import digest
from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.checkers.corrupted import Corrupted
from harness.judging.checkers.dead_letters_misplaced import DeadLettersMisplaced
from harness.judging.checkers.duplicated import Duplicated
from harness.judging.timeline import timeline
from harness.model.facts import Acknowledged, ArchiveRead, DeadLettered, DeadLettersRead, Found, Poisoned
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, replaced, without

CHARGE = replace(charge(STEP), dead_letters=True)
CHECKER = DeadLettersMisplaced(CHARGE)
POISON = (410, 430)


def letter(sequence, text=None):
    return DeadLettered(sequence, digest(text or f"line {sequence}"), f"letters:{sequence}", "mapping")


def poisoned_run(*letters):
    """A run in which the store refused two records for good; these are among the dead letters."""
    refused = [Poisoned(sequence, at(5)) for sequence in POISON]
    return [
        *without(good_run(), Found, *POISON),
        *refused,
        *map(letter, letters),
        DeadLettersRead(at(14), len(letters)),
    ]


def test_dead_letters_that_are_exactly_the_poison_pass():
    verdict = CHECKER.check(timeline(poisoned_run(*POISON)))

    assert (verdict.status, verdict.value) == (Status.PASS, 0)
    assert AcknowledgedLost(CHARGE).check(timeline(poisoned_run(*POISON))).status is Status.PASS


def test_no_poison_and_no_dead_letters_pass():
    verdict = CHECKER.check(timeline([*good_run(), DeadLettersRead(at(14), 0)]))

    assert verdict.status is Status.PASS
    assert verdict.summary == "Nothing was refused for good; there are no dead letters."
    assert verdict.evidence == ()


def test_a_record_given_up_although_never_refused_fails():
    events = [*without(poisoned_run(*POISON, 450), Found, 450)]

    verdict = CHECKER.check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "Given up: 450." in verdict.evidence
    assert "The store never refused it for good." in verdict.counterexample
    assert AcknowledgedLost(CHARGE).check(timeline(events)).status is Status.PASS


def test_where_nobody_can_tell_what_was_refused_a_dead_letter_proves_nothing():
    events = [*without(poisoned_run(*POISON, 450), Found, 450), Poisoned(None, at(13))]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_poison_sent_again_until_the_store_took_it_fails():
    events = [*poisoned_run(410), Found(430, digest("line 430"), "index/430")]

    verdict = CHECKER.check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "Sent again: 430." in verdict.evidence


def test_what_was_refused_just_before_the_healing_may_be_in_either_place():
    events = [
        *poisoned_run(410),
        Poisoned(450, at(13)),
        Found(430, digest("line 430"), "index/430"),
    ]
    events = [
        Poisoned(430, at(13)) if event == Poisoned(430, at(5)) else event
        for event in [*without(events, Found, 450), letter(450)]
    ]

    verdict = CHECKER.check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.PASS, 0)
    assert "Refused just before the healing and stored after it: 430." in verdict.evidence


def test_what_was_refused_just_before_the_healing_belongs_in_one_of_them():
    events = [Poisoned(430, at(13)) if each == Poisoned(430, at(5)) else each for each in poisoned_run(410)]

    assert CHECKER.check(timeline(events)).status is Status.FAIL


def test_poison_in_neither_place_is_lost():
    verdict = AcknowledgedLost(CHARGE).check(timeline(poisoned_run(410)))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "or the dead letters" in verdict.counterexample[-1]
    assert CHECKER.check(timeline(poisoned_run(410))).status is Status.FAIL


def test_poison_nobody_acknowledged_may_be_gone():
    events = without(poisoned_run(410), Acknowledged, 430)

    assert CHECKER.check(timeline(events)).status is Status.PASS


def test_a_record_in_both_places_is_ambiguous_and_a_duplicate():
    events = [*poisoned_run(*POISON), Found(430, digest("line 430"), "index/430")]

    verdict = Duplicated(CHARGE).check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert any(
        "Both in the archive and in the dead letters" in line and "430" in line for line in verdict.evidence
    )


def test_a_dead_letter_that_was_changed_is_corrupted():
    events = [*poisoned_run(410), letter(430, "another line")]

    assert Corrupted(CHARGE).check(timeline(events)).status is Status.FAIL


def test_dead_letters_that_were_not_read_prove_nothing():
    events = [event for event in poisoned_run(*POISON) if not isinstance(event, DeadLettersRead)]

    for checker in (CHECKER, AcknowledgedLost(CHARGE), Duplicated(CHARGE), Corrupted(CHARGE)):
        assert checker.check(timeline(events)).status is Status.INCONCLUSIVE


def test_an_archive_that_was_not_read_proves_nothing():
    events = [event for event in poisoned_run(*POISON) if not isinstance(event, ArchiveRead)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_an_empty_history_is_inconclusive():
    assert CHECKER.check(timeline([])).status is Status.INCONCLUSIVE


def test_it_is_planned_only_where_dead_letters_are_declared():
    assert DeadLettersMisplaced(CHARGE).lacks() == ""
    assert DeadLettersMisplaced(charge(STEP)).lacks() == "the stack declares no dead_letters"


def test_a_changed_copy_in_the_archive_is_still_found():
    events = replaced(good_run(), Found, 450, Found(450, "0" * 16, "index/450"))

    assert Corrupted(charge(STEP)).check(timeline(events)).status is Status.FAIL
