"""One good request of every kind, and what becomes of it when each value in turn is of another type."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

WRONG: tuple[Any, ...] = (None, True, 7, 2.5, 10**19, "", "x", [], [1], [None], [[]], {}, {"x": 1}, {"x": {}})
FIELDS = {
    "n": {"type": "long", "index": True},
    "k": {"type": "keyword", "ignore_above": 10, "fields": {"raw": {"type": "text"}}},
    "d": {"type": "date", "format": "epoch_millis", "ignore_malformed": True},
    "o": {"properties": {"p": {"type": "boolean"}}, "dynamic": "strict"},
}
MAPPINGS = {"dynamic": False, "_meta": {"a": 1}, "_source": {"enabled": True}, "properties": FIELDS}
SETTINGS = {"index": {"number_of_replicas": 0, "refresh_interval": "1s", "blocks": {"write": False}}}
TEMPLATE = {"settings": {}, "mappings": {"properties": {"n": {"type": "long"}}}, "aliases": {}}
QUERIES: dict[str, Any] = {
    "bool": {
        "bool": {
            "must": [{"term": {"n": 1}}],
            "filter": {"exists": {"field": "n"}},
            "should": [{"match_all": {}}],
            "must_not": [],
            "minimum_should_match": 1,
            "boost": 1.0,
        }
    },
    "term": {"term": {"k": {"value": "a", "boost": 1.0, "case_insensitive": True}}},
    "terms": {"terms": {"k": ["a", "b"], "boost": 1.0}},
    "range": {"range": {"d": {"gte": "now-1d", "lt": 5, "format": "epoch_millis", "include_lower": False}}},
    "numbers": {"range": {"n": {"gte": 1, "lte": 5, "boost": 1.0}}},
    "ids": {"ids": {"values": ["1"]}},
    "match": {"match": {"k.raw": {"query": "a", "operator": "and"}}},
    "phrase": {"match_phrase": {"k.raw": {"query": "a b", "slop": 0}}},
    "prefix": {"prefix": {"k": {"value": "a"}}},
    "wildcard": {"wildcard": {"k": {"value": "a*"}}},
    "constant": {"constant_score": {"filter": {"term": {"n": 1}}, "boost": 1.0}},
    "exists": {"exists": {"field": "n"}},
}
AGGREGATIONS: dict[str, Any] = {
    "terms": {
        "terms": {
            "field": "k",
            "size": 3,
            "order": [{"_count": "asc"}, {"m": "desc"}],
            "min_doc_count": 1,
            "missing": "x",
            "include": ["a"],
            "exclude": ["b"],
            "shard_size": 5,
            "show_term_doc_count_error": True,
        },
        "aggs": {"m": {"max": {"field": "n", "missing": 1}}},
    },
    "histogram": {
        "date_histogram": {
            "field": "d",
            "calendar_interval": "day",
            "format": "epoch_millis",
            "min_doc_count": 1,
            "keyed": True,
            "order": {"_key": "asc"},
            "missing": 5,
        }
    },
    "fixed": {"date_histogram": {"field": "d", "fixed_interval": "1h", "min_doc_count": 1}},
    "filter": {"filter": {"term": {"n": 1}}},
    "filters": {
        "filters": {"filters": {"a": {"match_all": {}}}, "other_bucket": True, "other_bucket_key": "o"}
    },
    "anonymous": {"filters": {"filters": [{"match_all": {}}], "keyed": True}},
    "missing": {"missing": {"field": "k"}},
    "range": {"range": {"field": "n", "ranges": [{"from": 1, "to": 2, "key": "a"}], "keyed": True}},
    "percentiles": {"percentiles": {"field": "n", "percents": [50, 99.0], "keyed": False}},
    "stats": {"stats": {"field": "n"}},
    "cardinality": {"cardinality": {"field": "k", "precision_threshold": 100}},
}
SEARCH = {
    "query": {"match_all": {}},
    "size": 2,
    "from": 0,
    "sort": [{"n": {"order": "asc", "missing": "_last"}}, "k"],
    "_source": {"includes": ["n"], "excludes": ["k"]},
    "track_total_hits": True,
    "version": True,
    "seq_no_primary_term": True,
    "timeout": "1s",
    "track_scores": False,
    "explain": False,
}
# Paths name an index that is there as {index}, names that are free as {free}, a stream as {stream}.
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "put index": ("PUT", "/{free}", {"settings": SETTINGS, "mappings": MAPPINGS, "aliases": {}}),
    "put mapping": ("PUT", "/{index}/_mapping", MAPPINGS),
    "put settings": (
        "PUT",
        "/{index}/_settings",
        {"index": {"refresh_interval": "1s", "blocks": {"write": False}}},
    ),
    "wrapped settings": ("PUT", "/{index}/_settings", {"settings": {"index.refresh_interval": "1s"}}),
    "put component": (
        "PUT",
        "/_component_template/{free}",
        {"template": TEMPLATE, "version": 1, "_meta": {"a": 1}},
    ),
    "put template": (
        "PUT",
        "/_index_template/{free}",
        {
            "index_patterns": ["{free}-*"],
            "template": TEMPLATE,
            "composed_of": [],
            "priority": 901,
            "version": 1,
            "_meta": {},
            "data_stream": {"hidden": False},
            "allow_auto_create": True,
            "ignore_missing_component_templates": [],
        },
    ),
    "cluster settings": ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": 1000}}),
    "transient settings": (
        "PUT",
        "/_cluster/settings",
        {"transient": {"action": {"auto_create_index": "true"}}},
    ),
    "rollover": (
        "POST",
        "/{stream}/_rollover?dry_run",
        {"conditions": {"max_docs": 5, "max_age": "1d", "max_size": "1gb", "min_docs": 1}},
    ),
    "multi get": ("POST", "/_mget", {"docs": [{"_index": "{index}", "_id": "1", "_source": ["n"]}]}),
    "multi get of ids": ("POST", "/{index}/_mget", {"ids": ["1", "2"]}),
    "count": ("POST", "/{index}/_count", {"query": {"match_all": {}}}),
    "search": ("POST", "/{index}/_search", SEARCH),
    "search after": ("POST", "/{index}/_search", {"sort": ["n", {"d": "desc"}], "search_after": [1, 2]}),
    "search a point": ("POST", "/_search", {"pit": {"id": "{point}", "keep_alive": "1m"}}),
    "document": ("PUT", "/{index}/_doc/9", {"n": 1, "k": "a", "d": 5, "o": {"p": True}}),
    "into a stream": ("POST", "/{stream}/_doc", {"@timestamp": 5, "n": 1}),
    **{f"query {name}": ("POST", "/{index}/_search", {"query": query}) for name, query in QUERIES.items()},
    **{
        f"aggregation {name}": ("POST", "/{index}/_search", {"size": 0, "aggs": {"a": aggregation}})
        for name, aggregation in AGGREGATIONS.items()
    },
}
# What is asked afterwards of what a request made, until it is gone.
AFTERWARDS: dict[str, list[tuple[str, str, Any]]] = {
    "put index": [
        ("GET", "/{free}", None),
        ("PUT", "/{free}/_doc/1?refresh=true", {"n": 1, "k": "a", "d": 5}),
        ("POST", "/{free}/_search", {"sort": ["n"]}),
        ("DELETE", "/{free}", None),
    ],
    "put component": [
        (
            "PUT",
            "/_index_template/{free}",
            {"index_patterns": ["{free}-*"], "priority": 902, "composed_of": ["{free}"]},
        ),
        ("PUT", "/{free}-y", {}),
        ("DELETE", "/{free}-y", None),
        ("DELETE", "/_index_template/{free}", None),
        ("DELETE", "/_component_template/{free}", None),
    ],
    "put template": [
        ("GET", "/_index_template/{free}", None),
        ("PUT", "/_data_stream/{free}-x", None),
        ("PUT", "/{free}-y", {}),
        ("DELETE", "/_data_stream/{free}-x", None),
        ("DELETE", "/{free}-y", None),
        ("DELETE", "/_index_template/{free}", None),
    ],
}


def variants(good: Any) -> Iterator[Any]:
    """The body with each of its values, itself included, replaced by each wrong one."""
    for path in places(good):
        for wrong in WRONG:
            yield replaced(good, path, wrong)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where there is a value: keys and positions from the outside."""
    yield ()
    inner = dict(enumerate(value)) if isinstance(value, list) else value
    for key, child in inner.items() if isinstance(inner, dict) else ():
        yield from ((key, *rest) for rest in places(child))


def replaced(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """A copy with another value in one place."""
    if not path:
        return wrong
    out = copy.copy(value)
    out[path[0]] = replaced(value[path[0]], path[1:], wrong)
    return out


def filled_in(value: Any, names: Mapping[str, str]) -> Any:
    """A request with the names of one test."""
    if isinstance(value, str):
        for word, name in names.items():
            value = value.replace(f"{{{word}}}", name)
        return value
    if isinstance(value, dict):
        return {filled_in(key, names): filled_in(each, names) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled_in(each, names) for each in value)
    return value
