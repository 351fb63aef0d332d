"""A value of a wrong type, wherever it stands in a request, is refused, and never a defect here."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store
from tests.contract.harness.programs.elastic_lite.wrong_types import AFTERWARDS, REQUESTS, filled_in, variants

FREE = count()
# What the real server answers to a document that is no object, as elastic_lite does.
LIKE_THE_REAL_ONE = "not_x_content_exception"


def named(store: Store) -> dict[str, str]:
    """What the requests name: an index with two documents, a data stream and a point in time."""
    fields = {"n": {"type": "long"}, "d": {"type": "date", "format": "epoch_millis"}}
    words = {"type": "keyword", "ignore_above": 10, "fields": {"raw": {"type": "text"}}}
    index = store.index({**fields, "k": words})
    store.fill(index, {"1": {"n": 1, "k": "a", "d": 5}, "2": {"n": 2, "k": ["b", "c"]}})
    stream = store.stream()
    store.items(f"/{stream}", [{"create": {}}, {"@timestamp": 1}], "?refresh=true")
    return {"index": index, "stream": stream, "point": store.point(index)}


def defects(store: Store, name: str, body: Any, names: dict[str, str]) -> list[str]:
    """What only a defect answers to a request with this body, and to the use of what it made."""
    method, path, _ = REQUESTS[name]
    free = {**names, "free": f"wrong-{store.suffix}-{next(FREE)}"}
    found = []
    for asked in [(method, path, body), *AFTERWARDS.get(name, [])]:
        answer = store.call(*filled_in(asked, free))
        if answer.status_code >= 500 and answer.json()["error"]["type"] != LIKE_THE_REAL_ONE:
            found.append(f"{filled_in(asked, free)}: {answer.json()['error']['reason']}")
    return found


@pytest.mark.parametrize("name", REQUESTS)
def test_no_wrong_type_anywhere_is_a_defect(elastic_lite_url: str, name: str) -> None:
    store = Store(elastic_lite_url)
    names = named(store)
    method, path, good = filled_in(REQUESTS[name], {**names, "free": store.name()})
    granted = store.call(method, path, good)
    found = [defect for body in variants(REQUESTS[name][2]) for defect in defects(store, name, body, names)]
    store.close()

    assert granted.status_code < 300, granted.text
    assert found == []


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PUT", "/{free}", {"settings": 7}, "parse_exception"),
        ("PUT", "/{free}", {"settings": {"index.refresh_interval": [1]}}, "illegal_argument_exception"),
        ("PUT", "/{free}", {"mappings": [1]}, "parse_exception"),
        ("PUT", "/{free}", {"mappings": {"properties": "x"}}, "parse_exception"),
        ("PUT", "/{free}", {"mappings": {"properties": {"n": 7}}}, "mapper_parsing_exception"),
        ("PUT", "/{free}", {"mappings": {"properties": {"n": {"type": [1]}}}}, "mapper_parsing_exception"),
        (
            "PUT",
            "/{free}",
            {"mappings": {"properties": {"k": {"type": "keyword", "ignore_above": "x"}}}},
            "mapper_parsing_exception",
        ),
        ("PUT", "/{index}/_mapping", {"properties": [1]}, "parse_exception"),
        ("PUT", "/{index}/_mapping", {"properties": {"n": "x"}}, "mapper_parsing_exception"),
        ("PUT", "/_index_template/{free}", {"index_patterns": 7}, "x_content_parse_exception"),
        ("PUT", "/_index_template/{free}", {"index_patterns": [[]]}, "x_content_parse_exception"),
        (
            "PUT",
            "/_index_template/{free}",
            {"index_patterns": ["nobody-*"], "priority": "x"},
            "x_content_parse_exception",
        ),
        (
            "PUT",
            "/_index_template/{free}",
            {"index_patterns": ["nobody-*"], "data_stream": 7},
            "x_content_parse_exception",
        ),
        (
            "PUT",
            "/_index_template/{free}",
            {"index_patterns": ["nobody-*"], "composed_of": True},
            "x_content_parse_exception",
        ),
        ("POST", "/_mget", {"docs": 7}, "parsing_exception"),
        ("POST", "/_mget", {"docs": [7]}, "illegal_argument_exception"),
        ("POST", "/{index}/_mget", {"ids": 7}, "parsing_exception"),
        ("POST", "/{index}/_mget", {"ids": [[]]}, "illegal_argument_exception"),
        ("POST", "/{index}/_search", {"sort": [7]}, "illegal_argument_exception"),
        ("POST", "/{index}/_search", {"sort": [{"n": 7}]}, "x_content_parse_exception"),
        ("POST", "/{index}/_search", {"_source": {"includes": 7}}, "parsing_exception"),
        ("POST", "/{index}/_search", {"sort": ["n"], "search_after": 7}, "parsing_exception"),
        ("POST", "/{index}/_search", {"sort": ["n"], "search_after": [[]]}, "parsing_exception"),
    ],
)
def test_wrong_type_is_refused(store: Store, method: str, path: str, body: Any, kind: str) -> None:
    index, free = store.index({"n": {"type": "long"}}), store.name()

    assert store.refused(*filled_in((method, path, body), {"index": index, "free": free})) == (400, kind)
