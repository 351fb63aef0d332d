from __future__ import annotations

from typing import Any

import pytest

from logging_system.analytics.cache.plans import Exactness, plan_of
from logging_system.analytics.cache.time_ranges import CELL_MS, TimeRange

T0 = 1_700_000_000_000
HOUR = {"range": {"@timestamp": {"gte": T0, "lt": T0 + 3_600_000}}}


def body_of(aggregation: dict[str, Any], query: Any = HOUR, **more: Any) -> dict[str, Any]:
    return {"size": 0, "track_total_hits": True, "query": query, "aggs": {"a": aggregation}, **more}


@pytest.mark.parametrize(
    ("aggregation", "exactness"),
    [
        ({"value_count": {"field": "took"}}, Exactness.MERGEABLE),
        ({"min": {"field": "took"}}, Exactness.MERGEABLE),
        ({"sum": {"field": "took"}}, Exactness.MERGEABLE),
        ({"terms": {"field": "level"}}, Exactness.MERGEABLE),
        ({"filter": {"term": {"level": "error"}}}, Exactness.MERGEABLE),
        ({"date_histogram": {"field": "@timestamp", "fixed_interval": "30s"}}, Exactness.MERGEABLE),
        ({"sum": {"field": "ratio"}}, Exactness.OF_VIEW),
        ({"avg": {"field": "took"}}, Exactness.OF_VIEW),
        ({"percentiles": {"field": "took"}}, Exactness.OF_VIEW),
        ({"terms": {"field": "level", "order": {"slow": "desc"}}}, Exactness.OF_VIEW),
        ({"terms": {"field": "level", "min_doc_count": 0}}, Exactness.OF_VIEW),
        ({"cardinality": {"field": "level"}}, Exactness.OF_RECORDS),
        ({"terms": {"field": "level", "order": {"_count": "asc"}}}, Exactness.OF_RECORDS),
        (
            {
                "date_histogram": {
                    "field": "@timestamp",
                    "calendar_interval": "day",
                    "time_zone": "Asia/Tokyo",
                }
            },
            Exactness.OF_RECORDS,
        ),
        ({"scripted_metric": {}}, Exactness.UNKNOWN),
        ({"max": {"script": "doc['a'].value"}}, Exactness.UNKNOWN),
        ({"top_hits": {}}, Exactness.UNKNOWN),
    ],
)
def test_an_aggregation_is_kept_as_exactly_as_is_known_of_it(
    aggregation: dict[str, Any], exactness: Exactness
) -> None:
    assert plan_of(body_of(aggregation), whole_number_fields=["took"]).exactness is exactness


def test_one_that_is_not_exact_inside_makes_the_whole_so() -> None:
    outer = {"terms": {"field": "level"}, "aggs": {"p95": {"percentiles": {"field": "took"}}}}

    assert plan_of(body_of(outer)).exactness is Exactness.OF_VIEW


def test_terms_cut_at_a_number_stay_whole_intervals_inside_a_histogram() -> None:
    inner = {"top": {"terms": {"field": "level", "order": {"_count": "asc"}}}}
    histogram = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}, "aggs": inner}

    assert plan_of(body_of(histogram)).exactness is Exactness.MERGEABLE


@pytest.mark.parametrize(
    "query",
    [
        {"range": {"@timestamp": {"gte": "now-1h", "lt": "now"}}},
        {"bool": {"filter": [HOUR, {"range": {"expires": {"lt": "now/d"}}}]}},
        {"bool": {"filter": [HOUR, {"terms": {"user": {"index": "users", "id": "1", "path": "names"}}}]}},
        {"script": {"script": "true"}},
        {"function_score": {"random_score": {}}},
    ],
)
def test_a_question_whose_answer_follows_from_more_than_records_is_never_kept(query: Any) -> None:
    assert plan_of(body_of({"value_count": {"field": "took"}}, query)).exactness is Exactness.UNKNOWN


def test_hits_are_never_kept() -> None:
    assert plan_of({"size": 10, "query": HOUR}).exactness is Exactness.UNKNOWN


def test_pieces_hold_whole_intervals() -> None:
    histogram = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}}

    assert plan_of(body_of({"value_count": {"field": "took"}})).width_ms == 60_000
    assert plan_of(body_of(histogram)).width_ms == 60_000
    assert (
        plan_of(body_of({"date_histogram": {"field": "@timestamp", "fixed_interval": "7s"}})).width_ms is None
    )


@pytest.mark.parametrize("bounds", [(T0, T0 + 60_000), ("2023-11-14T22:13:20Z", "2023-11-14T22:14:20.000Z")])
def test_a_time_is_read_as_a_number_and_as_a_text(bounds: Any) -> None:
    query = {"bool": {"filter": [{"range": {"@timestamp": {"gte": bounds[0], "lt": bounds[1]}}}]}}
    plan = plan_of(body_of({"min": {"field": "took"}}, query))

    assert plan.asked == TimeRange(T0, T0 + 60_000)
    assert plan.width_ms == CELL_MS


@pytest.mark.parametrize(
    "bounds",
    [{"gte": T0}, {"gt": T0, "lt": T0 + 1}, {"gte": T0, "lt": T0}, {"gte": "2023-11-14", "lt": "2023-11-15"}],
)
def test_a_time_that_is_not_plain_is_kept_with_its_view_only(bounds: Any) -> None:
    plan = plan_of(body_of({"min": {"field": "took"}}, {"range": {"@timestamp": bounds}}))

    assert (plan.exactness, plan.width_ms) == (Exactness.OF_VIEW, None)


def test_a_total_that_is_counted_up_to_a_bound_is_kept_with_its_view_only() -> None:
    body = {**body_of({"min": {"field": "took"}}), "track_total_hits": 10_000}

    assert plan_of(body).exactness is Exactness.OF_VIEW
