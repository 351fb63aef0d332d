"""What analytics tells of known records, on elastic_lite and on the real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from logging_system.analytics.analytics import Analytics
from logging_system.analytics.lines import search_lines
from logging_system.analytics.rates import BucketState
from logging_system.analytics.reach import ForeignAnswerError, OutOfReachError, Reach
from logging_system.analytics.sampling import ERRORS, sample
from logging_system.analytics.store_queries import (
    ElasticsearchQueries,
    QueryRefusedError,
    StoreUnavailableError,
)
from logging_system.analytics.templates import grouped, new_templates
from logging_system.analytics.windows import Interval, Window, read_interval
from logging_system.config.settings import Settings
from logging_system.delivery.commands import Item
from logging_system.delivery.outcomes import Delivered, Found, OneForEach, SameForAll
from logging_system.records.document import Record
from logging_system.records.route_namespace import RouteNamespace
from logging_system.shipping.sink_factory import sink_opener
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.contract.elasticsearch_fixture import Store

NOW = datetime(2026, 3, 29, 4, 0, tzinfo=UTC)
"""Three hours after Europe's clocks were put forward."""
Json = dict[str, Any]


class Shop:
    """Data streams of one dataset that no other test uses."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dataset = f"shop{uuid4().hex[:10]}"
        self.written = 0

    def stream(self, namespace: str) -> str:
        return f"logs-{self.dataset}-{namespace}"

    def log(self, namespace: str, records: Sequence[tuple[float, str, str, str]]) -> None:
        """Store records: minutes before NOW, level, logger, message."""
        documents = []
        for minutes, level, logger, message in records:
            moment = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
            log = {"level": level, "logger": logger}
            documents.append({"@timestamp": moment, "message": message, "log": log})
        self.put(namespace, documents)

    def put(self, namespace: str, documents: Sequence[Mapping[str, object]]) -> None:
        """Store documents, found by the next search."""
        sink = ElasticsearchSink([self.store.url], self.stream(namespace), request_timeout_seconds=30.0)
        assert sink.prepare() is None
        items = []
        for document in documents:
            self.written += 1
            items.append(
                Item(self.dataset.encode().ljust(16, b"-")[:16], self.written, orjson.dumps(document))
            )
        outcome = sink.send(items)
        assert isinstance(outcome, SameForAll), outcome
        sink.close()
        self.store.ok("POST", f"/{self.stream(namespace)}/_refresh")

    @contextmanager
    def analytics(self, *namespaces: str, **options: Any) -> Iterator[Analytics]:
        with Analytics.connect(
            [self.store.url],
            namespaces=namespaces,
            dataset=self.dataset,
            request_timeout_seconds=30.0,
            **{"clock": lambda: NOW, **options},
        ) as found:
            yield found


@pytest.fixture
def shop(store: Store) -> Iterator[Shop]:
    found = Shop(store)
    yield found
    store.call("DELETE", f"/_data_stream/{found.stream('*')}")
    for namespace in ("main", "team_a", "team_b"):
        store.call("DELETE", f"/_index_template/logging-system-{found.stream(namespace)}")


@contextmanager
def queries_of(store: Store) -> Iterator[ElasticsearchQueries]:
    sink = ElasticsearchSink([store.url], "logs-unused-default", request_timeout_seconds=30.0)
    yield ElasticsearchQueries(sink.request, preference="test")
    sink.close()


def test_rates_are_told_by_level_over_time_and_a_known_outage_is_a_gap(shop: Shop) -> None:
    shop.log(
        "main",
        [(25, "info", "a", "x"), (24, "error", "a", "x"), (14, "info", "a", "x"), (0.05, "info", "a", "x")],
    )
    shop.put("main", [{"@timestamp": (NOW - timedelta(minutes=24)).isoformat(), "message": "no level"}])
    down = (NOW - timedelta(minutes=20), NOW - timedelta(minutes=12))

    with shop.analytics("main", outages=[down]) as analytics:
        found = analytics.rates(analytics.window("30m"), read_interval("5m"))

    assert found.by_level == {"info": 3, "(none)": 1, "error": 1}
    assert found.error_ratio == 0.2
    assert found.partial is None
    assert [(bucket.count, bucket.state) for bucket in found.buckets] == [
        (0, BucketState.SETTLED),
        (3, BucketState.SETTLED),
        (None, BucketState.GAP),
        (1, BucketState.HELD_UP),
        (0, BucketState.SETTLED),
        (1, BucketState.FILLING),
    ]


def test_days_and_hours_are_those_of_the_time_zone(shop: Shop) -> None:
    # 23:30 and 00:30 of Berlin's winter time, 03:30 of its summer time: the hour before that was left out.
    shop.log("main", [(330, "info", "a", "x"), (270, "info", "a", "x"), (150, "info", "a", "x")])

    with shop.analytics("main", zone="Europe/Berlin") as analytics:
        window = analytics.window("2026-03-28T22:00", "2026-03-29T06:00")
        days = analytics.rates(window, Interval("day", is_calendar=True))
        hours = analytics.rates(window, read_interval("1h"))

    assert [(f"{each.start:%d %H:%M %z}", each.count) for each in days.buckets] == [
        ("28 00:00 +0100", 1),
        ("29 00:00 +0100", 2),
    ]
    assert [f"{each.start:%H}" for each in hours.buckets] == ["22", "23", "00", "01", "03", "04", "05"]
    assert [each.count for each in hours.buckets] == [0, 1, 1, 0, 1, 0, 0]


def test_a_namespace_without_a_stream_is_told_as_that_and_not_as_silence(shop: Shop) -> None:
    with shop.analytics("team_b") as analytics:
        window = analytics.window("15m")
        found = analytics.rates(window)

        assert not found.streams_found
        assert found.count == 0
        assert analytics.search(window).lines == ()
        assert analytics.storage().namespaces == ()
        assert list(analytics.follow(window.since).look(NOW)) == []


def test_no_answer_speaks_of_another_namespace(shop: Shop) -> None:
    shop.log("team_a", [(5, "error", "shop.a", "secret of a")])
    shop.log("team_b", [(5, "error", "shop.b", "secret of b")] * 3)

    with shop.analytics("team_a") as analytics:
        window = analytics.window("15m")

        assert analytics.rates(window).count == 1
        assert [line.message for line in analytics.search(window).lines] == ["secret of a"]
        assert [line.message for line in analytics.follow(window.since).look(NOW)] == ["secret of a"]
        assert [each.text for each in analytics.error_templates(window).templates] == ["secret of a"]
        told = analytics.noisiest(window)
        assert [each.name for each in told.namespaces] == ["team_a"]
        assert [each.name for each in told.loggers] == ["shop.a"]
        (cost,) = analytics.storage().namespaces
        assert (cost.namespace, cost.documents, cost.indices) == ("team_a", 1, 1)
        assert cost.stored_bytes > 0
    with shop.analytics("team_a", "team_b") as analytics:
        both = analytics.noisiest(window)
        assert [(each.name, each.count, each.errors) for each in both.namespaces] == [
            ("team_b", 3, 3),
            ("team_a", 1, 1),
        ]


def test_what_an_alias_leads_to_in_another_namespace_is_not_shown(shop: Shop) -> None:
    shop.log("team_b", [(5, "info", "shop.b", "secret of b")])
    reach = Reach.of(["team_a"], dataset=shop.dataset)
    # As an operator's alias would: the names asked lead to another stream.
    object.__setattr__(reach, "namespaces", ("team_b",))
    target = reach.target
    object.__setattr__(reach, "namespaces", ("team_a",))

    class Led(ElasticsearchQueries):
        def open_point(self, _target: str, keep_alive: str) -> str:
            return super().open_point(target, keep_alive)

    sink = ElasticsearchSink([shop.store.url], "logs-unused-default", request_timeout_seconds=30.0)
    with pytest.raises(ForeignAnswerError, match="alias"):
        search_lines(Led(sink.request), reach, Window(NOW - timedelta(hours=1), NOW))
    sink.close()


def test_records_that_asked_for_an_undeclared_namespace_are_counted_and_found(shop: Shop) -> None:
    record = {
        "@timestamp": (NOW - timedelta(minutes=5)).isoformat(),
        "message": "x",
        "log": {"level": "info"},
    }
    routing = RouteNamespace("main", ["team_a"])
    stray = routing.process(Record.of_document({**record, "labels": {"namespace": "Team-A"}}))
    shop.put("main", [record, dict(stray.document)])

    with shop.analytics("main") as analytics:
        window = analytics.window("15m")

        assert analytics.noisiest(window).undeclared == 1
        (line,) = analytics.search(window, "labels.namespace.undeclared:*").lines
        assert line.source["labels"] == {"namespace.undeclared": "Team-A"}


def test_delays_are_those_that_documents_state_themselves(shop: Shop) -> None:
    documents = []
    for number in range(100):
        moment = NOW - timedelta(minutes=5, seconds=number)
        ingested = (moment + timedelta(seconds=number / 10)).isoformat()
        documents.append({"@timestamp": moment.isoformat(), "event": {"ingested": ingested}})
    shop.put("main", documents)
    shop.log("team_a", [(5, "info", "a", "states none")])

    with shop.analytics("main") as analytics:
        found = analytics.latency(analytics.window("15m"))
    with shop.analytics("team_a") as analytics:
        nothing = analytics.latency(analytics.window("15m"))

    assert found is not None
    assert (found.source, found.count, found.sampled_share) == ("documents", 100, 1.0)
    delays = (found.p50_seconds, found.p95_seconds, found.p99_seconds)
    assert delays == pytest.approx((4.9, 9.4, 9.8))
    assert nothing is None


def test_a_reader_is_not_given_a_namespace_beyond_those_allowed(shop: Shop) -> None:
    with pytest.raises(OutOfReachError, match="allowed: team_a"), shop.analytics("main", allowed=["team_a"]):
        pass


def test_before_and_after_a_deploy_are_told_apart_from_noise(shop: Shop) -> None:
    before = [(15 + at / 4, "error", "shop.pay", f"timeout {at}") for at in range(20)]
    after = [(at / 8, "error", "shop.pay", f"card {at} refused") for at in range(1, 80)]
    steady = [(at / 4, "info", "shop.web", f"page {at}") for at in range(1, 80)]
    shop.log("main", [*before, *after, *steady, (1, "error", "shop.new", "late to the party")])

    with shop.analytics("main") as analytics:
        deploy = NOW - timedelta(minutes=10)
        found = analytics.compare(deploy, 600.0)
        templates = analytics.new_error_templates(*analytics.sides(deploy, 600.0))
        loggers = analytics.new_loggers(*analytics.sides(deploy, 600.0))

    assert (found.errors.before.count, found.errors.after.count) == (20, 80)
    assert found.errors.ratio == pytest.approx(4.0)
    assert found.errors.is_change
    assert found.error_share.is_change
    assert [each.name for each in found.loggers] == ["shop.pay", "shop.new"]
    assert [each.text for each in templates.templates] == ["card <*> refused", "late to the party"]
    assert templates.unchecked == ()
    assert [each.name for each in loggers.loggers] == ["shop.new"]


def test_a_template_that_the_sample_before_missed_is_not_called_new(shop: Shop) -> None:
    # So many before that only the first of each slice are looked at: the rare one is the last of its slice.
    many = [(119 - at * 0.039, "error", "a", f"usual {at}") for at in range(1_500)]
    shop.log("main", [*many, (60.51, "error", "a", "rare failure 7"), (5, "error", "a", "rare failure 8")])
    shop.log("main", [(4, "error", "a", "fresh failure 1")])

    with shop.analytics("main") as analytics:
        moment = NOW - timedelta(minutes=60)
        sides = analytics.sides(moment, 3600.0)
        store, reach = analytics._store, analytics.reach
        taken = sample(store, reach, sides[0], query=ERRORS, records_max=100)
        found = new_templates(store, reach, *sides, query=ERRORS, records_max=100)

    assert taken.share < 0.2
    assert all("rare" not in each.text for each in grouped(taken).values())
    assert [each.text for each in found.templates] == ["fresh failure <*>"]


def test_a_search_finds_what_it_asks_for_in_order_page_after_page(shop: Shop) -> None:
    shop.log("main", [(10 + at / 100, "info", "shop.web", f"line {at}") for at in range(250)])
    shop.log(
        "main", [(5, "error", "shop.pay", "disk full: Payment lost"), (4, "error", "db", "disk is full")]
    )

    with shop.analytics("main") as analytics:
        window = analytics.window("1h")

        def found(query: str) -> list[str]:
            return [line.message for line in analytics.search(window, query).lines]

        assert found('level:error and message:"disk full"') == ["disk full: Payment lost"]
        assert found("level:ERROR logger:shop.*") == ["disk full: Payment lost"]
        assert found("payment or (logger:db and not page)") == ["disk full: Payment lost", "disk is full"]
        assert found("not logger:shop.web") == ["disk full: Payment lost", "disk is full"]
        paged = search_lines(analytics._store, analytics.reach, window, lines_max=240)
        small = [
            line.message
            for line in search_lines(analytics._store, analytics.reach, window, lines_max=7).lines
        ]

    assert paged.count == 252
    assert len({line.key for line in paged.lines}) == 240
    assert [line.moment for line in paged.lines] == sorted(line.moment for line in paged.lines)
    assert small == [line.message for line in paged.lines][-7:]


def test_sealed_fields_are_shown_as_a_marker(shop: Shop) -> None:
    moment = NOW.replace(hour=3).isoformat()
    shop.put("main", [{"@timestamp": moment, "encrypted": ["AQEEbG9ncw"], "log": {"level": "info"}}])

    with shop.analytics("main") as analytics:
        (line,) = analytics.search(analytics.window("2h")).lines

    assert line.message == "[sealed]"
    assert line.sealed


def test_following_shows_late_lines_once_and_counts_what_comes_later_than_declared(shop: Shop) -> None:
    shop.log("main", [(1.0, "info", "a", "first")])
    with shop.analytics("main", lateness_seconds=60.0) as analytics:
        follower = analytics.follow(NOW - timedelta(minutes=2))
        shown = [line.message for line in follower.look(NOW)]
        shop.log("main", [(0.5, "info", "a", "late"), (-0.1, "info", "a", "now")])
        shown += [line.message for line in follower.look(NOW + timedelta(seconds=20))]
        shown += [line.message for line in follower.look(NOW + timedelta(seconds=100))]
        shop.log("main", [(1.5, "info", "a", "too late"), (-1.5, "info", "a", "last")])
        shown += [line.message for line in follower.look(NOW + timedelta(seconds=120))]

        assert shown == ["first", "late", "now", "last"]
        assert follower.count_missed() == 1


def test_several_searches_are_answered_in_their_order_and_errors_are_typed(shop: Shop) -> None:
    shop.log("main", [(5, "info", "a", "x")])
    shop.log("team_a", [(5, "info", "a", "x")] * 2)
    body = {"size": 0, "track_total_hits": True}
    with queries_of(shop.store) as queries:
        answers = queries.multi_search([(shop.stream(each), body) for each in ("team_a", "main", "none")])

        assert [answer["hits"]["total"]["value"] for answer in answers] == [2, 1, 0]
        assert queries.multi_search([]) == []
        with pytest.raises(QueryRefusedError, match="400"):
            queries.search(shop.stream("main"), {"query": {"range": {"@timestamp": {"gte": "no date"}}}})
        with pytest.raises(QueryRefusedError):
            queries.multi_search(
                [(shop.stream("main"), {"query": {"range": {"@timestamp": {"gte": "no date"}}}})]
            )


def test_a_store_that_is_not_there_is_unavailable() -> None:
    sink = ElasticsearchSink(["http://127.0.0.1:1"], "logs-unused-default")
    queries = ElasticsearchQueries(sink.request)

    with pytest.raises(StoreUnavailableError):
        queries.search("logs-*-default", {})
    with pytest.raises(StoreUnavailableError):
        queries.multi_search([("logs-*-default", {})])
    sink.close()


def test_what_is_shipped_reaches_its_namespace_alone_and_is_found_again_by_a_look_up(shop: Shop) -> None:
    settings = Settings(
        elasticsearch=[shop.store.url],
        service=shop.dataset,
        namespace="main",
        namespaces={"team_a": "30d", "team_b": ""},
        request_timeout_seconds=30.0,
    )
    events: list[object] = []
    sink = sink_opener(settings, events.append)()
    assert sink.prepare() is None
    items = []
    for number, name in enumerate(["team_a", "main", "team_b", "team_a", "stranger"]):
        moment = (NOW - timedelta(minutes=number + 1)).isoformat()
        document = {"@timestamp": moment, "message": name, "data_stream": {"namespace": name}}
        items.append(Item(shop.dataset.encode().ljust(16, b"+")[:16], number, orjson.dumps(document)))

    outcome = sink.send(items)
    assert isinstance(outcome, OneForEach), outcome
    assert all(isinstance(each, Delivered) for each in outcome.outcomes)
    missing = [f"{items[0].epoch.hex()}-99"]
    found = sink.look_up([item.id for item in items] + missing, [])
    sink.close()

    assert found == Found(frozenset(item.id for item in items))
    expected = {"team_a": ["team_a", "team_a"], "team_b": ["team_b"], "main": ["stranger", "main"]}
    for namespace, messages in expected.items():
        shop.store.ok("POST", f"/{shop.stream(namespace)}/_refresh")
        with shop.analytics(namespace) as analytics:
            lines = analytics.search(analytics.window("1h")).lines
        assert [line.message for line in lines] == messages
        assert {line.namespace for line in lines} == {namespace}
