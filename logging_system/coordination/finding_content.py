"""A finding as JSON: what files and the standard input of commands hold."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

from logging_system.coordination.findings import CauseClass, Finding, FindingKind

_TUPLES = ("evidence_for", "evidence_against", "templates", "examples")
_TEXTS = ("finding_id", "namespace", "subject", "summary")
_NUMBERS = ("since_seconds", "found_seconds", "until_seconds", "confidence")
_FIELDS = {each.name: each for each in fields(Finding)}
_REQUIRED = [
    name for name, each in _FIELDS.items() if each.default is MISSING and each.default_factory is MISSING
]


def content_of(finding: Finding) -> dict[str, Any]:
    """Return a finding as an object of JSON."""
    return {**asdict(finding), "measures": dict(finding.measures)}


def finding_of(content: object, where: str) -> Finding:
    """Return the finding that an object of JSON is.

    Args:
        content: The object.
        where: Where it stands, for messages.

    Raises:
        ValueError: It is none; says where, what and the remedy.
    """
    given = _named(content, where)
    given["kind"] = _word(FindingKind, given["kind"], f"{where} kind")
    given["cause"] = _word(CauseClass, given["cause"], f"{where} cause")
    for name in _TEXTS:
        given[name] = str(given[name])
    for name in _TUPLES:
        given[name] = tuple(str(each) for each in given.get(name) or ())
    for name in _NUMBERS:
        if given.get(name) is not None:
            given[name] = _number(given[name], f"{where} {name}")
    if not 0 < given["confidence"] <= 1:
        raise ValueError(f"{where} confidence: must be above 0 and at most 1")
    given["measures"] = _measures(given.get("measures") or {}, f"{where} measures")
    return Finding(**given)


def _named(content: object, where: str) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f"{where}: expected an object with {', '.join(_REQUIRED)}")  # noqa: TRY004 - of a file
    for name in content:
        if name not in _FIELDS:
            raise ValueError(f"{where} {name}: no such name{_hint(str(name), list(_FIELDS))}")
    for name in _REQUIRED:
        if content.get(name) is None:
            raise ValueError(f"{where} {name}: is missing")
    return dict(content)


def _measures(content: object, where: str) -> dict[str, float]:
    if not isinstance(content, Mapping):
        raise ValueError(f"{where}: expected numbers by name, such as `rate_per_second: 12`")  # noqa: TRY004
    return {str(name): _number(value, f"{where}.{name}") for name, value in content.items()}


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where}: must be a number")  # noqa: TRY004 - of a file
    return float(value)


def _word(kind: type[FindingKind] | type[CauseClass], value: object, where: str) -> Any:
    words = [each.value for each in kind]
    if value not in words:
        raise ValueError(f'{where}: no "{value}"{_hint(str(value), words)}')
    return kind(str(value))


def _hint(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names)}"
