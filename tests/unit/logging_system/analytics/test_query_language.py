from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.analytics.query_language import QuerySyntaxError, read_query, searchable_fields


def _level(*spelled: str) -> dict[str, Any]:
    return {"terms": {"log.level": list(spelled)}}


def _spelled(*names: str) -> list[str]:
    return [each for name in names for each in (name, name.title(), name.upper())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  ", None),
        ("refused", {"match": {"message": {"query": "refused", "operator": "and"}}}),
        ('"no route"', {"match_phrase": {"message": "no route"}}),
        (r'"a \"b\" \\ c"', {"match_phrase": {"message": r'a "b" \ c'}}),
        ("level:ERROR", _level("error", "Error", "ERROR")),
        ("logger:Shop", {"term": {"log.logger": "Shop"}}),
        ("logger:shop.*", {"wildcard": {"log.logger": {"value": "shop.*", "case_insensitive": True}}}),
        ("error.type:*", {"exists": {"field": "error.type"}}),
        ('labels.order:"4*2"', {"term": {"labels.order": "4*2"}}),
        ("event.duration >= 5000", {"range": {"event.duration": {"gte": "5000"}}}),
        ("not level:info", {"bool": {"must_not": [_level("info", "Info", "INFO")]}}),
        ("not not level:info", _level("info", "Info", "INFO")),
        (
            "level>=Critical",
            _level(*_spelled("crit", "critical", "fatal", "alert", "emerg", "emergency", "panic")),
        ),
        ("level < debug", _level("trace", "Trace", "TRACE")),
        (
            "level:a or level:b level:c",
            {
                "bool": {
                    "should": [
                        _level("a", "A"),
                        {"bool": {"filter": [_level("b", "B"), _level("c", "C")]}},
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "(level:a OR level:b) AND level:c",
            {
                "bool": {
                    "filter": [
                        {
                            "bool": {
                                "should": [_level("a", "A"), _level("b", "B")],
                                "minimum_should_match": 1,
                            }
                        },
                        _level("c", "C"),
                    ]
                }
            },
        ),
    ],
)
def test_a_query_means_what_the_reference_says(text: str, expected: dict[str, Any] | None) -> None:
    assert read_query(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('level:error "no', "character 13: a quotation mark is not closed"),
        ("levle:error", "Did you mean 'level'"),
        ("labels:x", "no field 'labels' is searched"),
        ("message:", "ends where a condition is expected"),
        ("or level:a", "character 1: 'or' stands where a condition is expected"),
        ("level:a or", "ends where a condition is expected"),
        ("(level:a", "the end of the query stands where a parenthesis must be closed"),
        ("level:a)", "character 8: '\\)' is not expected here"),
        ("level:12:30", "put it|not expected"),
        ("logger > b", "log.logger has no order"),
        ("level > loud", "log.level has no order"),
        ("(" * 30 + "a" + ")" * 30, "more than 20 parentheses"),
        ("a " * 101, "more than 100 conditions"),
        ("a" * 2_001, "2001 characters"),
        ("{:x", "no field '{' is searched"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(QuerySyntaxError, match=why):
        read_query(text)


@given(st.text(alphabet='ab:*?"()<>= \\{}_notrd.', max_size=60))
def test_whatever_is_typed_is_a_query_or_refused_and_asks_for_mapped_fields_alone(text: str) -> None:
    """No text makes a clause or a field that is not one of ours, so none can do more than search."""
    try:
        query = read_query(text)
    except QuerySyntaxError:
        return

    assert query is None or all(kind in KINDS for kind in clauses(query))


KINDS = {"bool", "term", "match", "match_phrase", "wildcard", "exists", "range"}


def clauses(query: dict[str, Any]) -> list[str]:
    (kind,) = query
    inner = query[kind]
    found = [kind]
    if kind == "bool":
        for part in ("filter", "should", "must_not"):
            for each in inner.get(part, []):
                found += clauses(each)
    else:
        name = inner["field"] if kind == "exists" else next(iter(inner))
        assert name in searchable_fields() or name.startswith("labels.")
    return found
