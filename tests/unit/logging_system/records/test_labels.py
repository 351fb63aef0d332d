"""Each value of `extra` is a label of the document, or a note says what was left out and why."""

from __future__ import annotations

import collections
import enum
import logging
import types
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logging_system.records.labels import LABEL_KEY_CHARACTERS_MAX, LABELS_MAX, LEFT_OUT_NAMES_MAX
from logging_system.records.record import Producer, capture, encode
from logging_system.records.truncation import LABEL_CHARACTERS_MAX

Labels = dict[str, str | int | float | bool | None]


def document(message: object, *args: object, extra: dict[Any, object] | None = None) -> dict[str, Any]:
    made = logging.getLogger("shop").makeRecord(
        "shop", logging.INFO, "/a.py", 7, message, args, None, extra=extra
    )
    content: dict[str, Any] = orjson.loads(encode(capture(made), 1, Producer("s", "e")))
    return content


def labels(extra: dict[Any, object]) -> Labels:
    found: Labels = document("m", extra=extra).get("labels", {})
    return found


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text here")

    __repr__ = __str__


class NoText:
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # what must not be done

    __repr__ = __str__


class Unbound:
    """Like the proxy of a web framework outside a request: even its class cannot be asked for."""

    @property  # type: ignore[misc]  # that it is no class is the point
    def __class__(self) -> type:
        raise RuntimeError("working outside of request context")

    def __str__(self) -> str:
        raise RuntimeError("working outside of request context")


class Shrinking(dict[str, int]):
    """A dict that another thread changes while it is walked."""

    def items(self) -> Any:
        yield from [("a", 1)]
        raise RuntimeError("dictionary changed size during iteration")

    def __str__(self) -> str:
        raise RuntimeError("dictionary changed size during iteration")


class Endless(dict[str, int]):
    def __len__(self) -> int:
        raise OverflowError("no length")


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Kind(enum.StrEnum):
    SMALL = "small"


class Key:
    def __str__(self) -> str:
        raise RuntimeError("no text here")


def cyclic_dict() -> dict[str, object]:
    made: dict[str, object] = {"n": 1}
    made["self"] = made
    return made


def cyclic_list() -> list[object]:
    made: list[object] = [1]
    made.append(made)
    return made


def deep(levels: int) -> dict[str, object]:
    made: dict[str, object] = {"end": 1}
    for _ in range(levels):
        made = {"d": made}
    return made


Point = collections.namedtuple("Point", ["x", "y"])  # what applications have

CASES: list[tuple[str, object, Labels]] = [
    ("not a number", float("nan"), {"k": "nan"}),
    ("infinity", float("-inf"), {"k": "-inf"}),
    ("minus zero", -0.0, {"k": -0.0}),
    ("largest integer", 2**63 - 1, {"k": 2**63 - 1}),
    ("beyond it", 2**63, {"k": str(2**63)}),
    ("beyond what Python writes", 10**5000, {"k": "<int> unformatted: ValueError"}),
    ("a complex number", 1 + 2j, {"k": "(1+2j)"}),
    ("a decimal", Decimal("1.10"), {"k": "1.10"}),
    ("a decimal that is no number", Decimal("NaN"), {"k": "NaN"}),
    ("bytes", b"\x00\xff", {"k": "b'\\x00\\xff'"}),
    ("a bytearray", bytearray(b"ab"), {"k": "b'ab'"}),
    ("many bytes", b"a" * 5_000, {"k": f"b'{'a' * 256}'…[4744 bytes cut]"}),
    ("an enum", Color.RED, {"k": "Color.RED"}),
    ("an enum of numbers", Level.HIGH, {"k": "3"}),
    ("an enum of texts", Kind.SMALL, {"k": "small"}),
    ("a moment", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), {"k": "2026-01-02 03:04:05+00:00"}),
    ("a uuid", uuid.UUID(int=7), {"k": "00000000-0000-0000-0000-000000000007"}),
    ("a path", Path("/a/b"), {"k": "/a/b"}),
    ("a named tuple", Point(1, 2), {"k": "Point(x=1, y=2)"}),
    ("an exception", ValueError("bad"), {"k": "bad"}),
    ("a class", Decimal, {"k": "<class 'decimal.Decimal'>"}),
    ("a set", {1}, {"k": "{1}"}),
    ("an empty list", [], {"k": "[]"}),
    ("an empty dict", {}, {"k": "{}"}),
    ("an empty dict in a dict", {"in": {}}, {"k.in": "{}"}),
    ("a view of a dict", types.MappingProxyType({"a": 1}), {"k": "{'a': 1}"}),
    ("a sorted dict", collections.OrderedDict(a=1), {"k.a": 1}),
    ("values that are no numbers in a dict", {"a": float("inf")}, {"k.a": "inf"}),
    ("keys that are no text", {1: "a", None: "b", (1, 2): "c"}, {"k.1": "a", "k.None": "b", "k.(1, 2)": "c"}),
    ("a key without a text", {Key(): 1}, {"k.<Key> unformatted: RuntimeError": 1}),
    ("keys that come to one name", {1: "a", "1": "b"}, {"k.1": "a", "k.1#2": "b"}),
    ("a dict of itself", cyclic_dict(), {}),
    ("a list of itself", cyclic_list(), {"k": "[1, [1, [...]]]"}),
    ("a deep dict", deep(4), {"k.d.d.d": "{'d': {'end': 1}}"}),
    ("a very deep dict", deep(5_000), {}),
    ("an object without a text", Unprintable(), {"k": "<Unprintable> unformatted: RuntimeError"}),
    ("an object whose text is none", NoText(), {"k": "<NoText> unformatted: TypeError"}),
    ("an object in a list without a text", [1, Unprintable()], {"k": "<list> unformatted: RuntimeError"}),
    ("an object that is not bound", Unbound(), {"k": "<Unbound> unformatted: RuntimeError"}),
    ("a dict that changes meanwhile", Shrinking(a=1, b=2), {"k": "<Shrinking> unformatted: RuntimeError"}),
    ("a dict without a length", Endless(a=1), {"k": "<Endless> unformatted: OverflowError"}),
    ("a long text", "x" * 2_000, {"k": "x" * LABEL_CHARACTERS_MAX + "…[976 characters cut]"}),
    ("a lone surrogate", "\udc80", {"k": "\\udc80"}),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_value_is_kept_as_it_is_or_as_its_text_or_says_why_not(value: object, expected: Labels) -> None:
    found = labels({"k": value, "other": 1})

    assert found.pop("other") == 1
    assert found
    assert all(name.startswith("k") for name in found)
    if expected:
        assert found == expected
        assert [type(label) for label in found.values()] == [type(label) for label in expected.values()]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("", "_"),
        ("a\0b", "a\\0b"),
        (7, "7"),
        (None, "None"),
        (Color.RED, "Color.RED"),
        (("a", 1), "('a', 1)"),
        ("\udc80", "\\udc80"),
        ("n" * 300, "n" * LABEL_KEY_CHARACTERS_MAX + "…[44 characters cut]"),
        (Key(), "<Key> unformatted: RuntimeError"),
    ],
)
@pytest.mark.parametrize("value", [1, [1]])
def test_any_key_gives_a_name(key: object, name: str, value: object) -> None:
    assert labels({key: value}) == {name: value if value == 1 else "[1]"}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"a": {"b": 1}, "a.b": 2}, {"a.b": 1, "a.b#2": 2}),
        ({"a\0": 1, "a\\0": 2}, {"a\\0": 1, "a\\0#2": 2}),
        ({"": 1, "_": 2}, {"_": 1, "_#2": 2}),
        ({"": {"": 1}, "_._": 2}, {"_._": 1, "_._#2": 2}),
        ({"\udc80": 1, "\\udc80": 2}, {"\\udc80": 1, "\\udc80#2": 2}),
    ],
)
def test_two_values_of_one_name_are_both_kept(extra: dict[Any, object], expected: Labels) -> None:
    assert labels(extra) == expected


@pytest.mark.parametrize("value", [1, [1]], ids=["plain", "mutable"])
def test_values_beyond_the_bound_are_named(value: object) -> None:
    found = labels({f"k{number}": value for number in range(LABELS_MAX + 3)})
    names = ", ".join(f"k{number}" for number in range(LABELS_MAX, LABELS_MAX + 3))

    assert found.pop("left_out.0") == f"3 values, because a record keeps {LABELS_MAX} labels:"
    assert found.pop("left_out.1") == names
    assert len(found) == LABELS_MAX


def test_values_of_a_dict_beyond_the_bound_are_counted() -> None:
    found = labels({"big": {f"k{number}": number for number in range(100_000)}, "last": 1})

    assert found["big.k999"] == 999
    assert found["left_out.0"] == f"99001 values, because a record keeps {LABELS_MAX} labels:"
    assert found["left_out.1"] == "big.*, last"
    assert found["left_out.2"] == "and 98999 more"


def test_the_names_of_what_is_left_out_are_bounded() -> None:
    found = labels({f"k{number}": number for number in range(LABELS_MAX + LEFT_OUT_NAMES_MAX + 5)})
    notes = {name: note for name, note in found.items() if name.startswith("left_out.")}

    assert notes["left_out.0"] == f"1005 values, because a record keeps {LABELS_MAX} labels:"
    assert list(notes.values())[-1] == "and 5 more"
    assert all(len(str(note)) <= LABEL_CHARACTERS_MAX for note in notes.values())


def test_a_label_of_the_application_is_not_covered_by_a_note() -> None:
    extra: dict[Any, object] = {f"k{number}": number for number in range(LABELS_MAX)}
    extra = {"left_out.0": "mine", "unformatted": "mine too", **extra}
    found = document("%d", "many", extra=extra)["labels"]

    assert (found["left_out.0"], found["unformatted"]) == ("mine", "mine too")
    assert found["left_out.0#2"].startswith("2 values")
    assert found["unformatted#2"] == "TypeError"


@pytest.mark.parametrize(
    ("template", "args", "kept"),
    [
        ("%s is not %s", ("lost",), {"unformatted_args.0": "lost"}),
        ("%d items", ("many",), {"unformatted_args.0": "many"}),
        ("no place", (1, "two"), {"unformatted_args.0": 1, "unformatted_args.1": "two"}),
        ("no place", ([1],), {"unformatted_args.0": "[1]"}),
        ("%(a)s %(b)s", ({"a": 1},), {"unformatted_args.a": 1}),
        ("%s %s", (Unprintable(), "x"), {"unformatted_args.1": "x"}),
        ("%q", (float("nan"),), {"unformatted_args.0": "nan"}),
        ("%s", (10**5000, 1), {"unformatted_args.1": 1}),
        (Unprintable(), ("x",), {"unformatted_args.0": "x"}),
        (Unprintable(), (), {"unformatted": "RuntimeError"}),
    ],
)
def test_arguments_that_do_not_fit_their_template_are_kept(
    template: object, args: tuple[object, ...], kept: Labels
) -> None:
    content = document(template, *args, extra={"order": 42})

    assert content["message"] == (template if isinstance(template, str) else "<Unprintable>")
    assert "Error" in content["labels"]["unformatted"]
    assert content["labels"]["order"] == 42
    assert kept.items() <= content["labels"].items()


KEYS = st.one_of(
    st.sampled_from(["a", "a.b", "a.b.c", "left_out.0", "unformatted", "", "_", "\0", "\\0", "x" * 300]),
    st.text(st.characters(), max_size=5),
    st.integers(),
    st.none(),
    st.tuples(st.integers()),
    st.floats(),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=20),
        st.binary(max_size=20),
        st.decimals(),
        st.dates(),
        st.sampled_from([*Color, *Level, *Kind]),
        st.builds(Unprintable),
        st.builds(NoText),
        st.builds(Unbound),
        st.builds(Endless, st.just({"a": 1})),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=10,
)
OWN = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}


@given(st.dictionaries(KEYS, VALUES, max_size=8), st.sampled_from([0, 0, 0, LABELS_MAX - 3, LABELS_MAX + 3]))
@example({"a": {"b": {}}, "a.b": float("nan")}, LABELS_MAX - 1)
def test_each_key_is_in_the_document_or_in_a_note(extra: dict[Any, object], more: int) -> None:
    """For any extra: each key begins the name of a label of its own, or is named by a note."""
    extra = {f"more{number}": [number] for number in range(more)} | extra
    extra = {key: value for key, value in extra.items() if key not in OWN and key != "durability"}
    found = labels(extra)
    notes = ", ".join(str(label) for name, label in found.items() if name.startswith("left_out."))
    free = set(found)
    for key in sorted(map(str, extra), key=len, reverse=True):
        written = key[:LABEL_KEY_CHARACTERS_MAX].encode("utf-8", "backslashreplace").decode()
        beginning = written.replace("\0", "\\0") or "_"
        own = next((name for name in free if name.startswith(beginning)), None)
        if own is None:
            assert beginning in notes
        free.discard(own or "")
