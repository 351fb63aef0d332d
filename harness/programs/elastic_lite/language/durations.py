"""Elasticsearch's time values (`30s`, `1m`) as seconds."""

from __future__ import annotations

import re

from harness.programs.elastic_lite.language.errors import illegal_argument

UNIT_SECONDS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
VALUE = re.compile(r"(\d+(?:\.\d+)?)(nanos|micros|ms|s|m|h|d)")


def seconds(value: str, setting: str) -> float:
    """A time value in seconds; `-1` (never) and `0` need no unit.

    Args:
        value: Such as `1m`.
        setting: The name to complain about.

    Raises:
        ElasticError: 400 when the unit is missing or unknown.
    """
    if value in ("-1", "0"):
        return float(value)
    found = VALUE.fullmatch(value.strip().lower())
    if found is None:
        raise illegal_argument(
            f"failed to parse setting [{setting}] with value [{value}] as a time value: unit is "
            "missing or unrecognized"
        )
    return float(found[1]) * UNIT_SECONDS[found[2]]
