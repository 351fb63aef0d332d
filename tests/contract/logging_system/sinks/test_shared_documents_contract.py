"""Engines agree on who leads by documents that are compared first: on elastic_lite and Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from logging_system.coordination.claims import Claim, Claims
from logging_system.coordination.lease import LEASE_ID, Lease, SharedDocuments, StoreUnavailableError
from logging_system.coordination.stored_lead import StoredDocuments
from logging_system.sinks.elasticsearch.shared_documents import DocumentIndex
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.contract.elasticsearch_fixture import Store
from tests.unit.logging_system.coordination.engines import Documents

ENGINES = 8
UNTIL = 1e9


@pytest.fixture
def sink(store: Store) -> Iterator[ElasticsearchSink]:
    with closing(ElasticsearchSink([store.url], "logs-none-default")) as opened:
        yield opened


@pytest.fixture(params=["store", "memory"])
def documents(request: pytest.FixtureRequest, store: Store, sink: ElasticsearchSink) -> SharedDocuments:
    """The fake that unit tests use must do as the stores do."""
    if request.param == "memory":
        return Documents()
    return StoredDocuments(DocumentIndex(sink.request, store.name("coordination")))


def test_a_document_is_made_once_and_replaced_where_it_is_the_one_that_was_read(
    documents: SharedDocuments,
) -> None:
    assert documents.read("a") is None
    assert documents.create("a", {"n": 1})
    assert not documents.create("a", {"n": 2})
    before = documents.read("a")
    assert before is not None
    assert before.content == {"n": 1}

    assert documents.replace("a", {"n": 3}, before)
    assert not documents.replace("a", {"n": 4}, before)
    after = documents.read("a")
    assert after is not None
    assert after.content == {"n": 3}


def test_of_engines_that_ask_at_once_one_leads(documents: SharedDocuments) -> None:
    leases = [Lease(documents, f"engine-{number}") for number in range(ENGINES)]
    with ThreadPoolExecutor(ENGINES) as pool:
        list(pool.map(_look, leases))

    assert [lease.token() for lease in leases if lease.token()] == [1]


def test_of_engines_that_take_over_at_once_one_leads(documents: SharedDocuments) -> None:
    first = Lease(documents, "first")
    first.look()
    first.give_up()
    leases = [Lease(documents, f"engine-{number}") for number in range(ENGINES)]
    with ThreadPoolExecutor(ENGINES) as pool:
        list(pool.map(_look, leases))

    assert [lease.token() for lease in leases if lease.token()] == [2]


def test_of_engines_that_claim_a_step_at_once_one_has_it(documents: SharedDocuments) -> None:
    claims = [Claims(documents, f"engine-{number}") for number in range(ENGINES)]
    with ThreadPoolExecutor(ENGINES) as pool:
        taken = list(pool.map(lambda each: each.take("step", 1, UNTIL), claims))

    assert taken.count(Claim.MINE) == 1


def test_claims_whose_time_is_past_are_removed_and_nothing_else_is(documents: SharedDocuments) -> None:
    claims = Claims(documents, "engine")
    Lease(documents, "engine").look()
    claims.take("old", 1, UNTIL)
    claims.settle("old", was_done=True)
    claims.take("new", 1, UNTIL + 2)

    assert documents.remove_old(UNTIL) == 0
    assert documents.remove_old(UNTIL + 1) == 1
    assert documents.read("old") is None
    assert [documents.read(each) is None for each in ("new", LEASE_ID)] == [False, False]


def test_the_index_is_hidden(store: Store, sink: ElasticsearchSink) -> None:
    name = store.name("coordination")
    StoredDocuments(DocumentIndex(sink.request, name)).create("a", {"n": 1})
    settings = sink.request("GET", f"/{name}/_settings", b"", "application/json")

    assert b'"hidden":"true"' in getattr(settings, "body", b"")


def test_a_store_that_does_not_answer_is_told() -> None:
    with closing(ElasticsearchSink(["http://127.0.0.1:1"], "logs-none-default")) as sink:
        documents = StoredDocuments(DocumentIndex(sink.request))

        with pytest.raises(StoreUnavailableError):
            documents.read("a")
        with pytest.raises(StoreUnavailableError):
            documents.create("a", {})


def _look(lease: Lease) -> bool:
    return lease.look()
