"""The family of toxics: a kind is one file here, one test and one line in `KINDS`."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping

from harness.programs.tcp_proxy.errors import ApiError, bad_request
from harness.programs.tcp_proxy.toxics.stage import Kind

KINDS = {
    "bandwidth": "bandwidth:Bandwidth",
    "latency": "latency:Latency",
    "limit_data": "limit_data:LimitData",
    "noop": "noop:Noop",
    "reset_peer": "reset_peer:ResetPeer",
    "slicer": "slicer:Slicer",
    "slow_close": "slow_close:SlowClose",
    "timeout": "timeout:Timeout",
}


def kind_of(type_name: str) -> Kind:
    """The kind that a toxic's `type` names, with every attribute at its default.

    Raises:
        ApiError: no such kind (400).
    """
    if type_name not in KINDS:
        raise ApiError(400, "invalid toxic type")
    module_name, class_name = KINDS[type_name].split(":")
    kind_class = getattr(importlib.import_module(f"{__name__}.{module_name}"), class_name)
    kind: Kind = kind_class()
    return kind


def with_attributes(kind: Kind, attributes: object, *, strict: bool) -> Kind:
    """The kind with some attributes replaced; those not named stay.

    Toxiproxy takes any 64-bit number here and fails later, some values with the whole server; a value
    outside an attribute's range is refused at once instead.

    Args:
        kind: what to start from.
        attributes: the JSON object of the request, or None.
        strict: refuse attributes that the kind does not have, which Toxiproxy ignores.

    Raises:
        ApiError: not an object, not a whole number, out of range, not to be combined, or (strict) unknown
            (400).
    """
    changed = kind if attributes is None else dataclasses.replace(kind, **_changes(kind, attributes, strict))
    if problem := changed.problem():
        raise bad_request(problem)
    return changed


def _changes(kind: Kind, attributes: object, strict: bool) -> dict[str, int]:
    if not isinstance(attributes, Mapping):
        raise bad_request("attributes must be an object")
    known = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(str(name) for name in attributes if name not in known)
    if strict and unknown:
        raise bad_request(f"unknown attributes {unknown}; this toxic has {sorted(known)}")
    return {
        name: _whole_number(name, attributes[name], int(field.metadata["maximum"]))
        for name, field in known.items()
        if attributes.get(name) is not None
    }


def _whole_number(name: str, value: object, maximum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"attributes.{name} must be a whole number, got {value!r}")
    if not 0 <= value <= maximum:
        raise bad_request(f"attributes.{name} must be between 0 and {maximum}, got {value}")
    return value
