"""Mappings: what documents fit, what they add, what templates put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.mapping.declared import mapping_of
from harness.programs.elastic_lite.mapping.document_check import check_document
from harness.programs.elastic_lite.mapping.mappings import (
    compile_mapping,
    merge_mappings,
    shown,
    values_at,
)

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)


def additions(document: Any) -> Any:
    """What a document adds to an empty mapping; None when it does not even fit itself."""
    try:
        return check_document(compile_mapping({}), document, "1")[0]
    except ElasticError:
        return None


@given(DOCUMENTS)
def test_document_fits_the_mapping_that_it_made(document: Any) -> None:
    """What a first document adds takes the same document again, and then adds nothing."""
    gained = additions(document)
    assume(gained is not None)

    assert check_document(compile_mapping({"properties": gained}), document, "1")[0] == {}


@given(DOCUMENTS)
def test_dynamic_false_takes_every_document_and_adds_nothing(document: Any) -> None:
    """Without declared fields nothing can be malformed."""
    assert check_document(compile_mapping({"dynamic": False}), document, "1")[0] == {}


@given(DOCUMENTS)
def test_merging_a_mapping_with_itself_changes_nothing(document: Any) -> None:
    """Repeating a declaration is lawful and idle."""
    gained = additions(document)
    assume(gained is not None)
    body = {"properties": gained}

    assert merge_mappings(body, body) == body


def test_new_fields_below_known_objects_are_added_there() -> None:
    mapping = compile_mapping({"properties": {"o": {"properties": {"a": {"type": "long"}}}}})
    gained, _ = check_document(mapping, {"o": [{"a": 1}, {"b": True}], "p.q": 1.5}, "1")

    assert gained == {
        "o": {"properties": {"b": {"type": "boolean"}}},
        "p": {"properties": {"q": {"type": "float"}}},
    }


def test_object_that_takes_no_new_fields_overrides_its_parent() -> None:
    body = {
        "dynamic": "strict",
        "properties": {"o": {"dynamic": "false", "properties": {}}, "off": {"enabled": False}},
    }
    mapping = compile_mapping(body)

    assert check_document(mapping, {"o": {"any": 1}, "off": "anything"}, "1")[0] == {}
    with pytest.raises(ElasticError, match=r"\[x\]"):
        check_document(mapping, {"x": 1}, "1")


def test_error_names_the_field_its_type_the_document_and_the_value() -> None:
    mapping = compile_mapping({"properties": {"o": {"properties": {"n": {"type": "long"}}}}})
    with pytest.raises(ElasticError) as raised:
        check_document(mapping, {"o": {"n": "x"}}, "doc-7")

    assert raised.value.reason == (
        "[1:1] failed to parse field [o.n] of type [long] in document with id 'doc-7'. "
        "Preview of field's value: 'x'"
    )
    assert raised.value.cause == {"type": "illegal_argument_exception", "reason": 'For input string: "x"'}


def test_document_with_too_many_fields_is_refused() -> None:
    with pytest.raises(ElasticError, match="Limit of total fields"):
        check_document(compile_mapping({}), {f"f{number}": number for number in range(1001)}, "1")


def test_document_that_is_too_deep_is_refused() -> None:
    document: dict[str, Any] = {"x": 1}
    for _ in range(21):
        document = {"a": document}

    with pytest.raises(ElasticError, match="Limit of mapping depth"):
        check_document(compile_mapping({}), document, "1")


def test_type_changes_between_templates_and_not_in_an_index() -> None:
    old, new = ({"properties": {"a": {"type": kind}}} for kind in ("long", "keyword"))

    assert merge_mappings(old, new, change_types=True) == new
    with pytest.raises(ElasticError, match=r"cannot be changed from type \[long\] to \[keyword\]"):
        merge_mappings(old, new)


def test_unknown_type_and_unknown_date_format_are_refused() -> None:
    for declared in ({"type": "colour"}, {"type": "date", "format": "moonphase"}):
        with pytest.raises(ElasticError) as raised:
            mapping_of({"properties": {"a": declared}})
        assert raised.value.kind == "mapper_parsing_exception"


def test_values_are_found_through_lists_and_dotted_names() -> None:
    source = {"a": [{"b": 1}, {"b": [2, None, [3]]}], "a.b": 4, "ab": 5}

    assert list(values_at(source, "a.b")) == [1, 2, 3, 4]


def test_mapping_is_shown_as_elasticsearch_shows_it() -> None:
    body = {
        "dynamic": False,
        "properties": {
            "o": {"type": "object", "properties": {"a": {"type": "long"}}},
            "e": {"type": "object"},
        },
    }

    assert shown(body) == {
        "dynamic": "false",
        "properties": {"e": {"type": "object"}, "o": {"properties": {"a": {"type": "long"}}}},
    }


def test_a_change_of_what_is_too_long_to_be_indexed_is_refused_in_words() -> None:
    """Documents from before stay findable under Elasticsearch; here they would be lost or found anew."""
    old = {"properties": {"k": {"type": "keyword", "fields": {"raw": {"type": "keyword"}}}}}
    top = {"properties": {"k": {"type": "keyword", "ignore_above": 3}}}
    inner = {
        "properties": {"k": {"type": "keyword", "fields": {"raw": {"type": "keyword", "ignore_above": 3}}}}
    }

    for new in (top, inner):
        with pytest.raises(ElasticError, match="does not support a change of `ignore_above`"):
            merge_mappings(old, new)
        assert merge_mappings(old, new, change_types=True) == new
