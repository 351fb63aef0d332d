"""What of a template's parameters is a quantity."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_QUANTITY = re.compile(r"<?([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s?([A-Za-z]*)\.?")
_CHARACTERS_MAX = 40
_SECONDS = {"us": 1e-6, "ms": 1e-3, "msec": 1e-3, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0}
_HOURS = {"hour": 3600.0, "hours": 3600.0, "h": 3600.0}
_BYTES = {
    f"{letter}{rest}": 1024.0**power for power, letter in enumerate("kmgt", start=1) for rest in ("b", "ib")
}
_ONES = dict.fromkeys(["", "s", "sec", "secs", "second", "seconds", "b", "byte", "bytes"], 1.0)
_FACTORS = _SECONDS | _HOURS | _BYTES | _ONES


def numbers(parameters: Sequence[str]) -> tuple[float, ...]:
    """Return each parameter as a number in seconds, bytes or ones; nan for what is no quantity.

    Args:
        parameters: What `TemplateMiner.parameters` gave.
    """
    return tuple(map(_number, parameters))


def _number(text: str) -> float:
    if len(text) > _CHARACTERS_MAX or (match := _QUANTITY.fullmatch(text)) is None:
        return math.nan
    return float(match[1]) * _FACTORS.get(match[2].lower(), math.nan)
