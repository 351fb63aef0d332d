"""Namespaces judged from literal facts: who got whose record, and what of it was found by nobody."""

from dataclasses import replace

import pytest

from harness.judging.checkers.answers_wrong import AnswersWrong
from harness.judging.checkers.namespaces_mixed import VETO, NamespacesMixed
from harness.judging.timeline import timeline
from harness.model.declarations import Answers, Namespaces, Part
from harness.model.facts import (
    AnswerGiven,
    AnswersRead,
    ArchiveRead,
    PhaseChanged,
    ReadByTenant,
    TenantsRead,
)
from harness.model.protocols import Status
from tests.unit.harness.judging.test_answers import record
from tests.unit.harness.literal_history import BEGAN, at, charge, life

TENANTS = Namespaces({"red": 4, "green": 2, "blue": 1}, Part("elasticsearch"))
RECORDS = range(20)
RED = [sequence for sequence in RECORDS if TENANTS.tenant(sequence) == "red"]
OTHERS = [sequence for sequence in RECORDS if TENANTS.tenant(sequence) != "red"]


def by_tenant(sequence, tenant=None, *, stored=True, place="logs-x/1"):
    return ReadByTenant(tenant or TENANTS.tenant(sequence), sequence, place, stored)


OWN = [by_tenant(sequence) for sequence in RECORDS]


def judged(*facts, declared=TENANTS, read=None, archived=True):
    lives = [fact for sequence in RECORDS for fact in life(sequence, sequence / 10)]
    end = [TenantsRead(at(20)) if read is None else read] if read != "never" else []
    end += [ArchiveRead(at(20), len(RECORDS))] if archived else []
    story = timeline([PhaseChanged(BEGAN, "steady"), *lives, *facts, *end, PhaseChanged(at(21), "stop")])
    return NamespacesMixed(replace(charge(), namespaces=declared)).check(story)


def test_it_passes_where_each_tenant_finds_its_own_records():
    verdict = judged(*OWN)

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.PASS, 0, ())
    assert "3 tenants read 20 stored records, each its own." in verdict.summary


def test_a_record_stored_where_another_tenant_reads_is_a_veto():
    verdict = judged(*OWN, by_tenant(OTHERS[0], "red", place="logs-x-red/7"))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 1, (VETO,))
    owner = TENANTS.tenant(OTHERS[0])
    assert verdict.evidence == (f"1 record of {owner}: stored where red reads.",)
    assert verdict.counterexample == (f"Record {OTHERS[0]} is of {owner}; red got it from logs-x-red/7.",)


def test_a_record_shown_to_another_tenant_is_a_veto_though_it_is_stored_rightly():
    shows = replace(TENANTS, shows="shown-{tenant}.txt")

    verdict = judged(*OWN, by_tenant(OTHERS[0], "red", stored=False), declared=shows)

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))
    assert "shown to red." in verdict.evidence[0]


def test_a_record_of_another_tenant_fails_though_not_all_was_read():
    verdict = judged(*OWN, by_tenant(OTHERS[0], "red"), read=TenantsRead(at(20), "no answer"))

    assert verdict.status is Status.FAIL


def test_a_stored_record_that_its_tenant_does_not_find_fails_without_a_veto():
    verdict = judged(*(each for each in OWN if each.sequence != RED[0]))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 1, ())
    assert verdict.summary == "1 stored record is not found by the tenant."
    assert f"Record {RED[0]} is of red, which does not find it; it is stored as" in verdict.counterexample[0]


def test_what_was_only_shown_to_its_tenant_is_not_found_by_it():
    kept = [each for each in OWN if each.sequence != RED[0]]

    verdict = judged(*kept, by_tenant(RED[0], stored=False))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)


@pytest.mark.parametrize(
    ("facts", "read", "why"),
    [
        (OWN, "never", "was not read to its end"),
        (OWN, TenantsRead(at(20), "what red reads: no answer"), "could not be read: what red reads"),
        ([by_tenant(sequence) for sequence in RED], TenantsRead(at(20), "x"), "could not be read"),
    ],
)
def test_nothing_is_proved_where_not_all_was_read(facts, read, why):
    verdict = judged(*facts, read=read)

    assert verdict.status is Status.INCONCLUSIVE
    assert why in verdict.summary


def test_nothing_is_proved_where_the_archive_was_not_read_whole():
    verdict = judged(*OWN, archived=False)

    assert (verdict.status, verdict.summary) == (
        Status.INCONCLUSIVE,
        "The archive could not be read whole.",
    )


def test_nothing_is_proved_by_the_records_of_one_tenant():
    lives = [fact for sequence in RED for fact in life(sequence, sequence / 10)]
    facts = [*lives, *(by_tenant(sequence) for sequence in RED), TenantsRead(at(20))]
    story = timeline([PhaseChanged(BEGAN, "steady"), *facts, ArchiveRead(at(20), len(RED))])

    verdict = NamespacesMixed(replace(charge(), namespaces=TENANTS)).check(story)

    assert verdict.status is Status.INCONCLUSIVE
    assert "two tenants at least" in verdict.summary


def test_nothing_is_proved_where_a_reader_showed_nothing():
    shown = [by_tenant(sequence, stored=False) for sequence in RED]

    verdict = judged(*OWN, *shown, declared=replace(TENANTS, shows="shown-{tenant}.txt"))

    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary == "No reader showed green, blue a record, so that proves nothing."


def test_it_is_not_planned_where_nothing_is_promised():
    assert NamespacesMixed(charge()).lacks() == "the stack promises no namespaces"
    assert NamespacesMixed(replace(charge(), namespaces=TENANTS)).lacks() == ""


# --- answers about tenants -------------------------------------------------------------------------------


def is_right(records, namespace):
    logged = [fact for sequence in RECORDS for fact in record(sequence, sequence / 10, sequence / 10 + 0.5)]
    given = AnswerGiven(at(9.1), at(9), at(-1), at(9), records, 0, namespace)
    story = timeline([PhaseChanged(BEGAN, "steady"), *logged, given, AnswersRead(at(20))])
    promised = replace(charge(), answers=Answers(""), namespaces=TENANTS)
    return AnswersWrong(promised).check(story).status is Status.PASS


def test_an_answer_about_a_tenant_tells_that_tenants_records():
    assert is_right(len(RED), "red")
    assert not is_right(len(OTHERS), "red")
    assert not is_right(len(RECORDS), "red")
    assert is_right(0, "nobody")
    assert not is_right(1, "nobody")


# --- whose a record is -----------------------------------------------------------------------------------


def test_tenants_have_their_parts_and_no_pattern_that_a_batch_has():
    owners = [TENANTS.tenant(sequence) for sequence in range(7_000)]

    assert all(abs(owners.count(tenant) - 1_000 * parts) < 100 for tenant, parts in TENANTS.tenants.items())
    # Whatever is counted in turn (producers, places in a batch) sees all of them.
    for step in (2, 4, 7, 20):
        assert all(set(owners[first::step]) == set(TENANTS.tenants) for first in range(step))
