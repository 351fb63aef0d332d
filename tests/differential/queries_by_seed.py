"""Searches by seed: queries, sorts, pages and aggregations over the fields of a story."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
FIELDS = (
    "k",
    "t",
    "s",
    "s.raw",
    "n",
    "f",
    "d",
    "dn",
    "b",
    "ip",
    "fl",
    "fl.x",
    "o.p",
    "o.q",
    "x.y",
    "c",
    "al",
    "kn",
    "ne.a",
    "missing",
    "new",
    "labels.env",
    "added",
)
BOUNDS: dict[str, tuple[Any, ...]] = {
    "d": (
        "2024-01-01",
        "2024-01",
        "2024",
        "2024-01-31T23",
        "2024-01-15||/M",
        "2024-01-31||/d",
        "2024-01-01||+1M/d",
        "2024-01-15T10:30:15.123Z",
        1_704_067_200_000,
        "now",
        "now/d",
        "bad",
        "2024-02-01T00:00:00+02:00",
    ),
    "ip": ("10.0.0.1", "10.0.0.0/24", "::1", "10.0.0.255", "fe80::/16", "bad", "::ffff:10.0.0.1"),
    "n": (0, 1, 2.5, "4", "4.7", -3, 10**12, "x", True),
    "f": (0.1, "3.5", -2.25, 65000),
    "b": (True, "false", "x"),
    "t": ("error", "Warning", "disk", "don't", "1.5", "café"),
}
BOUNDS |= {"dn": BOUNDS["d"], "s": BOUNDS["t"], "o.p": BOUNDS["n"], "x.y": BOUNDS["n"], "added": BOUNDS["n"]}
TEXTS = ("a", "b", "ab", "A", "", "é", "y", "NULL", "text", "x", "copy", "Warning")
PATTERNS = ("a*", "?", "*", "a?", "*b", "A*", "a\\*b", "", "w*", "*l*", "d?sk")
PHRASES = ("disk full", "full disk", "error", "panic don't", "", "1.5 gb", "naïve", "user@example.com", "a b")
STRANGE = ({"boost": 2.0}, {"_name": "q"}, {"colour": 1})
UNSUPPORTED: tuple[Json, ...] = (
    {"regexp": {"k": "a.*"}},
    {"fuzzy": {"k": "a"}},
    {"query_string": {"query": "a"}},
    {"colour": {}},
    {"nested": {"path": "ne", "query": {"match_all": {}}}},
    {"match_phrase_prefix": {"t": "dis"}},
    {"simple_query_string": {"query": "a"}},
    {"multi_match": {"query": "a", "fields": ["k"]}},
    {"terms_set": {"k": {"terms": ["a"]}}},
    {"dis_max": {"queries": [{"match_all": {}}]}},
)


@dataclass(slots=True)
class Asker:
    """Makes queries and searches."""

    rng: random.Random

    def query(self, depth: int = 0) -> Json:
        """A query, those inside others included."""
        rng = self.rng
        draw = rng.random()
        if depth < 2 and draw < 0.25:
            return self.bool_query(depth)
        if draw < 0.28:
            return rng.choice(UNSUPPORTED)
        if depth < 2 and draw < 0.32:
            return {"constant_score": {"filter": self.query(depth + 1)}}
        name = rng.choice(FIELDS)
        return rng.choice(
            [
                self.term,
                self.terms,
                self.range,
                self.range,
                self.exists,
                self.match,
                self.phrase,
                self.pattern,
            ]
        )(name)

    def value(self, name: str) -> Any:
        """A value to look for in a field."""
        return self.rng.choice(BOUNDS.get(name, TEXTS))

    def strange(self, body: Json, chance: float = 0.06) -> Json:
        """Options with one more, now and then."""
        return {**body, **self.rng.choice(STRANGE)} if self.rng.random() < chance else body

    def bool_query(self, depth: int) -> Json:
        """A bool query with any of its parts."""
        rng = self.rng
        body: Json = {}
        for part in ("must", "filter", "should", "must_not"):
            if rng.random() < 0.45:
                inner = [self.query(depth + 1) for _ in range(rng.randrange(1, 3))]
                body[part] = inner[0] if rng.random() < 0.2 else inner
        if rng.random() < 0.25:
            body["minimum_should_match"] = rng.choice([0, 1, 2, -1, "1", "50%"])
        return {"bool": self.strange(body)}

    def term(self, name: str) -> Json:
        """A term, short or with options."""
        if self.rng.random() < 0.5:
            return {"term": {name: self.value(name)}}
        body: Json = {"value": self.value(name)}
        if self.rng.random() < 0.3:
            body["case_insensitive"] = self.rng.choice([True, False])
        return {"term": {name: self.strange(body)}}

    def terms(self, name: str) -> Json:
        """Several terms."""
        return {"terms": self.strange({name: [self.value(name) for _ in range(self.rng.randrange(4))]})}

    def range(self, name: str) -> Json:
        """A range with bounds of either spelling."""
        rng = self.rng
        body: Json = {}
        for side in (("gte", "gt", "from"), ("lt", "lte", "to")):
            body |= {rng.choice(side): self.value(name)} if rng.random() < 0.75 else {}
            body |= {rng.choice(side): self.value(name)} if rng.random() < 0.05 else {}
        if rng.random() < 0.1:
            body |= rng.choice(
                [
                    {"include_lower": False},
                    {"include_upper": False},
                    {"time_zone": "+01:00"},
                    {"relation": "within"},
                ]
            )
        if name in ("d", "dn") and rng.random() < 0.15:
            body["format"] = rng.choice(
                ["yyyy-MM-dd", "epoch_second", "strict_date_optional_time", "MM/yyyy"]
            )
        return {"range": {name: self.strange(body)}}

    def exists(self, name: str) -> Json:
        """Whether there is any value."""
        return {"exists": self.strange({"field": self.rng.choice([name, "o", "x", "ne", "fl", "_id"])})}

    def match(self, name: str) -> Json:
        """Words of a text."""
        rng = self.rng
        text = rng.choice(PHRASES) if name in ("t", "s") else self.value(name)
        if rng.random() < 0.5:
            return {"match": {name: text}}
        body: Json = {"query": text}
        if rng.random() < 0.4:
            body["operator"] = rng.choice(["and", "or", "AND"])
        if rng.random() < 0.1:
            body |= rng.choice([{"fuzziness": 1}, {"minimum_should_match": 1}, {"zero_terms_query": "all"}])
        return {"match": {name: self.strange(body)}}

    def phrase(self, name: str) -> Json:
        """Words that follow each other."""
        text = self.rng.choice(PHRASES) if name in ("t", "s") else self.value(name)
        body = {"query": text, "slop": self.rng.choice([0, 1])} if self.rng.random() < 0.2 else text
        return {"match_phrase": {name: body}}

    def pattern(self, name: str) -> Json:
        """A prefix or a wildcard."""
        kind = self.rng.choice(["prefix", "wildcard"])
        value = self.rng.choice(PATTERNS if kind == "wildcard" else TEXTS)
        if self.rng.random() < 0.5:
            return {kind: {name: value}}
        body: Json = {"value": value}
        if self.rng.random() < 0.4:
            body["case_insensitive"] = self.rng.choice([True, False])
        return {kind: {name: self.strange(body)}}

    def search(self) -> Json:
        """A whole search body."""
        rng = self.rng
        body: Json = {}
        if rng.random() < 0.85:
            body["query"] = self.query()
        if rng.random() < 0.6:
            body["sort"] = self.sort()
            body |= rng.choice([{}, {"size": 3}, {"size": 4, "from": 2}, {"size": 0}])
        if rng.random() < 0.3:
            body["size"] = rng.choice([0, 20])
            body["aggs"] = {f"a{at}": self.aggregation(0) for at in range(rng.randrange(1, 3))}
        if rng.random() < 0.2:
            body["_source"] = rng.choice(
                [False, ["k", "o.p"], {"excludes": ["t", "fl"]}, "o", {"includes": "x*"}]
            )
        if rng.random() < 0.15:
            body["track_total_hits"] = rng.choice([True, False, 2])
        if rng.random() < 0.1:
            body |= rng.choice([{"version": True}, {"seq_no_primary_term": True}])
        if rng.random() < 0.06:
            body |= rng.choice(EXTRAS)
        return body

    def sort(self) -> list[Any]:
        """A field with its options, and the unique number at last."""
        rng, name = self.rng, self.rng.choice(FIELDS)
        options: Json = {"order": rng.choice(["asc", "desc"])}
        if rng.random() < 0.3:
            options["missing"] = rng.choice(["_first", "_last"])
        if rng.random() < 0.2:
            options["mode"] = rng.choice(["min", "max", "avg"])
        if rng.random() < 0.3 or name in ("missing", "new", "labels.env", "added"):
            options["unmapped_type"] = rng.choice(["long", "keyword", "date", "colour"])
        if name == "d" and rng.random() < 0.3:
            options["format"] = rng.choice(
                ["yyyy-MM-dd", "strict_date_optional_time", "epoch_second", "yyyy"]
            )
        return [{name: options}, {"u": rng.choice(["asc", "desc"])}]

    def aggregation(self, depth: int) -> Json:
        """An aggregation, now and then with another inside."""
        rng, name = self.rng, self.rng.choice(FIELDS)
        kind = rng.choice(
            [
                "terms",
                "terms",
                "date_histogram",
                "min",
                "max",
                "avg",
                "sum",
                "stats",
                "value_count",
                "cardinality",
                "missing",
                "filter",
                "filters",
                "range",
                "histogram",
            ]
        )
        bodies: Json = {
            "terms": {
                "field": name,
                "size": rng.choice([2, 20]),
                **rng.choice([{}, {"order": {"_key": "desc"}}]),
            },
            "date_histogram": {
                "field": rng.choice(["d", "dn"]),
                **rng.choice([{"calendar_interval": "month"}, {"fixed_interval": "30d"}]),
                "min_doc_count": 1,
                **rng.choice([{}, {}, {"time_zone": "+01:00"}, {"format": "yyyy-MM-dd"}]),
            },
            "filter": self.query(1),
            "filters": {"filters": {"one": self.query(1), "two": {"match_all": {}}}},
            "range": {
                "field": rng.choice(["n", "f", "u"]),
                "ranges": [{"to": 2}, {"from": 1, "to": 7}, {"from": 7}],
            },
            "histogram": {"field": "n", "interval": 5},
        }
        out: Json = {kind: bodies.get(kind, {"field": name})}
        if depth < 1 and kind in ("terms", "filter", "date_histogram") and rng.random() < 0.4:
            out["aggs"] = {"inner": self.aggregation(depth + 1)}
        return out


EXTRAS: tuple[Json, ...] = (
    {"min_score": 0.5},
    {"stored_fields": ["k"]},
    {"explain": True},
    {"profile": True},
    {"fields": ["k"]},
    {"docvalue_fields": ["k"]},
    {"highlight": {"fields": {"t": {}}}},
    {"collapse": {"field": "k"}},
    {"post_filter": {"match_all": {}}},
    {"track_scores": True},
    {"terminate_after": 1},
    {"timeout": "5s"},
    {"script_fields": {}},
    {"search_after": [3]},
    {"indices_boost": []},
    {"colour": 1},
    {"suggest": {}},
)
