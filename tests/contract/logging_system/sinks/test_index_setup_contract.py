"""What the sink sets up on elastic_lite and on the real Elasticsearch, and what it leaves alone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import orjson
import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import Delivered, DocumentOutcome, Refused
from logging_system.sinks.elasticsearch.index_template import CUSTOM_NAME, OWNER, PRIORITY, VERSION
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.contract.elasticsearch_fixture import Store
from tests.outcomes import kinds

EPOCH = bytes(range(16))
STAMP = "2026-01-01T00:00:00Z"


def prepared(store: Store, stream: str, *, gzip: bool = False) -> ElasticsearchSink:
    store.used.append(f"logging-system-{stream}")
    sink = ElasticsearchSink([store.url], stream, gzip=gzip)
    assert sink.prepare() is None
    return sink


def sent(sink: ElasticsearchSink, *documents: dict[str, Any]) -> list[type[DocumentOutcome]]:
    items = [Item(EPOCH, number, orjson.dumps(document)) for number, document in enumerate(documents)]
    return kinds(sink.send(items), len(items))


def shown(store: Store, stream: str) -> dict[str, Any]:
    """The index template as the server keeps it."""
    found = store.ok("GET", f"/_index_template/logging-system-{stream}")
    return dict(found["index_templates"][0]["index_template"])


def backing_index(store: Store, stream: str) -> dict[str, Any]:
    ((name, index),) = store.ok("GET", f"/{stream}").items()
    assert name.startswith(f".ds-{stream}-")
    return dict(index)


def test_documents_go_to_a_data_stream_whose_mapping_no_document_changes(store: Store) -> None:
    stream = store.name("logs")
    with closing(prepared(store, stream)) as sink:
        before = sent(sink, {"@timestamp": STAMP, "message": "m"})
        mapping = backing_index(store, stream)["mappings"]
        after = sent(sink, {}, {"@timestamp": STAMP, "unknown": {"deep": [1, 2]}, "labels": {"a": {"b": 1}}})

    assert before == [Delivered]
    assert after[1] is Delivered
    assert backing_index(store, stream)["mappings"] == mapping
    assert mapping["properties"]["labels"]["type"] == "flattened"
    assert str(mapping["dynamic"]).lower() == "false"


def test_malformed_values_are_stored_and_a_malformed_time_is_not(store: Store) -> None:
    stream = store.name("logs")
    with closing(prepared(store, stream)) as sink:
        found = sent(
            sink,
            {"@timestamp": STAMP, "process": {"pid": "no number"}, "event": {"sequence": "x"}},
            {"@timestamp": "no time"},
        )

    assert found == [Delivered, Refused]


def test_what_is_stored_is_what_was_sent(store: Store) -> None:
    stream = store.name("logs")
    document = {"message": "m", "@timestamp": STAMP, "labels": {"b": 2, "a": [3, 1, 1]}, "z": [2, 1, 1]}
    with closing(prepared(store, stream)) as sink:
        sent(sink, document)
    store.ok("POST", f"/{stream}/_refresh")
    (hit,) = store.ok("POST", f"/{stream}/_search", {})["hits"]["hits"]

    assert orjson.dumps(hit["_source"]) == orjson.dumps(document)


def test_setting_up_again_changes_nothing(store: Store) -> None:
    stream = store.name("logs")
    prepared(store, stream).close()
    before = shown(store, stream)
    prepared(store, stream).close()

    assert shown(store, stream) == before
    assert before["priority"] == PRIORITY
    assert before["_meta"]["managed_by"] == OWNER


def test_what_the_server_lacks_is_said_once_and_documents_go_on(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stream = store.name("logs")
    with closing(prepared(store, stream)) as sink:
        sink.prepare()
        delivered = sent(sink, {"@timestamp": STAMP})

    assert caplog.text.count("the server has no data stream lifecycle") == 1
    assert f"POST /{stream}/_rollover" in caplog.text
    assert delivered == [Delivered]


def test_somebody_elses_template_of_our_name_is_left_and_said(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stream = store.name("logs")
    theirs = {"index_patterns": [stream], "priority": 300, "data_stream": {}}
    store.ok("PUT", f"/_index_template/logging-system-{stream}", theirs)
    before = shown(store, stream)
    with closing(prepared(store, stream)) as sink:
        delivered = sent(sink, {"@timestamp": STAMP})

    assert shown(store, stream) == before
    assert f"index template logging-system-{stream} was not created by logging_system" in caplog.text
    assert delivered == [Delivered]


def test_somebody_elses_template_of_our_priority_is_left_and_said(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stream, other = store.name("logs"), store.name("other")
    theirs = {"index_patterns": [f"{stream}*"], "priority": PRIORITY, "data_stream": {}}
    store.ok("PUT", f"/_index_template/{other}", theirs)
    with closing(prepared(store, stream)) as sink:
        delivered = sent(sink, {"@timestamp": STAMP})

    assert "have the same priority [200]" in caplog.text
    assert delivered == [Delivered]


@pytest.mark.parametrize(("version", "updated"), [(None, True), (VERSION - 1, True), (VERSION + 1, False)])
def test_an_older_template_of_ours_is_brought_up_to_date_and_a_newer_one_is_left(
    store: Store, version: int | None, updated: bool
) -> None:
    stream = store.name("logs")
    meta = {"managed_by": OWNER, **({} if version is None else {"version": version})}
    before = {"index_patterns": [stream], "priority": PRIORITY, "data_stream": {}, "_meta": meta}
    store.ok("PUT", f"/_index_template/logging-system-{stream}", before)
    prepared(store, stream).close()

    assert (shown(store, stream)["_meta"] != meta) is updated


def test_the_operators_own_component_wins(store: Store) -> None:
    stream = store.name("logs")
    part = {"mappings": {"properties": {"order": {"type": "long"}}}}
    store.ok("PUT", f"/_component_template/{CUSTOM_NAME}", {"template": part})
    with closing(prepared(store, stream)) as sink:
        sent(sink, {"@timestamp": STAMP, "order": 1})
    found = backing_index(store, stream)["mappings"]["properties"]["order"]
    store.ok("PUT", f"/_component_template/{CUSTOM_NAME}", {"template": {}})

    assert found == {"type": "long"}


def test_packed_bodies_are_taken(store: Store) -> None:
    stream = store.name("logs")
    with closing(prepared(store, stream, gzip=True)) as sink:
        found = sent(sink, *[{"@timestamp": STAMP, "message": "m" * 100} for _ in range(50)])

    assert found == [Delivered] * 50
