"""Which members of an answer or a document a filter keeps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.filter_path import apply_filter_path, filter_source

ANSWER = {
    "took": 3,
    "errors": True,
    "items": [
        {"create": {"_id": "a", "status": 201}},
        {"create": {"_id": "b", "error": {"type": "x", "by": {"type": "y"}}}},
    ],
}
NAMES = st.sampled_from(["a", "b", "ab", "c"])
VALUES = st.recursive(
    st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=4)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], int]]:
    if isinstance(value, dict):
        return [leaf for name, member in value.items() for leaf in leaves(member, (*path, name))]
    if isinstance(value, list):
        return [leaf for element in value for leaf in leaves(element, path)]
    return [(path, value)]


@pytest.mark.parametrize(
    ("filter_path", "expected"),
    [
        ("took", {"took": 3}),
        ("took,errors", {"took": 3, "errors": True}),
        ("items.create.status", {"items": [{"create": {"status": 201}}]}),
        ("items.*._id", {"items": [{"create": {"_id": "a"}}, {"create": {"_id": "b"}}]}),
        ("**.type", {"items": [{"create": {"error": {"type": "x", "by": {"type": "y"}}}}]}),
        ("items.**.by", {"items": [{"create": {"error": {"by": {"type": "y"}}}}]}),
        ("t*k", {"took": 3}),
        ("-items", {"took": 3, "errors": True}),
        ("items,-**.error,-**._id", {"items": [{"create": {"status": 201}}]}),
        ("none.such", {}),
    ],
)
def test_filter_path_keeps_what_its_patterns_reach(filter_path: str, expected: Any) -> None:
    assert apply_filter_path(ANSWER, filter_path) == expected


@given(BODIES)
def test_double_star_keeps_every_leaf(body: Any) -> None:
    """`**` reaches everything."""
    assert leaves(apply_filter_path(body, "**")) == leaves(body)


@given(BODIES, NAMES)
def test_choice_and_exclusion_of_one_name_part_the_leaves_between_them(body: Any, name: str) -> None:
    """Each leaf is kept by exactly one of a pattern and its opposite."""
    kept = leaves(apply_filter_path(body, name))
    rest = leaves(apply_filter_path(body, f"-{name}"))

    assert kept == [leaf for leaf in leaves(body) if leaf[0][0] == name]
    assert rest == [leaf for leaf in leaves(body) if leaf[0][0] != name]


@given(BODIES, st.lists(NAMES, min_size=1, max_size=3))
def test_filtering_twice_changes_nothing_more(body: Any, names: list[str]) -> None:
    """A filter is a projection."""
    once = apply_filter_path(body, ".".join(names))

    assert apply_filter_path(once, ".".join(names)) == once


def test_dot_after_a_backslash_belongs_to_the_name() -> None:
    assert apply_filter_path({"a.b": 1, "a": {"b": 2}}, "a\\.b") == {"a.b": 1}


def test_source_filter_excludes_after_it_includes() -> None:
    source = {"a": {"b": 1, "c": 2}, "d": 3}

    assert filter_source(source, ["a"], ["a.c"]) == {"a": {"b": 1}}
    assert filter_source(source, [], ["a"]) == {"d": 3}
    assert filter_source(source, ["none"], []) == {}
