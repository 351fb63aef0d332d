"""Values that are surely read alike here and by Elasticsearch; all others of a word are refused by name.

Elasticsearch reads a value in as many ways as it has parsers: `""` is false here and a mistake there, `true`
is a text, a date or a number that cannot be, `null` is left out or is one mistake of three. A client that
sends such a value is mistaken more often than not, so nobody misses an answer to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.programs.elastic_lite.language.durations import VALUE as DURATION

INT_MAX = 2**31 - 1
"""The greatest number of most options."""

Sure: TypeAlias = Callable[[Any], bool]


def is_given(value: Any) -> bool:
    """Whether it is not null."""
    return value is not None


def is_flag(value: Any) -> bool:
    """Whether it is true or false, as JSON or as a text."""
    return isinstance(value, bool) or value in ("true", "false")


def is_text(value: Any) -> bool:
    """Whether it is a text with something in it."""
    return isinstance(value, str) and value != ""


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_amount(value: Any) -> bool:
    """Whether it is a number that is not below zero."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0


def is_duration(value: Any) -> bool:
    """Whether it is a time with its unit."""
    return isinstance(value, str) and DURATION.fullmatch(value) is not None


def is_name_or_names(value: Any) -> bool:
    """Whether it is a text, or a list of texts."""
    return all(map(is_text, value)) if isinstance(value, list) else is_text(value)


def is_plain(value: Any) -> bool:
    """Whether it is a text, true or false, or a number that Java writes without an exponent."""
    if isinstance(value, float):
        return value == 0 or 1e-3 <= abs(value) < 1e7
    return isinstance(value, (str, bool, int))


def is_filled_list(value: Any) -> bool:
    """Whether it is a list with something in it."""
    return isinstance(value, list) and value != []


def is_filled(value: Any) -> bool:
    """Whether it is an object or a list with something in it."""
    return isinstance(value, (dict, list)) and bool(value)


OF_QUERIES: Mapping[str, Sure] = {
    "boost": is_amount,
    "case_insensitive": is_flag,
    "include_lower": is_flag,
    "include_upper": is_flag,
    "auto_generate_synonyms_phrase_query": is_flag,
    "format": is_text,
    "field": is_text,
    "operator": is_text,
    "rewrite": is_text,
}
"""By the words that options of queries have."""

OF_AGGREGATIONS: Mapping[str, Sure] = {
    "field": is_text,
    "missing": is_plain,
    "keyed": is_flag,
    "other_bucket": is_flag,
    "show_term_doc_count_error": is_flag,
    "format": is_text,
    "key": is_text,
    "order": is_filled,
    "time_zone": is_text,
    "extended_bounds": is_filled,
    "hard_bounds": is_filled,
}
"""By the words that options of aggregations have."""
