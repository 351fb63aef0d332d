"""Stories of several indices: one name with different types in each, templates, patterns, settings, pages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.differential.asked import Asked

Json = dict[str, Any]
# The same name with another type in another index, or in none.
MAPPINGS: tuple[Json, ...] = (
    {"k": {"type": "keyword"}, "n": {"type": "long"}, "d": {"type": "date"}, "t": {"type": "text"}},
    {"k": {"type": "keyword"}, "n": {"type": "integer"}, "d": {"type": "date"}},
    {"k": {"type": "text"}, "n": {"type": "double"}, "d": {"type": "date_nanos"}},
    {"k": {"type": "long"}, "n": {"type": "keyword"}},
    {"k": {"type": "keyword"}, "n": {"type": "long"}, "o": {"properties": {"p": {"type": "ip"}}}},
)
DOCUMENTS: tuple[Json, ...] = (
    {"k": "1"}, {"k": "a", "n": 1}, {"n": 2, "d": "2024-01-01"}, {"d": "2024-02-01T10:00:00Z"},
    {"t": "one two"},
    {"n": "3"}, {"o": {"p": "10.0.0.1"}}, {"o.p": "::1"}, {"k": ["1", "2"]}, {"n": [1, 5]}, {"new": "x"},
)  # fmt: skip
QUERIES: tuple[Json, ...] = (
    {"match_all": {}}, {"term": {"k": "1"}}, {"term": {"k": "a"}}, {"range": {"n": {"gte": 2}}},
    {"range": {"d": {"gte": "2024-01-15"}}}, {"exists": {"field": "n"}}, {"exists": {"field": "o"}},
    {"terms": {"k": ["1", "a"]}}, {"bool": {"must_not": [{"exists": {"field": "d"}}]}},
    {"ids": {"values": ["1", "3"]}},
    {"prefix": {"k": "a"}}, {"term": {"n": 1}}, {"match": {"t": "two"}}, {"term": {"_id": "2"}},
    {"terms": {"_id": ["2", "4"]}}, {"wildcard": {"k": "*"}}, {"match": {"n": "1"}},
    {"exists": {"field": "_id"}},
    {"bool": {"filter": [{"term": {"k": "1"}}, {"range": {"n": {"lt": 10}}}]}}, {"match_none": {}},
    {"bool": {"should": [{"term": {"k": "a"}}, {"term": {"n": 2}}], "minimum_should_match": 1}},
    {"range": {"k": {"gte": "1"}}}, {"constant_score": {"filter": {"exists": {"field": "k"}}}},
)  # fmt: skip
SORTS: tuple[Any, ...] = (
    ["u"], [{"u": "desc"}], [{"n": {"order": "asc", "unmapped_type": "long"}}, "u"],
    [{"k": {"order": "desc", "unmapped_type": "keyword", "missing": "_first"}}, "u"],
    [{"d": {"order": "asc", "unmapped_type": "date"}}, "u"], [{"d": "asc"}, "u"], ["n", "u"],
    [{"_doc": "asc"}], "u", {"u": "desc"}, [{"u": {"order": "desc"}}], ["_index", "u"], [{"_id": "asc"}],
)  # fmt: skip
PARAMETERS = (
    "", "", "", "?ignore_unavailable=true", "?allow_no_indices=false", "?expand_wildcards=open", "?size=2",
    "?from=1&size=2", "?_source=false", "?_source_includes=k,o.*", "?_source_excludes=n",
    "?track_total_hits=false",
    "?filter_path=hits.total,hits.hits._id", "?filter_path=-hits.hits._source", "?version=true",
    "?typed_keys=true",
    "?rest_total_hits_as_int=true", "?sort=u:desc", "?_source=k,n", "?seq_no_primary_term=true", "?size=x",
    "?pretty=false",
    "?filter_path=hits.hits.sort", "?filter_path=**.k", "?preference=_local", "?expand_wildcards=none",
    "?q=*",
)  # fmt: skip
AGGREGATIONS: tuple[Json, ...] = (
    {"terms": {"field": "_index"}}, {"terms": {"field": "k"}}, {"max": {"field": "n"}},
    {"cardinality": {"field": "k"}},
    {"terms": {"field": "k", "order": {"_key": "asc"}, "size": 1}}, {"terms": {"field": "n", "missing": 9}},
    {"max": {"field": "n", "missing": "x"}},
    {"terms": {"field": "d", "missing": "soon"}}, {"terms": {"field": "n", "missing": 1.5}},
    {"terms": {"field": "nobody", "missing": "x"}}, {"avg": {"field": "nobody", "missing": 3}},
    {"value_count": {"field": "k", "missing": "x"}}, {"min": {"field": "_index", "missing": "x"}},
    {"terms": {"field": "k", "include": ["a"]}},
    {"terms": {"field": "k", "exclude": ["a"], "min_doc_count": 0}},
    {"terms": {"field": "k", "order": {"m": "desc"}}, "aggs": {"m": {"max": {"field": "u"}}}},
    {"date_histogram": {"field": "d", "calendar_interval": "week"}}, {"value_count": {"field": "n"}},
    {"date_histogram": {"field": "d", "fixed_interval": "12h", "min_doc_count": 1, "keyed": True}},
    {
        "date_histogram": {
            "field": "d", "calendar_interval": "1d", "format": "yyyy-MM-dd", "order": {"_count": "desc"},
        },
    },
    {"date_histogram": {"field": "d", "calendar_interval": "quarter"}},
    {"percentiles": {"field": "u", "percents": [50]}},
    {"filters": {"filters": [{"term": {"u": 1}}, {"match_all": {}}], "other_bucket": True}},
    {"missing": {"field": "d"}},
    {"filters": {"filters": {"one": {"term": {"u": 1}}}, "other_bucket_key": "rest"}},
    {"stats": {"field": "d"}},
    {"range": {"field": "u", "ranges": [{"key": "few", "to": 3}, {"from": 3}], "keyed": True}},
    {"terms": {"field": "u", "size": 3, "shard_size": 3}}, {"min": {"field": "d", "missing": "2020-01-01"}},
    {"avg": {"field": "n"}}, {"sum": {"field": "n", "missing": 4}}, {"extended_stats": {"field": "u"}},
    {"top_hits": {}}, {"composite": {"sources": []}}, {"terms": {"field": "k", "size": 0}}, {"terms": {}},
    {"percentiles": {"field": "u", "keyed": False, "percents": [0, 25, 99.9]}}, {"terms": {"field": "t"}},
)  # fmt: skip
SETTINGS: tuple[Json, ...] = (
    {"number_of_replicas": 1}, {"index": {"refresh_interval": "1s"}}, {"index.refresh_interval": None},
    {"index.blocks.write": True}, {"blocks.write": None}, {"index.max_result_window": 3},
    {"number_of_shards": 2},
    {"index.hidden": True}, {"index.colour": "red"}, {"index.blocks.read": "true"},
    {"blocks": {"read": False}},
    {"index.mapping.total_fields.limit": 5}, {"index.number_of_replicas": "x"}, {},
    {"index.codec": "default"},
)  # fmt: skip


def indices_story(rng: random.Random, name: str, length: int = 60) -> list[Asked]:
    """A story of three indices, one of them made by its first document through a template."""
    teller = Teller(rng, name)
    asked = [teller.template(), teller.create("a"), teller.create("b"), teller.bulk(10), teller.refresh()]
    for _ in range(length):
        asked += teller.anything()
    return [*asked, Asked("PUT", f"/{name}-c", None, False)]  # so that it is deleted, whoever made it


@dataclass(slots=True)
class Teller:
    """Makes the requests of one story."""

    rng: random.Random
    name: str
    unique: int = 0

    def template(self) -> Asked:
        """A template for the third index."""
        mappings = {"dynamic": self.rng.choice(["false", "true"]), "properties": self.properties()}
        settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
        template = {"settings": settings, "mappings": mappings}
        body = {"index_patterns": [f"{self.name}-c*"], "template": template}
        return Asked("PUT", f"/_index_template/{self.name}", body, True)

    def properties(self) -> Json:
        """The fields of one index."""
        return {"u": {"type": "integer"}, **self.rng.choice(MAPPINGS)}

    def create(self, letter: str) -> Asked:
        """One index."""
        settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
        mappings = {"dynamic": "false", "properties": self.properties()}
        return Asked("PUT", f"/{self.name}-{letter}", {"settings": settings, "mappings": mappings}, True)

    def bulk(self, count: int) -> Asked:
        """Documents for all of them."""
        lines: list[Json] = []
        for _ in range(count):
            self.unique += 1
            index = f"{self.name}-{self.rng.choice('abc')}"
            lines += [{"index": {"_index": index, "_id": str(self.unique % 9)}}]
            lines += [{"u": self.unique, **self.rng.choice(DOCUMENTS)}]
        return Asked("POST", "/_bulk", lines, True)

    def refresh(self) -> Asked:
        """What was written can be searched from here on."""
        # One that is hidden by now too: else it would depend on the time what it shows.
        return Asked("POST", f"/{self.name}-*/_refresh?expand_wildcards=all", None, True)

    def target(self) -> str:
        """What the path names: one, several, patterns, exclusions, what is missing."""
        name = self.name
        return self.rng.choice(
            [
                f"{name}-*", f"{name}-*", f"{name}-*", f"{name}-a,{name}-b", f"{name}-a", f"{name}-c",
                f"{name}-b*",
                f"{name}-*,-{name}-b", f"{name}-nobody", f"{name}-a,{name}-nobody", f"{name}-nobody*",
                f"{name}-*,{name}-a",
                f"{name}-b,{name}-a", f"-{name}-a,{name}-*", f"{name}-*-x,{name}-a",
            ]
        )  # fmt: skip

    def anything(self) -> list[Asked]:
        """One request of any kind."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.45:
            return [self.search()]
        if draw < 0.52:
            query = rng.choice(QUERIES)
            return [Asked("POST", f"/{self.target()}/_count{rng.choice(PARAMETERS[:6])}", {"query": query})]
        if draw < 0.58:
            return self.pages()
        if draw < 0.66:
            return [self.bulk(3), self.refresh()]
        if draw < 0.72:
            path = f"/{self.name}-{rng.choice('ab')}/_settings"
            return [Asked("PUT", path, rng.choice(SETTINGS), True)]
        return [self.look()]

    def search(self) -> Asked:
        """A search over some of them."""
        rng = self.rng
        body: Json = {"query": rng.choice(QUERIES)}
        if rng.random() < 0.75:
            body["sort"] = rng.choice(SORTS)
        if rng.random() < 0.35:
            body |= {"size": rng.choice([0, 3]), "aggs": {"x": rng.choice(AGGREGATIONS)}}
        if rng.random() < 0.15 and body.get("sort") in (["u"], "u"):
            body["search_after"] = [rng.choice([0, 4, 8, "5"])]
        return Asked("POST", f"/{self.target()}/_search{rng.choice(PARAMETERS)}", body)

    def pages(self) -> list[Asked]:
        """A scroll, or a point in time, and some pages of it."""
        rng, target = self.rng, f"{self.name}-a"
        sort = rng.choice([["u"], [{"u": "desc"}], ["_doc"]])
        body = {"query": rng.choice(QUERIES[:8]), "sort": sort, "size": 2}
        if rng.random() < 0.5:
            page = Asked("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": "{scroll}"})
            close = Asked("DELETE", "/_search/scroll", {"scroll_id": "{scroll}"})
            return [Asked("POST", f"/{target}/_search?scroll=1m", body), page, page, page, close, page]
        search = Asked("POST", "/_search", {**body, "pit": {"id": "{pit}", "keep_alive": "1m"}})
        after = {**body, "pit": {"id": "{pit}"}, "sort": ["u"], "search_after": [3]}
        opened = Asked("POST", f"/{target}/_pit?keep_alive=1m")
        close = Asked("DELETE", "/_pit", {"id": "{pit}"})
        return [opened, search, self.bulk(2), self.refresh(), search, Asked("POST", "/_search", after), close]

    def look(self) -> Asked:
        """What there is, as administrators and shippers ask for it."""
        rng, name, target = self.rng, self.name, self.target()
        key = str(rng.randrange(10))
        paths = (
            f"/{target}", f"/{target}/_mapping", f"/{target}/_settings", f"/{target}/_settings/index.number*",
            f"/{target}/_settings?flat_settings=true", f"/{name}-a/_doc/{key}", f"/{name}-b/_source/{key}",
            f"/_cat/indices/{target}?format=json&h=index,health,pri,rep,docs.count",
            f"/_cluster/health/{target}?timeout=0s",
            f"/_resolve/index/{target}", f"/_index_template/{name}", f"/_index_template/{name}*",
            f"/{target}/_count",
            f"/_index_template/{name}-nobody", f"/{name}-nobody/_doc/1", f"/{target}/_field_caps?fields=*",
            f"/_cluster/health/{target}?wait_for_status=green&timeout=0s", f"/{target}/_stats",
            f"/{target}/_alias",
            f"/_cluster/health/{target}?wait_for_nodes=2&timeout=0s", f"/{name}-a/_nothing",
            f"/{name}-a/_doc",
            f"/_cat/indices/{name}-*?h=index,rep&v", f"/_component_template/{name}-nobody",
            "/_nodes/_local?filter_path=nodes.*.version",
        )  # fmt: skip
        if rng.random() < 0.2:
            return Asked("POST", "/_mget", {"docs": [self.wanted() for _ in range(3)]})
        if rng.random() < 0.15:
            heads = [f"/{target}", f"/{target}?ignore_unavailable=true", f"/{name}-a/_doc/{key}"]
            heads += [f"/_index_template/{it}" for it in (name, f"{name}-nobody", f"{name}-nobody*")]
            return Asked("HEAD", rng.choice(heads))
        return Asked("GET", rng.choice(paths))

    def wanted(self) -> Json:
        """One document of a multi-get."""
        index, key = f"{self.name}-{self.rng.choice('abd')}", str(self.rng.randrange(9))
        return {"_index": index, "_id": key, **self.rng.choice(GOT)}


GOT: tuple[Json, ...] = (
    {},
    {"_source": False},
    {"_source": ["k"]},
    {"_source": {"excludes": ["u"]}},
    {"routing": "x"},
)
