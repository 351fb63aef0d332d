"""Each fault at the HTTP level on a link that keeps book: its rule, its undo, and what it takes for proof."""

from __future__ import annotations

from random import Random

import orjson
import pytest

from harness.evidence.lines import stamp
from harness.faults.answer_cut import AnswerCut
from harness.faults.body_limited import BodyLimited
from harness.faults.garbage_answers import GarbageAnswers
from harness.faults.items_refused import ItemsRefused
from harness.faults.lying_answers import LyingAnswers
from harness.faults.poison_document import PoisonDocument
from harness.faults.refused_records import IDENTIFIED
from harness.faults.requests_refused import RequestsRefused
from harness.faults.slow_answers import SlowAnswers
from harness.model.errors import ScenarioError
from harness.model.protocols import Cumulative, Undo
from harness.programs.http_interceptor.bulk import Item
from harness.programs.http_interceptor.identity import Identity
from harness.programs.http_interceptor.rule import rule_of
from harness.programs.http_interceptor.rules.poison_document import PoisonDocument as PoisonRule
from harness.targets.capabilities import Interceptable


class BookkeepingHttpLink:
    """An Interceptable that notes its rules; `counted` is what its interceptor counts."""

    sequence_path = ""

    def __init__(self, **counted):
        self.rules = {}
        self.counted = counted
        self.waited_seconds = []

    def add_rule(self, name, kind, arguments, share, seed):
        self.rules[name] = (kind, dict(arguments), share, seed)

    def remove_rule(self, name):
        del self.rules[name]

    def undo_rule(self, name):
        return Undo("remove_rule", {"rule": name})

    def altered(self, name, counters, timeout_seconds=5.0):
        self.waited_seconds.append(timeout_seconds)
        return self.counted


FAULTS = [
    (
        AnswerCut(at="middle", share=0.5),
        "answer_cut",
        {"at": "middle", "path": "_bulk"},
        0.5,
        "cut_after_commit",
    ),
    (AnswerCut(path="*"), "answer_cut", {"at": "before", "path": "*"}, 1.0, "cut_after_commit"),
    (
        RequestsRefused(503, 2, 0.4),
        "requests_refused",
        {"status": 503, "retry_after_seconds": 2, "path": "_bulk"},
        0.4,
        "refused",
    ),
    (
        ItemsRefused(0.1, 0.2, 0.3),
        "items_refused",
        {"share_429": 0.1, "share_400": 0.2, "share_503": 0.3},
        1.0,
        "items_503",
    ),
    (BodyLimited(9), "body_limited", {"bytes_max": 9, **IDENTIFIED}, 1.0, "too_large"),
    (LyingAnswers("empty", 0.2), "lying_answers", {"lie": "empty"}, 0.2, "lied"),
    (GarbageAnswers("who", 0.3), "garbage_answers", {"mark": "who"}, 0.3, "garbage"),
    (SlowAnswers(20.0, 5.0), "slow_answers", {"delay_ms": 20.0, "jitter_ms": 5.0}, 1.0, "delayed_ms"),
]


def test_the_stand_in_has_the_capability():
    assert isinstance(BookkeepingHttpLink(), Interceptable)


@pytest.mark.parametrize(("fault", "kind", "arguments", "share", "proof"), FAULTS)
def test_a_link_carries_the_rule_while_the_fault_is_on_and_its_undo_names_it(
    fault, kind, arguments, share, proof
):
    link = BookkeepingHttpLink()
    undo = fault.undo(link)
    with fault.inject(link, Random(1)):
        during = dict(link.rules)

    assert during == {undo.arguments["rule"]: (kind, arguments, share, Random(1).randrange(2**32))}
    assert link.rules == {}


@pytest.mark.parametrize(("fault", "kind", "arguments", "share", "proof"), FAULTS)
def test_the_interceptor_takes_the_rule_of_each_fault(fault, kind, arguments, share, proof):
    body = {"kind": kind, "arguments": dict(fault.arguments()), "share": fault.share_of_requests, "seed": 1}

    assert rule_of("a", body).document()["arguments"] == arguments


@pytest.mark.parametrize(("fault", "kind", "arguments", "share", "proof"), FAULTS)
def test_a_rule_goes_even_when_the_run_breaks_in_mid_fault(fault, kind, arguments, share, proof):
    link = BookkeepingHttpLink()
    with pytest.raises(KeyError), fault.inject(link, Random(1)):
        raise KeyError

    assert link.rules == {}


@pytest.mark.parametrize(("fault", "kind", "arguments", "share", "proof"), FAULTS)
def test_a_fault_is_proved_by_the_stacks_own_requests_and_by_nothing_less(
    fault, kind, arguments, share, proof
):
    landed, saw = fault.evidence(BookkeepingHttpLink(seen=9, **{proof: 7}))

    assert landed is True
    assert "7" in saw
    assert fault.evidence(BookkeepingHttpLink(seen=9))[0] is False
    assert fault.evidence(BookkeepingHttpLink())[0] is False


@pytest.mark.parametrize(("fault", "kind", "arguments", "share", "proof"), FAULTS)
def test_what_a_rule_did_in_all_is_read_without_waiting(fault, kind, arguments, share, proof):
    link = BookkeepingHttpLink(seen=90, **{proof: 70})
    landed, saw = fault.evidence_in_all(link)

    assert isinstance(fault, Cumulative)
    assert (landed, link.waited_seconds) == (True, [0.0])
    assert "70" in saw


def test_an_answer_cut_after_an_error_proves_no_commit():
    assert AnswerCut().evidence(BookkeepingHttpLink(seen=1, cut_after_error=1))[0] is False


def test_a_cut_names_the_requests_that_it_is_for():
    assert "3 bulk answers" in AnswerCut().saw({"cut_after_commit": 3})
    assert AnswerCut(path="*").saw({"cut_after_commit": 3}).startswith("3 answers")


def test_the_poison_is_each_record_whose_number_is_divided():
    link = BookkeepingHttpLink()
    with PoisonDocument(every=7).inject(link, Random(1)):
        kind, arguments, _, seed = link.rules["poison_document"]
    poison = rule_of("a", {"kind": kind, "arguments": arguments, "seed": seed}).kind
    assert isinstance(poison, PoisonRule)

    lines = [stamp("something happened", "20260101-000000-abcd-01", sequence) for sequence in range(20)]
    found = [n for n, line in enumerate(lines) if poison.poisonous(_item(line)) is not None]

    assert found == [0, 7, 14]


@pytest.mark.parametrize("fault", [PoisonDocument(every=7), BodyLimited(9)])
@pytest.mark.parametrize(
    "document",
    [
        {"labels": {"sequence": 14}},
        {"labels.sequence": "14"},
        {"labels": {"sequence": 14}, "message": "gAAAAA-sealed-and-of-no-record"},
    ],
)
def test_a_sealed_line_is_known_by_the_field_that_the_stack_declares_for_its_number(fault, document):
    link = BookkeepingHttpLink()
    link.sequence_path = "labels.sequence"
    with fault.inject(link, Random(1)):
        arguments = link.rules[fault.kind][1]

    assert (
        Identity(arguments["pattern"], arguments["digits"], arguments["sequence_path"]).number_in(
            _item_of(document)
        )
        == 14
    )
    rule = rule_of("a", {"kind": fault.kind, "arguments": arguments, "seed": 1})
    assert "labels.sequence" in str(rule.document())


@pytest.mark.parametrize("value", [None, True, -1, 1.5, "seven", "-7", "7" * 40, [7], {"sequence": 7}])
def test_what_is_no_number_in_that_field_names_no_record(value):
    found = Identity("never (x) found", "0123456789", "labels.sequence").number_in(
        _item_of({"labels": {"sequence": value}})
    )

    assert found is None


def test_the_identity_in_the_line_counts_before_the_field():
    line = stamp("something happened", "20260101-000000-abcd-01", 3)
    document = {"message": line, "labels": {"sequence": 14}}

    identity = Identity(str(IDENTIFIED["pattern"]), str(IDENTIFIED["digits"]), "labels.sequence")

    assert identity.number_in(_item_of(document)) == 3


def _item(line):
    return _item_of({"message": line})


def _item_of(document):
    return Item(b'{"create":{}}\n' + orjson.dumps(document) + b"\n", "create", "", "")


def test_poison_evidence_tells_how_often_the_most_persistent_one_was_sent():
    link = BookkeepingHttpLink(items_400=5, record_40=1, record_80=4)
    landed, saw = PoisonDocument(every=40).evidence(link)

    assert landed is True
    assert "2 poison documents were refused 5 times, none more than 4" in saw


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: AnswerCut(share=0), "share 0"),
        (lambda: AnswerCut(path="a/b"), "the last part of a path"),
        (lambda: RequestsRefused(status=200), "is no error"),
        (lambda: RequestsRefused(retry_after_seconds=-1), "retry_after_seconds"),
        (lambda: RequestsRefused(share=1.5), "share 1.5"),
        (ItemsRefused, "above 0"),
        (lambda: ItemsRefused(0.6, 0.6), "at most 1"),
        (lambda: ItemsRefused(-0.1, 0.6), "shares"),
        (lambda: PoisonDocument(every=0), "below 1"),
        (lambda: BodyLimited(0), "below 1"),
        (lambda: LyingAnswers(share=2), "share 2"),
        (lambda: SlowAnswers(0), "delay"),
        (lambda: SlowAnswers(10, 11), "jitter"),
    ],
)
def test_arguments_out_of_range_are_mistakes_of_the_file(make, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        make()
