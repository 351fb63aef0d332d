"""Stories by seed of what analytics asks: records around changes of clocks, counted in zones and bounds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.differential.asked import Asked

Json = dict[str, Any]
CHANGES = (
    ("Europe/Berlin", "2024-03-31T01:00:00"),
    ("Europe/Berlin", "2024-10-27T01:00:00"),
    ("America/New_York", "2024-11-03T06:00:00"),
    ("Europe/London", "2024-03-31T01:00:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00"),  # there was no midnight
    ("America/Havana", "2024-11-03T05:00:00"),  # midnight came twice
    ("Australia/Lord_Howe", "2024-04-06T15:00:00"),  # by half an hour
    ("Pacific/Apia", "2011-12-30T10:00:00"),  # there was no such day
    ("Asia/Kolkata", "2024-06-01T00:00:00"),
    ("Asia/Kathmandu", "2024-06-01T00:00:00"),
    ("+05:30", "2024-06-01T00:00:00"),
    ("-03:00", "2024-06-01T00:00:00"),
    ("UTC", "2024-02-29T12:00:00"),
    ("CET", "2024-03-31T01:00:00"),
    ("Nowhere/Else", "2024-03-31T01:00:00"),
)
CALENDAR = ("minute", "hour", "1h", "day", "1d", "week", "month", "quarter", "1q", "year")
FIXED = ("1m", "30m", "1h", "3h", "7h", "12h", "1d", "2d", "30d", "90m")
SPANS_SECONDS = (600, 7_200, 100_000, 900_000, 10_000_000)
LEVELS = ("debug", "info", "warning", "error")
LOGGERS = ("shop", "shop.cart", "shop.pay", "db")
MAPPINGS: Json = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date"},
        "message": {"type": "text", "norms": False},
        "log": {"properties": {"level": {"type": "keyword"}, "logger": {"type": "keyword"}}},
        "event": {"properties": {"duration": {"type": "long"}, "sequence": {"type": "long"}}},
    },
}


def analytics_story(rng: random.Random, index: str, length: int = 24) -> list[Asked]:
    """A story: records of one stretch of time, and questions about it."""
    zone, change = rng.choice(CHANGES)
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    teller = Teller(rng, index, zone, middle, rng.choice(SPANS_SECONDS))
    settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
    asked = [
        Asked("PUT", f"/{index}", {"settings": settings, "mappings": MAPPINGS}, True),
        teller.records(rng.choice((0, 1, 12, 40))),
        Asked("POST", f"/{index}/_refresh", None, True),
        Asked("POST", f"/{index}/_pit?keep_alive=1m", None),
    ]
    asked += [teller.question() for _ in range(length)]
    return [*asked, Asked("DELETE", f"/{index}", None, True)]


@dataclass(slots=True)
class Teller:
    """Makes the requests of one story."""

    rng: random.Random
    index: str
    zone: str
    middle: datetime
    span_seconds: int

    def moment(self) -> datetime:
        """A moment near the change, often at a whole hour."""
        moment = self.middle + timedelta(seconds=self.rng.uniform(-self.span_seconds, self.span_seconds))
        if self.rng.random() < 0.3:
            moment = moment.replace(minute=0, second=0, microsecond=0)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def text(self) -> str:
        """A moment as a client writes it."""
        return self.moment().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def records(self, count: int) -> Asked:
        """Several records at once; one more, so that there is a request."""
        lines: list[Json] = []
        for number in range(count + 1):
            lines += [{"create": {"_id": str(number)}}, self.record(number)]
        return Asked("POST", f"/{self.index}/_bulk", lines, True)

    def record(self, number: int) -> Json:
        """A record; a few lack something."""
        rng = self.rng
        out: Json = {
            "@timestamp": self.text(),
            "event": {"sequence": number},
            "message": f"paid {number % 3}",
        }
        if rng.random() < 0.9:
            out["log"] = {"level": rng.choice(LEVELS), "logger": rng.choice(LOGGERS)}
        if rng.random() < 0.6:
            out["event"]["duration"] = rng.randrange(10_000)
        return out

    def question(self) -> Asked:
        """One request of any kind."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.6:
            return Asked("POST", f"/{self.index}/_search", self.counted())
        if draw < 0.75:
            return self.several()
        if draw < 0.85:
            return Asked("POST", "/_search", self.page())
        names = ",".join(rng.sample(["@timestamp", "log.level", "message", "event.sequence", "nope"], 2))
        return Asked("GET", f"/{self.index}/_field_caps?fields={names}")

    def counted(self) -> Json:
        """Records by time, with what may be told of each interval."""
        rng = self.rng
        body: Json = {"size": 0, "track_total_hits": True, "aggs": {"times": self.histogram()}}
        if rng.random() < 0.5:
            body["query"] = {"bool": {"filter": [{"range": {"@timestamp": self.range()}}]}}
        if rng.random() < 0.4:
            body["aggs"]["told"] = self.inner()
        return body

    def range(self) -> Json:
        """A stretch of time."""
        first, last = sorted((self.text(), self.text()))
        return {"gte": first, "lt": last}

    def histogram(self) -> Json:
        """A date_histogram."""
        rng = self.rng
        options: Json = {"field": "@timestamp"}
        if rng.random() < 0.55:
            options["calendar_interval"] = rng.choice(self.no_shorter(CALENDAR))
        else:
            options["fixed_interval"] = rng.choice(self.no_shorter(FIXED))
        if rng.random() < 0.8:
            options["time_zone"] = self.zone
        options |= rng.choice([{}, {}, {"min_doc_count": 1}, {"min_doc_count": 0}])
        options |= rng.choice([{}, {}, {"format": "yyyy-MM-dd"}, {"format": "epoch_millis"}, {"keyed": True}])
        if rng.random() < 0.4:
            options["extended_bounds"] = self.bounds()
        if rng.random() < 0.2:
            options["hard_bounds"] = self.bounds()
        if rng.random() < 0.2:
            options["order"] = rng.choice([{"_key": "desc"}, {"_count": "desc"}])
        out: Json = {"date_histogram": options}
        if rng.random() < 0.5:
            out["aggs"] = {"inner": self.inner()}
        return out

    def no_shorter(self, intervals: tuple[str, ...]) -> tuple[str, ...]:
        """Intervals that make some thousand buckets at most, which both stores answer within seconds."""
        if self.span_seconds > 100_000:
            return tuple(each for each in intervals if each not in ("minute", "1m", "30m", "90m"))
        return intervals

    def bounds(self) -> Json:
        """Bounds, now and then of one side only, or the wrong way round."""
        rng = self.rng
        moments = [self.moment(), self.moment()]
        if rng.random() < 0.95:
            moments.sort()
        as_number = rng.random() < 0.5
        texts = [
            int(each.timestamp() * 1000)
            if as_number
            else each.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for each in moments
        ]
        both: Json = {"min": texts[0], "max": texts[1]}
        return rng.choice([both, both, both, {"min": texts[0]}, {"max": texts[1]}])

    def inner(self) -> Json:
        """What is told of some records."""
        return self.rng.choice(
            [
                {"terms": {"field": "log.level", "size": 50, "order": {"_key": "asc"}}},
                {"terms": {"field": "log.level", "missing": "(none)", "size": 50}},
                {"terms": {"field": "log.logger", "size": 2}},
                {"cardinality": {"field": "log.logger"}},
                {"percentiles": {"field": "event.duration", "percents": [50, 95, 99]}},
                {"stats": {"field": "event.duration"}},
                {"filter": {"terms": {"log.level": ["error"]}}},
                {"max": {"field": "@timestamp"}},
            ]
        )

    def several(self) -> Asked:
        """Several searches in one request."""
        rng = self.rng
        lines: list[Json] = []
        for _ in range(rng.randrange(1, 4)):
            where: Json = {"index": rng.choice([self.index, f"{self.index}*", "missing-one"])}
            if rng.random() < 0.5:
                where["ignore_unavailable"] = True
            lines += [where, self.counted()]
        path = rng.choice(["/_msearch", "/_msearch?typed_keys", f"/{self.index}/_msearch"])
        return Asked("POST", path, lines)

    def page(self) -> Json:
        """A page under a point in time, in the order of time and then of the place."""
        body: Json = {
            "size": self.rng.choice([2, 5]),
            "pit": {"id": "{pit}", "keep_alive": "1m"},
            "sort": [{"@timestamp": "asc"}, {"event.sequence": "asc"}],
            "track_total_hits": False,
        }
        if self.rng.random() < 0.5:
            body["search_after"] = [int(self.moment().timestamp() * 1000), self.rng.randrange(12)]
        return body
