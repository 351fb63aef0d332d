"""Reads an OTLP export request written as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import orjson

from logging_system.gateway.bodies import BodyError
from logging_system.gateway.otlp import LogRecord, Source

_DEPTH_MAX = 32
_UINT64_END = 2**64


def parse_json(body: bytes) -> Iterator[tuple[str, Source, LogRecord]]:
    """Yield each log record with its place and source.

    Raises:
        BodyError: The body is no such request; the message names the place.
    """
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyError(400, f"the body is not JSON: {error}") from error
    root = _mapping(request, "the body")
    for where, resource_logs in _each(root, "resourceLogs", ""):
        resource = _mapping(resource_logs.get("resource"), f"{where}.resource")
        attributes = _attributes(resource, f"{where}.resource", _DEPTH_MAX)
        for scope_where, scope_logs in _each(resource_logs, "scopeLogs", f"{where}."):
            scope = _mapping(scope_logs.get("scope"), f"{scope_where}.scope")
            source = Source(attributes, _text(scope, "name", f"{scope_where}.scope"))
            for record_where, record in _each(scope_logs, "logRecords", f"{scope_where}."):
                yield record_where, source, _record(record, record_where)


def _record(record: Mapping[str, object], where: str) -> LogRecord:
    body = record.get("body")
    return LogRecord(
        time_ns=_integer(record, "timeUnixNano", where),
        observed_ns=_integer(record, "observedTimeUnixNano", where),
        severity_number=_integer(record, "severityNumber", where),
        severity_text=_text(record, "severityText", where),
        body=None if body is None else _any_value(body, f"{where}.body", _DEPTH_MAX),
        attributes=_attributes(record, where, _DEPTH_MAX),
        trace_id=_text(record, "traceId", where).lower(),
        span_id=_text(record, "spanId", where).lower(),
    )


def _each(parent: Mapping[str, object], key: str, before: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    values = parent.get(key)
    if values is None:
        return
    if not isinstance(values, list):
        raise BodyError(400, f"{before}{key}: expected a list")
    for place, value in enumerate(values):
        where = f"{before}{key}[{place}]"
        yield where, _mapping(value, where)


def _attributes(parent: Mapping[str, object], where: str, depth: int) -> dict[str, object]:
    return _key_values(parent, "attributes", f"{where}.", depth)


def _key_values(parent: Mapping[str, object], key: str, before: str, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for where, pair in _each(parent, key, before):
        value = pair.get("value")
        found[_text(pair, "key", where)] = None if value is None else _any_value(value, where, depth - 1)
    return found


def _any_value(value: object, where: str, depth: int) -> object:
    if depth <= 0:
        raise BodyError(400, f"{where}: nested deeper than {_DEPTH_MAX} levels")
    for kind, inner in _mapping(value, where).items():
        if kind in _KINDS:
            return _KINDS[kind](inner, f"{where}.{kind}", depth)
    return None


def _array(value: object, where: str, depth: int) -> object:
    return [
        _any_value(inner, place, depth - 1)
        for place, inner in _each(_mapping(value, where), "values", f"{where}.")
    ]


def _kvlist(value: object, where: str, depth: int) -> object:
    return _key_values(_mapping(value, where), "values", f"{where}.", depth)


def _scalar(value: object, where: str, _depth: int) -> object:
    if not isinstance(value, str | int | float | bool):
        raise BodyError(400, f"{where}: expected a plain value")
    return value


def _int_value(value: object, where: str, _depth: int) -> object:
    number = _as_integer(value, where)
    # What no JSON encoder writes as a number is kept as text: a 400 would cost its neighbours too.
    return number if -_UINT64_END // 2 <= number < _UINT64_END else str(number)


_KINDS: Mapping[str, Callable[[object, str, int], object]] = {
    "stringValue": _scalar,
    "boolValue": _scalar,
    "intValue": _int_value,
    "doubleValue": _scalar,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _scalar,
}


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BodyError(400, f"{where}: expected an object")
    return value


def _text(parent: Mapping[str, object], key: str, where: str) -> str:
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BodyError(400, f"{where}.{key}: expected a string")
    return value


def _integer(parent: Mapping[str, object], key: str, where: str) -> int:
    value = parent.get(key)
    number = 0 if value is None else _as_integer(value, f"{where}.{key}")
    if not 0 <= number < _UINT64_END:
        raise BodyError(400, f"{where}.{key}: {number} is out of range")
    return number


def _as_integer(value: object, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 20 and value.removeprefix("-").isdecimal():
        return int(value)
    raise BodyError(400, f"{where}: expected an integer")
