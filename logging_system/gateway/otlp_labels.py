"""Puts what has no field of its own below `labels`: all of it, or its name where it does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from logging_system.records.document import encode_document
from logging_system.records.truncation import LABEL_CHARACTERS_MAX, Label, cut

ATTRIBUTES_MAX = 1_000
"""Labels of one record, beside those that name what was left out; a record's bytes are bounded elsewhere."""

LEFT_OUT = "otel.left_out"

_NAME_CHARACTERS_MAX = 256
_DEPTH_MAX = 4


class Several(list[object]):
    """The values of a name that was given more than once."""


def put(found: dict[str, object], name: str, value: object) -> None:
    """Add a value under a name; a name that is there already holds both from now on.

    Args:
        found: The labels so far, changed in place.
        name: The label's name.
        value: Its value; where the name has several, they are `Several`, in the order they came.
    """
    if name not in found:
        found[name] = value
        return
    held = found[name]
    if isinstance(held, Several):
        held.append(value)
    else:
        found[name] = Several((held, value))


def labels_of_attributes(attributes: Mapping[str, object]) -> dict[str, Label]:
    """Return attributes as flat labels.

    Mappings become dotted names, four levels deep; what lies deeper, and lists, become JSON. Two attributes
    that come to the same name are told apart by `#2`. Beyond `ATTRIBUTES_MAX`, and for texts beyond their
    bound, labels say what is missing.

    Args:
        attributes: Values as JSON has them, by name.
    """
    labels: dict[str, Label] = {}
    taken: dict[str, int] = {}
    left_out: list[str] = []
    for path, value in _flat(attributes, _DEPTH_MAX):
        name = cut(path.replace("\0", "\\0"), _NAME_CHARACTERS_MAX) or "_"
        if len(labels) >= ATTRIBUTES_MAX:
            left_out.append(name)
        else:
            labels[_free(name, labels, taken)] = _label(value)
    return {**labels, **_names_of(left_out)}


def _flat(mapping: Mapping[str, object], depth: int, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in mapping.items():
        if isinstance(value, Several):
            yield from ((before + name, one) for one in value)
        elif isinstance(value, Mapping) and value and depth > 1:
            yield from _flat(value, depth - 1, f"{before}{name}.")
        else:
            yield before + name, value


def _free(name: str, labels: Mapping[str, Label], taken: dict[str, int]) -> str:
    free = name
    while free in labels:
        taken[name] = taken.get(name, 1) + 1
        free = f"{name}#{taken[name]}"
    return free


def _label(value: object) -> Label:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    text = value if isinstance(value, str) else encode_document(value).decode()
    return cut(text, LABEL_CHARACTERS_MAX)


def _names_of(left_out: list[str]) -> dict[str, Label]:
    if not left_out:
        return {}
    lines = [f"{len(left_out)} attributes:", *_lines(left_out)]
    return {f"{LEFT_OUT}.{number}": line for number, line in enumerate(lines)}


def _lines(names: Iterable[str]) -> Iterator[str]:
    line = ""
    for name in names:
        if line and len(line) + len(name) > LABEL_CHARACTERS_MAX:
            yield line
            line = ""
        line = f"{line}, {name}" if line else name
    yield line
