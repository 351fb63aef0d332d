"""Stories by seed: an index, documents, and whatever can be asked of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.differential.asked import Asked
from tests.differential.queries_by_seed import Asker

Json = dict[str, Any]
WORDS = (
    "error",
    "Warning",
    "disk full",
    "user@example.com",
    "don't panic",
    "1.5 GB",
    "naïve café",
    "x_y",
    "",
)
KEYWORDS = ("a", "b", "B", "ab", "a*b", "", "é", "long-keyword-value")
DATES = (
    "2024-01-01",
    "2024-01-31T23:59:59.999Z",
    "2024-02-01T00:00:00+02:00",
    "2024-02",
    "2023",
    "2024-01-15T10:30:15.123456789Z",
    "2024-01-15T10:30:15.123Z",
    1_704_067_200_000,
    "1704067200001",
    "soon",
)
ADDRESSES = (
    "10.0.0.1",
    "10.0.0.255",
    "10.1.0.1",
    "192.168.1.1",
    "::1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "10.0.0",
)
NUMBERS = (0, 1, 2, 7, -3, 2.5, "4", "4.7", 10**12, True, "x", None)


def story(seed: int, length: int = 30) -> list[Asked]:
    """A story: its first request makes an index, its last one deletes it."""
    teller = Teller(random.Random(seed), f"diff-{seed}")
    asked = [teller.create(), teller.bulk(8), teller.refresh()]
    for _ in range(length):
        asked += teller.anything()
    return [*asked, Asked("DELETE", f"/{teller.index}", None, True)]


@dataclass(slots=True)
class Teller:
    """Makes the requests of one story."""

    rng: random.Random
    index: str
    unique: int = 0
    asker: Asker = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.asker = Asker(self.rng)

    def create(self) -> Asked:
        """An index with fields of every type, their parameters drawn."""
        rng = self.rng
        mappings: Json = {"properties": self.properties()}
        if rng.random() < 0.4:
            mappings["dynamic"] = rng.choice([True, False, "false", "strict"])
        if rng.random() < 0.3:
            mappings["dynamic_templates"] = rng.choice(TEMPLATES)
        if rng.random() < 0.2:
            mappings["date_detection"] = False
        if rng.random() < 0.2:
            mappings["numeric_detection"] = True
        settings: Json = {"number_of_replicas": 0, "refresh_interval": "-1"}
        if rng.random() < 0.2:
            settings |= rng.choice(SETTINGS)
        return Asked("PUT", f"/{self.index}", {"settings": settings, "mappings": mappings}, True)

    def properties(self) -> Json:
        """The fields."""
        rng = self.rng

        def maybe(**options: Any) -> Json:
            return {key: value for key, value in options.items() if rng.random() < 0.25}

        return {
            "u": {"type": "integer"},
            "k": {"type": "keyword", **maybe(ignore_above=5, null_value="NULL", doc_values=True)},
            "t": {"type": "text", **maybe(norms=False)},
            "s": {"type": "text", "fields": {"raw": {"type": "keyword", **maybe(ignore_above=8)}}},
            "n": {
                "type": rng.choice(["long", "integer", "short", "byte"]),
                **maybe(coerce=False, null_value=7, ignore_malformed=True),
            },
            "f": {"type": rng.choice(["double", "float", "half_float"]), **maybe(null_value=1.5)},
            "d": {
                "type": "date",
                **maybe(null_value="2024-01-01", ignore_malformed=True),
                **maybe(format=rng.choice(FORMATS)),
            },
            "dn": {"type": "date_nanos"},
            "b": {"type": "boolean", **maybe(null_value=True)},
            "ip": {"type": "ip", **maybe(ignore_malformed=True, null_value="10.9.9.9")},
            "fl": {"type": "flattened", **maybe(ignore_above=4)},
            "o": {"properties": {"p": {"type": "long"}, "q": {"type": "keyword", **maybe(copy_to="c")}}},
            "x.y": {"type": "long"},
            "c": {"type": "keyword"},
            "al": {"type": "alias", "path": "k"},
            "kn": {"type": "keyword", "index": False, **maybe(doc_values=False)},
            "ne": {"type": "nested", "properties": {"a": {"type": "keyword"}}},
        }

    def document(self) -> Json:
        """A document, now and then with a value that its field cannot hold."""
        rng = self.rng
        self.unique += 1
        out: Json = {"u": self.unique}
        for name, values in VALUES.items():
            if rng.random() < 0.45:
                value = rng.choice(values)
                if rng.random() < 0.15:
                    value = [value, rng.choice(values)]
                if rng.random() < 0.08:
                    value = None
                out[name] = value
        if rng.random() < 0.15:
            out[rng.choice(["new", "labels.env", "message"])] = rng.choice(
                ["2024-01-01", "text", 1, 1.5, True]
            )
        return out

    def bulk(self, count: int) -> Asked:
        """Several documents at once."""
        lines: list[Json] = []
        for _ in range(count):
            number = self.rng.randrange(12)
            kind = self.rng.choice(["index", "index", "create", "delete"])
            lines.append({kind: {"_id": str(number)}})
            if kind != "delete":
                lines.append(self.document())
        return Asked("POST", f"/{self.index}/_bulk", lines, True)

    def refresh(self) -> Asked:
        """What was written can be searched from here on."""
        return Asked("POST", f"/{self.index}/_refresh", None, True)

    def anything(self) -> list[Asked]:
        """One request of any kind; what follows a write is made searchable."""
        rng, index = self.rng, self.index
        draw = rng.random()
        if draw < 0.62:
            return [self.search()]
        if draw < 0.7:
            return [Asked("POST", f"/{index}/_count", {"query": self.asker.query()})]
        if draw < 0.84:
            return [self.write(), self.refresh()]
        if draw < 0.88:
            return [Asked("PUT", f"/{index}/_mapping", {"properties": rng.choice(ADDED)}, True)]
        return [self.look()]

    def search(self) -> Asked:
        """A search with what may stand beside a query."""
        rng, body = self.rng, self.asker.search()
        parameters = rng.choice(["", "", "", "?rest_total_hits_as_int=true", "?typed_keys", "?pretty"])
        if rng.random() < 0.06:
            parameters = rng.choice(PARAMETERS)
        return Asked("POST", f"/{self.index}/_search{parameters}", body)

    def write(self) -> Asked:
        """A write of one document, or of several."""
        rng, index, key = self.rng, self.index, str(self.rng.randrange(12))
        draw = rng.random()
        if draw < 0.3:
            return self.bulk(4)
        if draw < 0.45:
            return Asked("DELETE", f"/{index}/_doc/{key}", None, True)
        if draw < 0.6:
            asked = f"?if_seq_no={rng.randrange(12)}&if_primary_term=1"
            return Asked("PUT", f"/{index}/_doc/{key}{asked}", self.document(), True)
        if draw < 0.7:
            asked = f"?version={rng.randrange(6)}&version_type={rng.choice(['external', 'external_gte'])}"
            return Asked("PUT", f"/{index}/_doc/{key}{asked}", self.document(), True)
        if draw < 0.8:
            return Asked("PUT", f"/{index}/_create/{key}", self.document(), True)
        return Asked("PUT", f"/{index}/_doc/{key}", self.document(), True)

    def look(self) -> Asked:
        """A request that reads by id, or tells what there is."""
        rng, index, key = self.rng, self.index, str(self.rng.randrange(14))
        paths = (
            f"/{index}/_doc/{key}",
            f"/{index}/_source/{key}",
            f"/{index}/_doc/{key}?_source_includes=k,o.*",
            f"/{index}/_doc/{key}?_source=false",
            f"/{index}/_mapping",
            f"/{index}",
            f"/_cluster/health/{index}",
            f"/{index}/_settings?flat_settings=true",
            f"/{index}*/_count",
            f"/{index},missing/_count?ignore_unavailable=true",
            f"/{index},-{index}/_count",
            f"/{index}*,-{index}/_count",
            f"/{index}/_doc/{key}?realtime=false",
            f"/{index}/_doc/{key}?routing=x",
            f"/_cat/indices/{index}?format=json&h=index,health,pri,rep",
            f"/_resolve/index/{index}*",
            f"/{index}/_search?q=k:a",
            f"/{index}/_search?sort=u:desc&size=3",
        )
        if rng.random() < 0.2:
            return Asked("POST", f"/{index}/_mget", {"ids": [key, "1", "nobody"]})
        return Asked("GET", rng.choice(paths))


VALUES: Json = {
    "k": KEYWORDS,
    "t": WORDS,
    "s": WORDS,
    "n": NUMBERS,
    "f": (0.1, 1, -2.25, "3.5", 65000, 1e-3),
    "d": DATES,
    "dn": DATES[:7],
    "b": (True, False, "true", "false"),
    "ip": ADDRESSES,
    "fl": ({"x": "y"}, {"x": {"z": "longer"}, "w": 1}, {"x": ["y", "q"]}),
    "o": ({"p": 1}, {"p": [2, 3], "q": "a"}, [{"p": 4}, {"q": "b"}]),
    "x.y": (1, 2),
    "x": ({"y": 3},),
    "c": ("a", "copy"),
    "kn": KEYWORDS[:3],
    "ne": ([{"a": "x"}, {"a": "y"}],),
}
FORMATS = (
    "strict_date_optional_time",
    "epoch_millis",
    "epoch_second",
    "strict_date",
    "yyyy-MM-dd",
    "strict_date_optional_time||epoch_second",
    "yyyy/MM/dd||strict_date_optional_time",
    "MM/yyyy",
)
TEMPLATES = (
    [{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 6}}}],
    [{"labels": {"path_match": "labels.*", "mapping": {"type": "keyword"}}}],
    [{"message": {"match": "mess*", "unmatch": "*x", "mapping": {"type": "text", "norms": False}}}],
    [{"numbers": {"match_mapping_type": "long", "mapping": {"type": "{dynamic_type}", "index": False}}}],
    [{"re": {"match_pattern": "regex", "match": "^x.*", "mapping": {"type": "keyword"}}}],
)
SETTINGS: tuple[Json, ...] = (
    {"index.mapping.coerce": False},
    {"mapping.ignore_malformed": True},
    {"auto_expand_replicas": "0-1"},
    {"max_result_window": 20},
    {"codec": "best_compression"},
    {"sort.field": "u"},
    {"analysis": {"analyzer": {"x": {"type": "simple"}}}},
    {"hidden": True},
    {"mapping.total_fields.limit": 40},
)
ADDED: tuple[Json, ...] = (
    {"added": {"type": "long"}},
    {"k": {"type": "keyword", "ignore_above": 3}},
    {"u": {"type": "integer"}},
    {"o.r": {"type": "ip"}},
    {"k": {"type": "text"}},
    {"t": {"type": "text", "index": False}},
    {"dn": {"type": "date_nanos", "format": "epoch_second"}},
    {"z": {"type": "keyword", "normalizer": "x"}},
    {"s": {"type": "text", "fields": {"more": {"type": "keyword"}}}},
    {"ra": {"type": "date_range"}},
)
PARAMETERS = (
    "?routing=a",
    "?search_type=dfs_query_then_fetch",
    "?preference=_local",
    "?stored_fields=k",
    "?q=k:a",
    "?default_operator=AND",
    "?expand_wildcards=all",
    "?request_cache=false",
    "?track_scores=true",
    "?allow_no_indices=false",
    "?docvalue_fields=k",
    "?terminate_after=1",
    "?filter_path=hits.hits._id",
    "?human",
    "?size=2&sort=u",
    "?sort=u:asc&_source=k",
    "?error_trace=false",
    "?df=k",
    "?colour=red",
)
