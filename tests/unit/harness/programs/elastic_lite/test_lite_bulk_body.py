"""How elastic_lite reads the body of a bulk request."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.bulk_body import Action, parse_bulk
from harness.programs.elastic_lite.language.errors import ElasticError

IDS = st.text(min_size=1, max_size=100).filter(lambda text: text.isprintable())
DOCUMENTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.integers(-9, 9) | st.text(max_size=20), max_size=4
)
WRITES = st.tuples(st.sampled_from(["create", "index"]), IDS | st.none(), DOCUMENTS)


def lines(*values: Any) -> bytes:
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


def read(body: bytes) -> Any:
    """The actions of a body, or the status of its refusal."""
    try:
        return parse_bulk(body, "docs")
    except ElasticError as error:
        return error.status


@given(st.lists(WRITES, min_size=1, max_size=20))
def test_every_action_comes_back_with_its_document_in_order(
    writes: list[tuple[str, str | None, Any]],
) -> None:
    """Writing actions as lines and reading them gives the same actions."""
    body = b"".join(lines({op: {"_id": key}} if key else {op: {}}, document) for op, key, document in writes)
    expected = [Action(op, "docs", key, orjson.dumps(document)) for op, key, document in writes]

    assert parse_bulk(body, "docs") == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_actions_or_a_request_level_400(body: bytes) -> None:
    """No body makes it fail otherwise."""
    outcome = read(body)

    assert outcome == 400 or outcome != []


@given(st.lists(WRITES, min_size=1, max_size=3), st.integers(1, 40))
def test_body_cut_anywhere_never_gives_an_action_that_was_not_sent(
    writes: list[tuple[str, str | None, Any]], cut: int
) -> None:
    """A truncated body is refused, or what is left of it is a prefix of the actions sent."""
    body = b"".join(lines({op: {"_id": key}} if key else {op: {}}, document) for op, key, document in writes)
    whole = parse_bulk(body, "docs")
    outcome = read(body[:-cut])

    assert outcome == 400 or outcome == whole[: len(outcome)]


def test_action_names_its_own_index_before_the_path() -> None:
    actions = parse_bulk(lines({"create": {"_index": "there"}}, {}, {"create": {}}, {}), "here")

    assert [action.index for action in actions] == ["there", "here"]


def test_delete_has_no_document_line() -> None:
    actions = parse_bulk(lines({"delete": {"_id": "a"}}, {"create": {"_id": "b"}}, {"n": 1}), "docs")

    assert [(action.op, action.source) for action in actions] == [("delete", b""), ("create", b'{"n":1}')]


def test_carriage_return_at_the_end_of_a_line_is_dropped() -> None:
    actions = parse_bulk(b'{"create":{}}\r\n{"n":1}\r\n', "docs")

    assert actions[0].source == b'{"n":1}'


def test_index_with_op_type_create_is_a_create() -> None:
    assert parse_bulk(lines({"index": {"op_type": "create"}}, {}), "docs")[0].op == "create"


def test_defaults_of_the_request_reach_actions_that_do_not_say() -> None:
    body = lines({"create": {}}, {}, {"create": {"require_data_stream": False, "pipeline": "own"}}, {})
    actions = parse_bulk(body, "docs", pipeline="all", require_data_stream=True)

    assert [action.pipeline for action in actions] == ["all", "own"]
    assert [action.require_data_stream for action in actions] == [True, False]


def test_every_invalid_action_is_told() -> None:
    with pytest.raises(ElasticError) as raised:
        parse_bulk(lines({"create": {}}, {}, {"delete": {"_index": "docs"}}), None)

    assert raised.value.reason == "Validation Failed: 1: index is missing;2: id is missing;"
