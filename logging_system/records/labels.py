"""Makes flat labels of what an application added to a record: each value, or a note of what was left out.

A value that has no text leaves its type and the error in its place. Beyond the bound on their number, the
labels `left_out.0`, `left_out.1`, … say how many values are missing and under which names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from math import isfinite

from logging_system.records.truncation import LABEL_CHARACTERS_MAX, Label, cut, label_text, unformatted

LABEL_KEY_CHARACTERS_MAX = 256
LABELS_MAX = 1_000
LABEL_DEPTH_MAX = 4
LEFT_OUT_NAMES_MAX = 1_000
"""Left out beyond that, values are counted and not named."""

LEFT_OUT = "left_out"

_PLAIN = frozenset({bool, type(None)})


def labels_of(attributes: Mapping[str, object], given: Mapping[str, Label] | None = None) -> dict[str, Label]:
    """Return attributes as flat labels, bounded in number, depth and length; whatever is in them.

    A second value of the same name gets `#2` behind it.

    Args:
        attributes: Values by name; nested mappings become dotted names.
        given: Labels that are there already, and stay as they are; the bound does not count them.
    """
    found = _Found(given or {})
    for key, value in attributes.items():
        found.add(_part(key), value, LABEL_DEPTH_MAX)
    return found.labels_and_notes()


def are_plain(labels: Mapping[str, object]) -> bool:
    """Whether values are labels as they are, names included: walking them would change nothing."""
    return _are_plain_values(labels.values()) and _are_plain_names(tuple(labels))


def _are_plain_values(values: Iterable[object]) -> bool:
    # One loop and no call for each value: this is what every record costs the worker.
    for value in values:
        kind = type(value)
        if kind is str:
            plain = len(value) <= LABEL_CHARACTERS_MAX  # type: ignore[arg-type]  # the exact type is known
        elif kind is int:
            plain = -(2**63) <= value < 2**63  # type: ignore[operator]  # as above
        else:
            plain = isfinite(value) if kind is float else kind in _PLAIN  # type: ignore[arg-type]  # as above
        if not plain:
            return False
    return True


@lru_cache(maxsize=512)  # a place in a program gives the same ones with each call
def _are_plain_names(names: Sequence[str]) -> bool:
    try:
        joined = "".join(names)
        if not joined.isascii():
            joined.encode()
    except (TypeError, UnicodeEncodeError):  # `extra` takes any key
        return False
    if len(names) > LABELS_MAX or "" in names or "\0" in joined:
        return False
    return len(joined) <= LABEL_KEY_CHARACTERS_MAX or max(map(len, names)) <= LABEL_KEY_CHARACTERS_MAX


class _Found:
    """Labels as they are found."""

    def __init__(self, given: Mapping[str, Label]) -> None:
        self._labels = dict(given)
        self._labels_max = len(given) + LABELS_MAX
        self._numbers: dict[str, int] = {}
        self._left_out: list[str] = []
        self._unnamed = 0

    def add(self, path: str, value: object, depth: int) -> None:
        """Add a value, or the values in it where it is a mapping and not too deep."""
        if len(self._labels) >= self._labels_max:
            self._leave_out(path)
            return
        if _are_plain_values((value,)):
            self._put(path, value)  # type: ignore[arg-type]  # that is what plain means
            return
        try:
            # At once, before anything of the application's runs: a mapping may change while it is walked.
            members = list(islice(value.items(), LABELS_MAX)) if depth > 1 and isinstance(value, dict) else []
            beyond = len(value) - len(members) if members else 0  # type: ignore[arg-type]  # it is a mapping
        except Exception as error:
            self._put(path, unformatted(value, error))
            return
        if not members:
            self._put(path, label_text(value))
            return
        for key, inner in members:
            self.add(f"{path}.{_part(key)}", inner, depth - 1)
        if beyond > 0:
            self._leave_out(f"{path}.*", beyond)

    def labels_and_notes(self) -> dict[str, Label]:
        """Return the labels, and behind them those that say what is missing."""
        count = len(self._left_out) + self._unnamed
        if count:
            lines = [f"{count} values, because a record keeps {LABELS_MAX} labels:", *_lines(self._left_out)]
            if self._unnamed:
                lines.append(f"and {self._unnamed} more")
            for number, line in enumerate(lines):
                self._put(f"{LEFT_OUT}.{number}", line)
        return self._labels

    def _put(self, path: str, label: Label) -> None:
        name = free = _name(path)
        while free in self._labels:
            self._numbers[name] = self._numbers.get(name, 1) + 1
            free = f"{name}#{self._numbers[name]}"
        self._labels[free] = label

    def _leave_out(self, path: str, count: int = 1) -> None:
        if len(self._left_out) < LEFT_OUT_NAMES_MAX:
            self._left_out.append(_name(path))
            count -= 1
        self._unnamed += count


def _part(key: object) -> str:
    return label_text(key) or "_"


def _name(path: str) -> str:
    name = cut(path, LABEL_KEY_CHARACTERS_MAX).replace("\0", "\\0")
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()


def _lines(names: list[str]) -> Iterator[str]:
    line = ""
    for name in names:
        if line and len(line) + len(name) > LABEL_CHARACTERS_MAX - 2:
            yield line
            line = ""
        line = f"{line}, {name}" if line else name
    if line:
        yield line
