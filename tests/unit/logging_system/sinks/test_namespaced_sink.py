from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    CannotLookUp,
    Delivered,
    Found,
    LookUpOutcome,
    OneForEach,
    RequestRefused,
    Retry,
    SameForAll,
    SendOutcome,
    Unknown,
)
from logging_system.sinks.namespaced import NamespacedSink

EPOCH = b"n" * 16


@dataclass
class KeptSink:
    """Keeps what it is sent, or answers what it is told."""

    name: str
    outcome: SendOutcome | None = None
    trouble: str | None = None
    kept: list[Item] = field(default_factory=list)
    prepared: int = 0
    closed: bool = False

    def prepare(self) -> str | None:
        self.prepared += 1
        return self.trouble

    def send(self, items: Sequence[Item]) -> SendOutcome:
        if self.outcome is not None:
            return self.outcome
        self.kept += items
        return SameForAll(Delivered(self.name))

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        assert not indices
        return Found(frozenset(ids) & {item.id for item in self.kept})

    def close(self) -> None:
        self.closed = True


def item(number: int, namespace: str = "") -> Item:
    stream = {"data_stream": {"namespace": namespace}} if namespace else {}
    return Item(EPOCH, number, orjson.dumps({"message": "x", **stream}))


def sinks_of(*names: str) -> tuple[dict[str, KeptSink], NamespacedSink]:
    sinks = {name: KeptSink(name) for name in names}
    return sinks, NamespacedSink(sinks, names[0])


def test_each_document_goes_to_its_namespace_and_no_other() -> None:
    sinks, sink = sinks_of("main", "team_a", "team_b")
    items = [item(1, "team_a"), item(2), item(3, "team_b"), item(4, "team_a"), item(5, "elsewhere")]

    outcome = sink.send(items)

    expected = ("team_a", "main", "team_b", "team_a", "main")
    assert outcome == OneForEach(tuple(map(Delivered, expected)))
    assert {name: each.kept for name, each in sinks.items()} == {
        "main": [items[1], items[4]],
        "team_a": [items[0], items[3]],
        "team_b": [items[2]],
    }


def test_documents_of_one_namespace_are_one_request() -> None:
    sinks, sink = sinks_of("main", "team_a")

    assert sink.send([item(1, "team_a"), item(2, "team_a")]) == SameForAll(Delivered("team_a"))
    assert sinks["team_a"].prepared == 1
    assert sinks["main"].prepared == 0


def test_a_namespace_that_is_not_ready_is_sent_nothing_and_tried_again() -> None:
    sinks, sink = sinks_of("main", "team_a")
    sinks["team_a"].trouble = "no master"

    assert sink.send([item(1, "team_a")]) == Unknown("no master", may_have_stored=False)
    sinks["team_a"].trouble = None
    assert sink.send([item(1, "team_a")]) == SameForAll(Delivered("team_a"))


def test_what_follows_a_request_without_an_answer_is_told_as_not_sent() -> None:
    sinks, sink = sinks_of("main", "team_a", "team_b")
    sinks["team_a"].outcome = Unknown("no answer", 3.0)

    outcome = sink.send([item(1), item(2, "team_a"), item(3, "team_b")])

    lost = Retry("no answer", may_have_stored=True)
    unsent = Retry("not sent: no answer", may_have_stored=False)
    assert outcome == OneForEach((Delivered("main"), lost, unsent), 3.0)
    assert sinks["team_b"].kept == []


def test_a_refused_request_is_told_as_one_only_where_nothing_was_stored() -> None:
    sinks, sink = sinks_of("main", "team_a")
    refused = RequestRefused("too large", 413, is_too_large=True)
    sinks["team_a"].outcome = refused

    assert sink.send([item(1, "team_a"), item(2)]) == refused
    assert sinks["main"].kept == []
    after = sink.send([item(2), item(1, "team_a")])
    assert after == OneForEach((Delivered("main"), Retry("too large", 413, may_have_stored=False)))


def test_a_document_is_looked_for_in_every_namespace() -> None:
    _sinks, sink = sinks_of("main", "team_a")
    sink.send([item(1, "team_a"), item(2)])
    ids = [item(number).id for number in (1, 2, 3)]

    assert sink.look_up(ids, ["anything"]) == Found(frozenset(ids[:2]))


def test_a_look_up_that_one_namespace_cannot_answer_proves_nothing() -> None:
    class Blind(KeptSink):
        def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
            return CannotLookUp("405")

    sink = NamespacedSink({"main": KeptSink("main"), "team_a": Blind("team_a")}, "main")

    assert sink.look_up([item(1).id], []) == CannotLookUp("405")


def test_closing_closes_all() -> None:
    sinks, sink = sinks_of("main", "team_a")
    sink.close()

    assert all(each.closed for each in sinks.values())
