from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.analytics.query_language import read_query
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import ERRORS
from logging_system.analytics.store_queries import StoreUnavailableError
from logging_system.analytics.template_times import template_times
from logging_system.analytics.windows import Window
from logging_system.console.board import PanelError
from logging_system.console.shown_text import ShownText
from logging_system.console.stored import SPANS, Stored, query_for

NOW = datetime(2026, 11, 30, 14, 7, 42, tzinfo=UTC)
HOUR = SPANS[0]


class LiteralStore:
    """Answers each search literally, and keeps what was asked."""

    def __init__(self, *answers: Mapping[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    def search(self, _target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(body)
        if not self.answers:
            raise StoreUnavailableError("connection refused")
        return self.answers.pop(0)

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        return [self.search(*each) for each in searches]


def now() -> datetime:
    return NOW


def stored(store: Any) -> Stored:
    return Stored(store, store, Reach.everything(), ShownText(None), clock=now)


def bucket(minute: int, **levels: int) -> dict[str, Any]:
    moment = datetime(2026, 11, 30, 14, minute, tzinfo=UTC)
    listed = [{"key": level, "doc_count": count} for level, count in levels.items()]
    return {"key": moment.timestamp() * 1000, "levels": {"buckets": listed}}


def rates_answer(*buckets: dict[str, Any]) -> dict[str, Any]:
    listed = [
        {"key": "info", "doc_count": 700},
        {"key": "fatal", "doc_count": 3},
        {"key": "Error", "doc_count": 2},
    ]
    aggregations = {"levels": {"buckets": listed}, "times": {"buckets": list(buckets)}}
    return {
        "_shards": {"total": 1, "failed": 0},
        "hits": {"total": {"value": 705}},
        "aggregations": aggregations,
    }


def test_levels_are_told_apart_as_a_chart_does_and_now_is_the_latest_whole_bar() -> None:
    answer = rates_answer(
        bucket(5, info=59, INFO=1, verbose=3, trace=2),
        bucket(6, info=118, notice=2, warn=6, FATAL=6),
        bucket(7, info=9),
    )
    found = stored(LiteralStore(answer)).rates(HOUR)

    assert (found["count"], found["errors"]) == (705, 5)
    assert found["buckets"][0]["levels"] == {"error": 0, "warning": 0, "info": 60, "debug": 2, "other": 3}
    assert found["buckets"][1]["levels"] == {"error": 6, "warning": 6, "info": 120, "debug": 0, "other": 0}
    assert [each["state"] for each in found["buckets"]] == ["settled", "settled", "filling"]
    assert found["per_second"] == 132 / 60


def test_what_is_empty_while_records_wait_on_their_way_is_a_gap_and_no_zero() -> None:
    store: Any = LiteralStore(rates_answer(bucket(3, info=5), bucket(4), bucket(5, info=1), bucket(6)))
    since_seconds = NOW.timestamp() - 210
    asking = Stored(store, store, Reach.everything(), ShownText(None), lambda: since_seconds, clock=now)
    found = asking.rates(HOUR)["buckets"]

    assert [each["state"] for each in found] == ["settled", "gap", "held up", "gap"]
    assert [each["levels"] is None for each in found] == [False, True, False, True]


@pytest.mark.parametrize("span", SPANS, ids=[each.name for each in SPANS])
def test_a_question_stays_the_same_until_the_next_bar_begins(span: Any) -> None:
    store = LiteralStore(rates_answer())
    found = stored(store).rates(span)
    step = span.interval.seconds_max * 1000

    assert found["until_ms"] % step == 0
    assert 0 < found["until_ms"] - NOW.timestamp() * 1000 <= step
    assert found["until_ms"] - found["since_ms"] == span.seconds * 1000
    assert span.seconds / span.interval.seconds_max <= 100


def test_a_store_that_does_not_answer_is_told_in_a_sentence() -> None:
    asking = stored(LiteralStore())
    for ask in (asking.rates, asking.templates, asking.loggers):
        with pytest.raises(PanelError, match=r"The store gives no \w+: connection refused"):
            ask(HOUR)


def test_templates_come_with_their_times_and_the_query_that_leads_to_their_lines() -> None:
    moments = [f"2026-11-30T13:{minute:02}:30Z" for minute in (9, 10, 50)]
    hits = [
        {
            "_index": ".ds-logs-shop-main-2026.11.30-000001",
            "_source": {
                "@timestamp": moment,
                "message": f"payment timed out after {number} ms",
                "log": {"level": "error", "logger": 'shop."pay"'},
            },
        }
        for number, moment in enumerate(moments)
    ]
    answer = {"_shards": {"failed": 0}, "hits": {"total": {"value": 3}, "hits": hits}}
    nothing = {"_shards": {"failed": 0}, "hits": {"total": {"value": 0}, "hits": []}}
    found = stored(LiteralStore(*[answer, *[nothing] * 9] * 2)).templates(HOUR)
    (row,) = found["errors"]["rows"]

    assert (row["text"], row["estimate"]) == ("payment timed out after <*>", 3)
    assert row["times"] == [2, 0, 0, 0, 0, 0, 0, 1, 0, 0]  # of 13:08 to 14:08
    assert row["query"].endswith('logger:"shop.\\"pay\\"" and message:"payment timed out after"')
    assert read_query(row["query"]) is not None
    assert found["all"]["rows"][0]["query"].startswith("logger:")


def test_template_times_tell_how_many_more_there_are() -> None:
    window = Window(datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    hits = [
        {"_index": "logs-a-b", "_source": {"@timestamp": "no time", "message": word, "log": {"logger": "x"}}}
        for word in ("one", "two", "two", "three")
    ]
    answers: list[dict[str, Any]] = [
        {"hits": {"total": {"value": 4}, "hits": hits}},
        *[{"hits": {"total": {"value": 0}}}] * 9,
    ]
    found = template_times(LiteralStore(*answers), Reach.everything(), window, templates_max=1)

    assert [(each.template.text, each.estimates) for each in found.templates] == [("two", (2.0, *[0.0] * 9))]
    assert (found.others, found.count, found.share) == (2, 4, 1.0)


@settings(max_examples=50)
@given(
    words=st.text(max_size=40),
    logger=st.text(max_size=40),
    error=st.text(max_size=40),
    is_error=st.booleans(),
)
def test_whatever_was_logged_its_query_means_just_that(
    words: str, logger: str, error: str, is_error: bool
) -> None:
    """What leads from a chart to lines is one condition a field, each with the whole text in it."""
    found = read_query(query_for(words, logger=logger, error=error, is_error=is_error))
    wanted: list[dict[str, Any]] = []
    if is_error:
        wanted.append(dict(ERRORS))
    wanted += [{"term": {"log.logger": logger}}] if logger else []
    wanted += [{"term": {"error.type": error}}] if error else []
    wanted += [{"match_phrase": {"message": words}}] if words else []

    if len(wanted) > 1:
        assert found == {"bool": {"filter": wanted}}
    else:
        assert found == (wanted[0] if wanted else None)


def test_lines_are_the_newest_first_masked_and_of_one_namespace_where_asked() -> None:
    source = {
        "message": "password=hunter2 for 17",
        "log": {"level": "info", "logger": "a"},
        "api_key": "abc123xyz",
    }
    hits = [
        {"_index": f"logs-shop-{space}", "_id": str(n), "_source": source, "sort": [1_000 * n]}
        for n, space in ((3, "main"), (2, "main"), (1, "main"))
    ]

    targets: list[str] = []

    class Store(LiteralStore):
        def open_point(self, target: str, _keep_alive: str) -> str:
            targets.append(target)
            return "p"

        def close_point(self, _point_id: str) -> None:
            """Nothing to forget."""

    answer = {"_shards": {"failed": 0}, "hits": {"total": {"value": 3}, "hits": hits}}
    found = stored(Store(answer)).lines("", 0, 10_000, "main")

    assert found["count"] == 3
    assert targets == ["logs-*-main"]
    assert [each["time_ms"] for each in found["lines"]] == [3_000, 2_000, 1_000]
    assert "hunter2" not in str(found)
    assert "abc123xyz" not in str(found)


def test_a_time_that_is_empty_or_beyond_all_years_is_refused() -> None:
    asking = stored(LiteralStore())
    for since, until in ((10, 10), (0, 10**15 - 1)):
        with pytest.raises(ValueError, match=r"is empty|is no time|year"):
            asking.lines("", since, until)


def test_no_question_leads_beyond_the_namespaces_that_the_console_may_show() -> None:
    store: Any = LiteralStore()
    asking = Stored(store, store, Reach.of(["main"]), ShownText(None), clock=lambda: NOW)
    for name in ("other", "ma*", "main,other", "main-other"):
        with pytest.raises(ValueError, match=r"is not allowed|is a pattern|is no namespace"):
            asking.lines("", 0, 10, name)

    assert store.asked == []


class PagingStore(LiteralStore):
    def open_point(self, _target: str, _keep_alive: str) -> str:
        return "p"

    def close_point(self, _point_id: str) -> None:
        """Nothing to forget."""


HIT: dict[str, Any] = {
    **{"_index": "logs-shop-main", "_id": "1", "sort": [1_000]},
    "_source": {
        **{"@timestamp": "2026-11-30T14:00:00Z", "message": "a b", "error": {"type": "E"}},
        **{"log": {"level": "error", "logger": "a"}, "labels": {"a": 1}},
    },
}
COUNT = {"key": "a", "doc_count": 3, "errors": {"doc_count": 1}}
WHOLE = {
    **{"timed_out": True, "hits": {"total": {"value": 3}, "hits": [HIT, HIT]}},
    "_shards": {"total": 1, "failed": 1, "failures": [{"reason": {"type": "t", "reason": "r"}}]},
    "aggregations": {
        "levels": {"buckets": [COUNT]},
        "times": {"buckets": [{"key": 1_796_047_200_000, "doc_count": 3, "levels": {"buckets": [COUNT]}}]},
        "indices": {"buckets": [{**COUNT, "key": ".ds-logs-shop-main-2026.11.30-000001"}]},
        "loggers": {"sum_other_doc_count": 1, "buckets": [COUNT]},
        "undeclared": {"doc_count": 0},
    },
}
WRONG: tuple[Any, ...] = (
    *(None, "x", "", -1, 1.5, 2**61, 1e300, True, "2026-13-45T99"),
    *([], {}, [None], [[]], [1, 2], {"buckets": 5}, {"buckets": [1]}),
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from _places(each, (*place, name))


def _misshapen(rng: random.Random) -> dict[str, Any]:
    """An answer in which one to three places hold something else, or nothing."""
    answer = copy.deepcopy(WHOLE)
    for _ in range(rng.randint(1, 3)):
        *way, last = rng.choice(list(_places(answer)))
        holder: Any = answer
        for name in way:
            holder = holder[name]
        if isinstance(holder, dict) and rng.random() < 0.2:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(rng.choice(WRONG))
    return answer


class MisshapenStore(PagingStore):
    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng

    def search(self, _target: str, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        return _misshapen(self.rng)


def test_an_answer_of_another_shape_is_shown_or_told_in_a_sentence_and_never_breaks_the_console() -> None:
    told = 0
    for seed in range(25):
        store = MisshapenStore(random.Random(seed))
        for ask in ("rates", "templates", "loggers", "lines"):
            asking = stored(store)
            given: tuple[Any, ...] = ("", 0, 10_000) if ask == "lines" else (HOUR,)
            try:
                orjson.dumps(getattr(asking, ask)(*given))
            except PanelError:
                told += 1

    assert told > 12


def test_a_document_nested_too_deeply_hides_itself_alone() -> None:
    deep: dict[str, Any] = {"password": "hunter2"}
    for _ in range(900):
        deep = {"a": deep}
    hits = [{**HIT, "_source": {"message": "deep", **deep}}, {**HIT, "_source": {"message": "plain"}}]
    found = stored(PagingStore({"hits": {"total": {"value": 2}, "hits": hits}})).lines("", 0, 10_000)
    first, second = found["lines"]

    assert first["message"] == "deep"
    assert "nested too deeply" in first["document"]
    assert second["document"] == '{\n  "message": "plain"\n}'


def test_why_the_cache_is_not_used_is_shown_without_secrets() -> None:
    for why in ("refused for password=hunter2", ""):
        store: Any = LiteralStore(rates_answer())
        asking = Stored(store, store, Reach.everything(), ShownText(None), cache_refusal=why.strip, clock=now)
        shown = asking.rates(HOUR)["cache_refusal"]

        assert shown.startswith(why[:11])
        assert "hunter2" not in shown
