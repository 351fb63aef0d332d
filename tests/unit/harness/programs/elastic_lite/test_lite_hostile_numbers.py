"""Numbers beyond every measure are refused, never a defect."""

from __future__ import annotations

import pytest

from harness.programs.elastic_lite.aggregations.columns import Table
from harness.programs.elastic_lite.aggregations.definitions import parse_aggregations
from harness.programs.elastic_lite.language.dates import parse_date_math_ns
from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.storage.rollover import parse_rollover


@pytest.mark.parametrize(
    "condition",
    [
        {"max_size": "9" * 400 + "pb"},
        {"max_age": "9" * 400 + "d"},
        {"max_docs": "1e400"},
        {"max_docs": "nan"},
    ],
)
def test_condition_beyond_every_number_is_refused(condition):
    with pytest.raises(ElasticError) as raised:
        parse_rollover({"conditions": condition})

    assert raised.value.status == 400


@pytest.mark.parametrize("text", ["now+99999999999y", "now-99999999999d", "now+" + "9" * 400 + "d"])
def test_date_beyond_all_years_is_none(text):
    assert parse_date_math_ns(text, "strict_date_optional_time", 0) is None


@pytest.mark.parametrize(
    ("interval", "value"),
    [
        ({"calendar_interval": "day"}, 2**63 - 1),
        ({"calendar_interval": "day"}, -(2**63)),
        ({"fixed_interval": "1d"}, -(2**63)),
    ],
)
def test_value_beyond_all_years_is_refused(interval, value):
    columns: list = []
    body = {"a": {"date_histogram": {"field": "n", "min_doc_count": 1, **interval}}}
    aggregations = parse_aggregations(body, columns)
    table = Table(columns, rows=[((value,),)])

    with pytest.raises(ElasticError, match="beyond the years"):
        aggregations.answers(table.rows, table)


def test_range_of_no_number_is_refused():
    columns: list = []
    body = {"a": {"range": {"field": "n", "ranges": [{"from": "NaN"}]}}}
    aggregations = parse_aggregations(body, columns)
    table = Table(columns)

    with pytest.raises(ElasticError):
        aggregations.answers(table.rows, table)


def test_aggregations_are_nested_to_a_bound_only():
    body: dict = {"min": {"field": "n"}}
    for _ in range(25):
        body = {"filter": {"match_all": {}}, "aggs": {"a": body}}

    with pytest.raises(ElasticError, match="deep"):
        parse_aggregations({"a": body}, [])
