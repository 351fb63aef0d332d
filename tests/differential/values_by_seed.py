"""Stories of odd values: a search as clients send it, in which one value is another of any type.

Half of the searches name no index, where no shard is asked: what only shards find wrong is right there.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from tests.differential.asked import Asked

Json = dict[str, Any]
SEARCHES_MAX = 40
ODD: tuple[Any, ...] = (
    None, True, "x", "", "true", "5", 5, 2.5, -1, [], ["x"], [None], {}, {"x": 1}, 10**12, "2024-01-01", 1e20,
)  # fmt: skip
FIELDS: Json = {
    "a": {"type": "keyword"},
    "n": {"type": "long"},
    "u": {"type": "integer"},
    "d": {"type": "date"},
    "b": {"type": "boolean"},
    "ip": {"type": "ip"},
    "f": {"type": "double"},
    "fl": {"type": "flattened"},
    "t": {"type": "text"},
}
DOCUMENTS: tuple[Json, ...] = (
    {"a": "x", "n": 1, "u": 1, "d": "2024-01-01", "b": True, "ip": "10.0.0.1", "f": 1.5, "fl": {"x": "v"}},
    {"a": "y", "n": 5, "u": 2, "d": "2024-02-01", "b": False, "ip": "10.0.0.2", "f": 2.5, "t": "true 5"},
    {"u": 3, "t": "word other"},
)
VALUES: Json = {
    "a": "x", "n": 1, "b": True, "d": "2024-01-01", "ip": "10.0.0.1", "f": 1.5, "fl.x": "v", "t": "word",
    "_id": "1", "none": "1",
}  # fmt: skip
SORT: Json = {"order": "asc", "missing": "_last", "mode": "min", "unmapped_type": "long"}
QUERIES: tuple[Json, ...] = (
    *({"term": {name: value}} for name, value in VALUES.items()),
    *({"terms": {name: [value], "boost": 1}} for name, value in VALUES.items()),
    *({"match": {name: value}} for name, value in VALUES.items()),
    *({"range": {name: {"gte": value, "boost": 1}}} for name, value in VALUES.items()),
    {"term": {"a": {"value": "x", "boost": 1.0, "case_insensitive": True}}},
    {"range": {"n": {"gte": 1, "lt": 5, "include_lower": True}}},
    {"range": {"d": {"gte": "2024-01-01", "lt": "2024-02-01", "format": "yyyy-MM-dd"}}},
    {"range": {"fl.x": {"gte": "a", "lte": "z"}}},
    {"match": {"t": {"query": "word other", "operator": "and", "boost": 1}}},
    {"match_phrase": {"t": {"query": "word other", "slop": 0}}},
    {"match_phrase": {"n": 1}},
    {"match_phrase": {"a": "x"}},
    {"prefix": {"a": {"value": "x", "case_insensitive": True}}},
    {"prefix": {"t": "wo"}},
    {"prefix": {"n": "1"}},
    {"wildcard": {"a": {"value": "x*", "case_insensitive": False}}},
    {"exists": {"field": "a", "boost": 1}},
    {"ids": {"values": ["1", "2"]}},
    {"constant_score": {"filter": {"term": {"a": "x"}}, "boost": 1}},
    {"bool": {"must": [{"term": {"a": "x"}}], "should": {"term": {"a": "y"}}, "minimum_should_match": 0}},
    {"match_all": {"boost": 1}},
    {"match_none": {}},
)
AGGREGATIONS: tuple[Json, ...] = (
    {"terms": {"field": "a", "size": 3, "missing": "z", "min_doc_count": 1, "order": {"_count": "desc"}}},
    {"terms": {"field": "n", "size": 3, "order": [{"_key": "asc"}]}, "aggs": {"y": {"sum": {"field": "f"}}}},
    {
        "date_histogram": {
            "field": "d",
            "calendar_interval": "month",
            "min_doc_count": 0,
            "format": "yyyy-MM-dd",
            "keyed": False,
        }
    },
    {"date_histogram": {"field": "d", "fixed_interval": "1d", "missing": "2024-01-01"}},
    {"min": {"field": "n", "missing": 3}},
    {"max": {"field": "d", "missing": "2024-01-01"}},
    {"stats": {"field": "f"}},
    {"value_count": {"field": "a"}},
    {"cardinality": {"field": "a", "precision_threshold": 100, "missing": "z"}},
    {"missing": {"field": "a"}},
    {"filter": {"term": {"a": "x"}}},
    {"filters": {"filters": {"one": {"term": {"a": "x"}}}, "other_bucket": False}},
    {"range": {"field": "n", "ranges": [{"from": 1, "to": 3, "key": "k"}], "keyed": False}},
)
SEARCHES: tuple[Json, ...] = (
    *({"query": query, "sort": ["u"]} for query in QUERIES),
    *({"size": 0, "aggs": {"x": aggregation}} for aggregation in AGGREGATIONS),
    {"size": 2, "from": 1, "sort": [{"n": SORT}, "u"], "track_total_hits": True, "_source": ["a"]},
    {"sort": "u", "version": True, "seq_no_primary_term": True, "timeout": "5s"},
    {"sort": "u", "_source": {"includes": ["a"], "excludes": ["b"]}},
    {"sort": "u", "_source": False, "profile": False, "explain": False, "track_scores": False},
    *({"sort": [name, "u"], "search_after": [VALUES[name], 0]} for name in ("a", "n", "f", "b", "ip")),
    {"sort": ["d", "u"], "search_after": [1_704_067_200_000, 0]},
    {"sort": [{"d": {"format": "yyyy-MM-dd"}}, "u"], "search_after": ["2024-01-01", 0]},
    {"sort": [{"none": {"unmapped_type": "long"}}, "u"], "search_after": [0, 0]},
    # Not of `_doc`: where a document lies is a number of each store's own.
    {"sort": ["_seq_no"], "search_after": [0]},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand in a body: the ways to them, the body's own left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def with_odd_value(rng: random.Random, body: Json) -> Json:
    """A copy of a body in which one value is another."""
    changed = copy.deepcopy(body)
    *way, last = rng.choice(list(places(body)))
    inside: Any = changed
    for key in way:
        inside = inside[key]
    inside[last] = rng.choice(ODD)
    return changed


def values_story(rng: random.Random, index: str) -> list[Asked]:
    """An index and searches of it, or of no index."""
    story = [
        Asked(
            "PUT",
            f"/{index}",
            {"mappings": {"properties": FIELDS}, "settings": {"number_of_replicas": 0}},
            writes=True,
        )
    ]
    for number, document in enumerate(DOCUMENTS, start=1):
        story.append(Asked("PUT", f"/{index}/_doc/{number}?refresh=true", document, writes=True))
    for _ in range(SEARCHES_MAX):
        target = rng.choice((index, f"no-{index}-*"))
        story.append(Asked("POST", f"/{target}/_search", with_odd_value(rng, rng.choice(SEARCHES))))
    return story
