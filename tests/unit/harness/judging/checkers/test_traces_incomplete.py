"""A record with other ids than those it was logged with is found, and so is one that nothing links to."""

from dataclasses import replace

import orjson
import pytest

from harness.evidence.lines import digest
from harness.judging.checkers.traces_incomplete import TracesIncomplete
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import Found, InSpan, Linked, SpansRead
from harness.model.protocols import Status
from tests.unit.harness.literal_history import at, charge, life, phases

IDS = {sequence: (f"{sequence:032x}", f"{sequence:016x}") for sequence in (1, 2, 3)}
"""Records 1 to 3 are logged in a span, record 4 is not."""


def stored(sequence, ids):
    fields = orjson.dumps({"trace": ids[0], "span": ids[1]}).decode()
    return Found(sequence, digest(f"line {sequence}"), f"index/{sequence}", fields=fields)


def judged(found, *facts, spans=False):
    lives = [fact for number in (1, 2, 3, 4) for fact in life(number, number) if not isinstance(fact, Found)]
    copies = [stored(sequence, ids) for sequence, ids in found.items()]
    logged = [InSpan(sequence, *ids) for sequence, ids in IDS.items()]
    checker = TracesIncomplete(replace(charge(promises=Promises(traces=True)), spans=spans))
    return checker.check(timeline([*phases(), *lives, *logged, *copies, *facts]))


RIGHT = {**IDS, 4: (None, None)}


def test_the_ids_that_were_logged_with_pass():
    verdict = judged(RIGHT)

    assert (verdict.status, verdict.value, verdict.dimension) == (Status.PASS, 0, "self-observability")
    assert verdict.summary == "All 3 records have the ids of the span they were logged in."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({2: (None, None)}, "1 record is stored with wrong ids (1 without ids)"),
        ({2: (IDS[2][0], None)}, "1 record is stored with wrong ids (1 with others)"),
        ({1: IDS[2], 2: IDS[1]}, "2 records are stored with wrong ids (2 with those of another record)"),
        ({4: IDS[3]}, "1 record is stored with wrong ids (1 with those of another record)"),
        ({3: ("f" * 32, IDS[3][1])}, "1 record is stored with wrong ids (1 with others)"),
    ],
)
def test_other_ids_fail_and_it_is_said_whose_they_are(changed, told):
    verdict = judged({**RIGHT, **changed})

    assert (verdict.status, verdict.value) == (Status.FAIL, len(changed))
    assert verdict.summary == f"{told}, of 3 that were logged in a span."


def test_the_counterexample_names_a_record_its_ids_and_their_owner():
    verdict = judged({**RIGHT, 1: IDS[2]})

    assert verdict.counterexample == (
        f"Record 1 was logged in trace {IDS[1][0]}, span {IDS[1][1]} and is stored with trace {IDS[2][0]}, "
        f"span {IDS[2][1]}, that of record 2, at index/1.",
    )


@pytest.mark.parametrize(
    ("facts", "status", "told"),
    [
        ((Linked(1, 3), SpansRead(at(14), 9, 0)), Status.PASS, "and a span of the stack links to each."),
        (
            (Linked(1, 1), SpansRead(at(14), 9, 0)),
            Status.FAIL,
            "No span of the stack links to 2 records, of 3 that were logged in a span.",
        ),
        ((Linked(1, 1), SpansRead(at(14), 9, 2)), Status.PASS, "links to each"),
        ((Linked(1, 1), SpansRead(at(14), 9, 1)), Status.FAIL, "No span of the stack links to 1 record,"),
        ((SpansRead(at(14), 0, 0, "no file"),), Status.INCONCLUSIVE, "could not be read: no file."),
        ((), Status.INCONCLUSIVE, "The stack's own spans could not be read"),
    ],
)
def test_where_the_stack_shows_its_spans_they_must_link_to_every_record(facts, status, told):
    verdict = judged(RIGHT, *facts, spans=True)

    assert verdict.status is status
    assert told in verdict.summary


def test_where_nothing_logged_in_a_span_can_be_read_there_is_no_verdict():
    assert judged({4: (None, None)}).status is Status.INCONCLUSIVE


def test_it_is_planned_only_where_the_stack_promises_traces():
    assert TracesIncomplete(charge()).lacks() == "the stack promises no traces"
    assert TracesIncomplete(charge(promises=Promises(traces=True))).lacks() == ""
