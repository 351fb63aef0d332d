"""A canary that was seen is a leak; none seen is a pass only where all was searched and all was taken."""

import pytest

from harness.judging.checkers.leaked_secrets import VETO, LeakedSecrets
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import ArchiveRead, Planted, SecretSeen, SecretsSought
from harness.model.protocols import Status
from tests.unit.harness.literal_history import at, charge, life

KINDS = ("card", "email")
SOUGHT = SecretsSought(at(9), documents=8, files=3, read_bytes=1 << 20)
SEEN = SecretSeen(at(9), "card", "exception", "in Base64", "stack/shipper.log", 17, "error.text", True, 2)
PLANTED = (Planted(0, "card", "exception"), Planted(4, "email", "message"))


def judged(*facts, kinds=KINDS, lives=(0, 1, 2, 3, 4)):
    events = [event for sequence in lives for event in life(sequence, sequence / 10)]
    checker = LeakedSecrets(charge(promises=Promises(secrets=kinds)))
    return checker.check(timeline([*events, ArchiveRead(at(9), len(lives)), *PLANTED, *facts]))


def test_nothing_seen_after_a_whole_search_passes():
    verdict = judged(SOUGHT)

    assert verdict.status is Status.PASS
    assert verdict.dimension == "confidentiality"
    assert verdict.summary == "None of 2 canary secrets was seen: 2 kinds, through exception, message."
    assert verdict.evidence == (
        "Searched: 8 stored documents and 3 files of 1.0 MiB, recorded requests among them.",
    )


def test_one_seen_is_a_veto_whose_story_names_the_place_and_shows_no_value():
    verdict = judged(SOUGHT, SEEN)

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 1, (VETO,))
    assert verdict.counterexample == (
        "A canary of kind card, sent through the path exception, is in stack/shipper.log.",
        "It stands there whole, in Base64, from byte 17 on.",
        "The field is error.text.",
        "Its value is not shown here.",
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "The search for canaries did not come to its end."),
        ((SecretsSought(at(9), 1, 1, 1, "x: no"),), "Not everything could be searched: x: no."),
    ],
)
def test_without_a_whole_search_there_is_no_verdict(facts, said):
    verdict = judged(*facts)

    assert (verdict.status, verdict.summary) == (Status.INCONCLUSIVE, said)


def test_a_leak_is_one_even_where_the_search_was_not_whole():
    assert judged(SEEN).status is Status.FAIL


def test_a_kind_that_was_never_taken_is_named():
    verdict = judged(SOUGHT, kinds=(*KINDS, "jwt"))

    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary.endswith("of these kinds: jwt.")


def test_a_stack_that_promises_nothing_is_not_judged():
    assert LeakedSecrets(charge()).lacks() == "the stack promises no secrets"
    assert LeakedSecrets(charge(promises=Promises(secrets=KINDS))).lacks() == ""
