"""What elastic_lite and the real Elasticsearch both do with a bulk request as a whole."""

from __future__ import annotations

import gzip
import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.elasticsearch_fixture import NDJSON, Store

BODY_BYTES_MAX = 100 * 1024 * 1024


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"create":{}}\n{"a":1}', "illegal_argument_exception"),
        (b"", "parse_exception"),
        (b"\n", "action_request_validation_exception"),
        (b'{"create":{"_id":"1"}}\n', "action_request_validation_exception"),
        (b'{"create":{}}\n{}\n{"publish":{}}\n{}\n', "illegal_argument_exception"),
        (b'{"create":{"colour":"red"}}\n{}\n', "illegal_argument_exception"),
        (b'{"create":1}\n{}\n', "illegal_argument_exception"),
        (b"[]\n{}\n", "illegal_argument_exception"),
        (b"x\n{}\n", "x_content_parse_exception"),
        (b'{"create":{"_id":"%s"}}\n{}\n' % (b"i" * 513), "action_request_validation_exception"),
        (b'{"create":{"version":3}}\n{}\n', "action_request_validation_exception"),
        (b'{"index":{"_id":"a","if_seq_no":3}}\n{}\n', "action_request_validation_exception"),
    ],
)
def test_malformed_bulk_is_refused_whole(store: Store, body: bytes, kind: str) -> None:
    index = store.index()
    answer = store.call("POST", f"/{index}/_bulk", body, NDJSON)
    store.ok("POST", f"/{index}/_refresh")

    assert answer.status_code == 400
    assert answer.json()["error"]["root_cause"][0]["type"] == kind
    assert store.count(index) == 0


def test_bulk_without_an_index_is_refused(store: Store) -> None:
    answer = store.bulk("", [{"create": {}}, {}])

    assert answer.status_code == 400
    assert "index is missing" in answer.json()["error"]["reason"]


def test_last_action_without_its_document_is_dropped_silently(store: Store) -> None:
    items = store.items(f"/{store.index()}", [{"create": {"_id": "a"}}, {}, {"create": {"_id": "b"}}])

    assert [item["_id"] for item in items] == ["a"]


def test_empty_lines_between_actions_are_skipped(store: Store) -> None:
    items = store.items(
        f"/{store.index()}", [b"", {"create": {"_id": "a"}}, {}, b"", {"create": {"_id": "b"}}, {}]
    )

    assert [item["_id"] for item in items] == ["a", "b"]


@pytest.mark.parametrize("parameters", ["?refresh=maybe", "?colour=red"])
def test_unknown_parameter_is_refused(store: Store, parameters: str) -> None:
    answer = store.bulk(f"/{store.index()}", [{"create": {}}, {}], parameters)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"


def test_body_of_another_media_type_is_refused(store: Store) -> None:
    answer = store.call("POST", f"/{store.index()}/_bulk", b'{"create":{}}\n{}\n', "text/plain")

    assert answer.status_code == 406
    assert answer.json() == {"error": "Content-Type header [text/plain] is not supported", "status": 406}


def test_versioned_media_types_are_spoken(store: Store) -> None:
    versioned = "application/vnd.elasticsearch+json; compatible-with=8"
    path, body = f"/{store.index()}/_bulk", b'{"create":{}}\n{}\n'
    answer = store.call(
        "POST", path, body, "application/vnd.elasticsearch+x-ndjson; compatible-with=8", Accept=versioned
    )
    newer = store.call("GET", "/_cluster/health", Accept=versioned.replace("8", "9"))

    assert answer.headers["Content-Type"] == "application/vnd.elasticsearch+json;compatible-with=8"
    assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    assert newer.status_code == 400
    assert newer.json()["error"]["type"] == "media_type_header_exception"


def test_gzip_is_read_and_written(store: Store) -> None:
    path = f"/{store.index()}/_bulk"
    body = gzip.compress(b'{"create":{"_id":"a"}}\n{}\n')
    packed = store.call("POST", path, body, NDJSON, Content_Encoding="gzip", Accept_Encoding="gzip")
    plain = store.call("GET", "/_cluster/health", Accept_Encoding="identity")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json()["items"][0]["create"]["status"] == 201
    assert "Content-Encoding" not in plain.headers


def test_body_that_says_it_is_too_large_is_a_413_before_it_is_sent(store: Store) -> None:
    connection = http.client.HTTPConnection(urlsplit(store.url).netloc, timeout=10)
    connection.putrequest("POST", f"/{store.index()}/_bulk")
    connection.putheader("Content-Type", NDJSON)
    connection.putheader("Content-Length", str(BODY_BYTES_MAX + 1))
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()

    assert answer.status == 413
    assert content == b""


def test_body_cut_by_a_lost_connection_is_not_executed(store: Store) -> None:
    index = store.index()
    connection = http.client.HTTPConnection(urlsplit(store.url).netloc, timeout=10)
    connection.putrequest("POST", f"/{index}/_bulk?refresh=true")
    connection.putheader("Content-Type", NDJSON)
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(b'{"create":{"_id":"a"}}\n{}\n')
    connection.close()
    store.items(f"/{index}", [{"create": {"_id": "b"}}, {}], "?refresh=true")

    assert store.call("GET", f"/{index}/_doc/a").status_code == 404


def test_body_that_is_too_large_once_decompressed_is_a_413(store: Store) -> None:
    bomb = gzip.compress(b"\n" * (BODY_BYTES_MAX + 1))
    answer = store.call("POST", f"/{store.index()}/_bulk", bomb, NDJSON, Content_Encoding="gzip")

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("filter_path", "expected"),
    [
        (
            "errors,items.*.status",
            {"errors": True, "items": [{"create": {"status": 201}}, {"create": {"status": 409}}]},
        ),
        (
            "items.*.error.type",
            {"items": [{"create": {"error": {"type": "version_conflict_engine_exception"}}}]},
        ),
        ("**.type", {"items": [{"create": {"error": {"type": "version_conflict_engine_exception"}}}]}),
        ("items.create._id,-took", {"items": [{"create": {"_id": "a"}}, {"create": {"_id": "a"}}]}),
        ("it*.cr*te.st*s", {"items": [{"create": {"status": 201}}, {"create": {"status": 409}}]}),
        (
            "items,-items.create._*,-**.error,-**.result",
            {"items": [{"create": {"status": 201}}, {"create": {"status": 409}}]},
        ),
        ("errors,-errors", {}),
        ("nothing", {}),
    ],
)
def test_filter_path_keeps_what_it_names(store: Store, filter_path: str, expected: Any) -> None:
    lines = [{"create": {"_id": "a"}}, {}, {"create": {"_id": "a"}}, {}]
    answer = store.bulk(f"/{store.index()}", lines, f"?filter_path={filter_path}")

    assert answer.json() == expected


def test_filter_path_leaves_errors_whole(store: Store) -> None:
    answer = store.call("GET", f"/{store.name()}/_search?filter_path=took")

    assert answer.json()["error"]["type"] == "index_not_found_exception"
