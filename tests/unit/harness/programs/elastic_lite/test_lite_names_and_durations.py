"""Names, patterns and time values."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.language.names import check_index_name, matches, overlap

PATTERNS = st.text(alphabet="ab*", max_size=6)
TEXTS = st.text(alphabet="ab", max_size=6)


@given(PATTERNS, TEXTS)
def test_pattern_matches_as_its_regular_expression_does(pattern: str, text: str) -> None:
    """A star is `.*`, everything else itself."""
    assert matches(pattern, text) is (re.fullmatch(pattern.replace("*", ".*"), text) is not None)


@given(PATTERNS, PATTERNS, TEXTS)
def test_patterns_that_share_a_name_overlap(one: str, other: str, text: str) -> None:
    """A common name is a proof of overlap."""
    if matches(one, text) and matches(other, text):
        assert overlap(one, other)


@given(PATTERNS, TEXTS)
def test_pattern_overlaps_a_plain_name_exactly_when_it_matches_it(pattern: str, text: str) -> None:
    """Without a star the other pattern is one name."""
    assert overlap(pattern, text) is matches(pattern, text)
    assert overlap(text, pattern) is matches(pattern, text)


@pytest.mark.parametrize("name", ["logs", "logs-2024.01.01", ".ds-x-000001", "ärger", "a_b", "a" * 255])
def test_lawful_index_name_is_taken(name: str) -> None:
    check_index_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "Logs", "_x", "-x", "+x", "a b", "a*", "a,b", "a/b", "a#b", "a:b", "a" * 256]
)
def test_unlawful_index_name_is_refused(name: str) -> None:
    with pytest.raises(ElasticError) as raised:
        check_index_name(name)

    assert (raised.value.status, raised.value.kind) == (400, "invalid_index_name_exception")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1m", 60.0), ("200ms", 0.2), ("1.5h", 5400.0), ("2d", 172800.0), ("-1", -1.0), ("0", 0.0)],
)
def test_time_value_is_read_in_seconds(text: str, expected: float) -> None:
    assert seconds(text, "keep_alive") == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "5", "1x", "m", "-5s"])
def test_time_value_without_a_known_unit_is_refused(text: str) -> None:
    with pytest.raises(ElasticError, match="keep_alive"):
        seconds(text, "keep_alive")


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("logs", "logs", True), ("logs", "logs-1", False), ("*", "", True), ("a*a", "a", False),
        ("a*a", "aa", True), ("a*b*c", "axbxc", True), ("a*b*c", "acb", False), ("*ab*ab", "ab", False),
        ("*ab*ab", "xabyab", True), ("**", "x", True), ("a.c", "abc", False), ("*\n*", "x\ny", True),
    ],
)  # fmt: skip
def test_star_stands_for_any_characters_or_none(pattern, name, fits):
    assert matches(pattern, name) is fits


def test_pattern_of_many_stars_is_answered_at_once():
    assert matches("*a" * 2_000 + "b", "a" * 20_000) is False
