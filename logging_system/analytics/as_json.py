"""The answers as JSON: every attribute, and every number that follows from them, under its own name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

_HIDDEN = frozenset({"query"})


def as_json(value: Any) -> Any:
    """Return an answer as what JSON holds; a number that is none, or infinite, as null.

    Args:
        value: An answer, or anything in one: a dataclass, mapping, list, tuple, moment, number or text.
    """
    if is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in fields(value)]
        names += [name for name, found in vars(type(value)).items() if isinstance(found, property)]
        return {name: as_json(getattr(value, name)) for name in names if name not in _HIDDEN}
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return None if isinstance(value, float) and not math.isfinite(value) else value
