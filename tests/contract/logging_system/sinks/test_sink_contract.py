"""What holds for every sink: files, elastic_lite, the real Elasticsearch; a new one is a further subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import CannotLookUp, Conflict, Delivered, Found, Refused, Unknown
from logging_system.sinks import Sink
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from logging_system.sinks.fallback import FallbackSink
from logging_system.sinks.file import FileSink
from tests.contract.elasticsearch_fixture import Store
from tests.outcomes import each_outcome, kinds

EPOCH = b"c" * 16
STORED = b'{"@timestamp":"2026-01-01T00:00:00Z","message":"paid"}'
NOBODY = "http://127.0.0.1:1"
"""Nothing listens on port 1."""


@dataclass(frozen=True)
class Subject:
    """A store, and how the sink under test is made for it.

    Attributes:
        open: Opens a sink of the store, as each process does that begins anew.
        open_without_store: Opens one whose store cannot be used.
        never_stored: A document that this store refuses for good.
    """

    open: Callable[[], Sink]
    open_without_store: Callable[[], Sink]
    never_stored: bytes


def files(folder: Path) -> Subject:
    (folder / "no folder").touch()
    return Subject(
        lambda: FileSink(folder / "app.ndjson"),
        lambda: FileSink(folder / "no folder" / "app.ndjson"),
        b'{"a":\n1}',
    )


def files_with_fallback(folder: Path) -> Subject:
    stores, path = files(folder), folder / "fallback.ndjson"

    def around(store: Sink) -> Sink:
        return FallbackSink(store, FileSink(path, redirected=True), path, after_seconds=300.0)

    return Subject(
        lambda: around(stores.open()), lambda: around(stores.open_without_store()), stores.never_stored
    )


def elasticsearch(store: Store) -> Subject:
    stream = store.name("logs")
    store.used.append(f"logging-system-{stream}")
    return Subject(
        lambda: ElasticsearchSink([store.url], stream),
        lambda: ElasticsearchSink([NOBODY], stream),
        b'{"@timestamp":"no time"}',
    )


@pytest.fixture(
    params=["file", "file with fallback", "elastic_lite", pytest.param("real", marks=pytest.mark.servers)]
)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    if request.param.startswith("file"):
        yield files(tmp_path) if request.param == "file" else files_with_fallback(tmp_path)
        return
    # Taken by name, so that only what a chosen parameter needs is started.
    name = "elastic_lite_url" if request.param == "elastic_lite" else "real_elasticsearch_url"
    with closing(Store(request.getfixturevalue(name))) as store:
        yield elasticsearch(store)


def items(first: int, last: int, document: bytes = STORED) -> list[Item]:
    return [Item(EPOCH, sequence, document) for sequence in range(first, last + 1)]


def ids(documents: list[Item]) -> list[str]:
    return [item.id for item in documents]


def store_in_an_earlier_process(subject: Subject, documents: list[Item]) -> None:
    with closing(subject.open()) as sink:
        assert sink.prepare() is None
        assert set(kinds(sink.send(documents), len(documents))) == {Delivered}


def test_documents_are_delivered_and_found_by_a_process_that_begins_anew(subject: Subject) -> None:
    store_in_an_earlier_process(subject, items(1, 50))
    with closing(subject.open()) as sink:
        assert sink.prepare() is None

        assert sink.look_up(ids(items(1, 60)), []) == Found(frozenset(ids(items(1, 50))))


def test_a_document_sent_a_second_time_is_there_already_and_stored_once(subject: Subject) -> None:
    store_in_an_earlier_process(subject, items(1, 3))
    with closing(subject.open()) as sink:
        sink.prepare()

        assert kinds(sink.send(items(1, 3)), 3) == [Conflict, Conflict, Conflict]


def test_each_outcome_stands_in_the_place_of_its_document_and_a_refusal_has_a_reason(
    subject: Subject,
) -> None:
    store_in_an_earlier_process(subject, items(1, 1))
    with closing(subject.open()) as sink:
        sink.prepare()
        sent = [*items(1, 1), *items(2, 2, subject.never_stored), *items(3, 3)]
        there_already, refused, delivered = each_outcome(sink.send(sent), 3)

    assert isinstance(there_already, Conflict)
    assert isinstance(refused, Refused)
    assert len(refused.reason) > len("no")
    assert isinstance(delivered, Delivered)


def test_what_was_refused_is_not_found_and_is_refused_again(subject: Subject) -> None:
    broken = items(1, 1, subject.never_stored)
    with closing(subject.open()) as sink:
        sink.prepare()
        first = kinds(sink.send([*broken, *items(2, 2)]), 2)
    with closing(subject.open()) as sink:
        sink.prepare()
        found = sink.look_up(ids(broken), [])
        second = kinds(sink.send([*broken, *items(3, 3)]), 2)

    assert found == Found(frozenset())
    assert first == second == [Refused, Delivered]


def test_threads_may_send_at_once(subject: Subject) -> None:
    batches = [items(first, first + 9) for first in range(1, 81, 10)]
    with closing(subject.open()) as sink:
        sink.prepare()
        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(sink.send, batches))
    with closing(subject.open()) as sink:
        sink.prepare()
        found = sink.look_up(ids(items(1, 80)), [])

    assert {kind for outcome in outcomes for kind in kinds(outcome, 10)} == {Delivered}
    assert found == Found(frozenset(ids(items(1, 80))))


def test_without_its_store_a_sink_says_what_stands_in_the_way_and_proves_nothing(subject: Subject) -> None:
    with closing(subject.open_without_store()) as sink:
        trouble = sink.prepare()
        outcome = sink.send(items(1, 2))
        looked_up = sink.look_up(ids(items(1, 2)), [])

    assert trouble
    assert isinstance(outcome, Unknown)
    assert outcome.reason
    assert isinstance(looked_up, Unknown | CannotLookUp) or looked_up == Found(frozenset())


def test_preparing_and_closing_may_be_repeated(subject: Subject) -> None:
    sink = subject.open()
    troubles = [sink.prepare(), sink.prepare()]
    sink.close()
    sink.close()
    never_prepared = subject.open()
    never_prepared.close()

    assert troubles == [None, None]
