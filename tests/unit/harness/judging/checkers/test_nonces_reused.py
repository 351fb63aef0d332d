"""A nonce that seals two things under one key is a veto; a list that is not whole proves nothing."""

from dataclasses import replace

import pytest

from harness.judging.checkers.nonces_reused import VETO, NoncesReused
from harness.judging.timeline import timeline
from harness.model.facts import NoncesListed
from harness.model.protocols import Status
from tests.unit.harness.literal_history import at, charge


def judged(*facts):
    return NoncesReused(replace(charge(), nonces=True)).check(timeline(facts))


def test_no_nonce_used_twice_passes():
    verdict = judged(NoncesListed(at(9), things=80, keys=2, reused=0))

    assert (verdict.status, verdict.value, verdict.dimension) == (Status.PASS, 0, "confidentiality")
    assert verdict.summary == "No nonce of 80 sealed things under 2 keys was used twice."


def test_one_used_twice_is_a_veto_with_an_example_even_where_the_list_is_not_whole():
    verdict = judged(NoncesListed(at(9), 80, 1, 2, "Key 7 seals two things.", "it stopped"))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 2, (VETO,))
    assert verdict.summary == "2 nonces of 80 sealed things under 1 key were used more than once."
    assert verdict.counterexample == ("Key 7 seals two things.",)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "What is sealed was not listed."),
        ((NoncesListed(at(9), 0, 0, 0),), "The command keys.nonces listed nothing."),
        (
            (NoncesListed(at(9), 0, 0, 0, unread="keys.nonces: ended with 1"),),
            "What is sealed could not be listed whole: keys.nonces: ended with 1.",
        ),
    ],
)
def test_without_a_whole_list_there_is_no_verdict(facts, said):
    verdict = judged(*facts)

    assert (verdict.status, verdict.summary) == (Status.INCONCLUSIVE, said)


def test_it_is_planned_only_where_the_stack_can_list_what_it_sealed():
    assert NoncesReused(charge()).lacks() == "the stack declares no keys.nonces"
    assert NoncesReused(replace(charge(), nonces=True)).lacks() == ""
