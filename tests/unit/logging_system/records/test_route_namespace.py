from __future__ import annotations

import logging

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.config.settings import Settings, chain_of
from logging_system.records.document import Record
from logging_system.records.namespaces import (
    checked_namespace,
    name_namespace,
    namespace,
    namespace_of_stream,
    stream_of,
    stream_of_index,
)
from logging_system.records.route_namespace import UNDECLARED_LABEL, RouteNamespace, in_namespace
from logging_system.sinks.namespaced import namespace_in

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.]{0,20}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def routed(line: bytes) -> Record:
    return RouteNamespace("main", ["team_a", "team_b"]).process(Record.of_line(line, orjson.loads(line)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"message":"x"}', "main"),
        (b'{"data_stream":{"namespace":"team_a"},"message":"x"}', "team_a"),
        (b'{"data_stream.namespace":"team_a"}', "team_a"),
        (b'{"labels":{"namespace":"team_b"}}', "team_b"),
        (b'{"data\\u005fstream":{"namespace":"team_b"}}', "team_b"),
        (b'{"data_stream":{"namespace":"team_c"}}', "main"),
        (b'{"data_stream":{"namespace":["team_a"]}}', "main"),
        (b'{"data_stream":{"namespace":"../team_a"}}', "main"),
        (b'{"data_stream":"team_a"}', "main"),
        (b'{"message":"\\"data_stream\\":{\\"namespace\\":\\"team_a\\"}}"}', "main"),
        (b'{"inner":{"data_stream":{"namespace":"team_a"}}}', "main"),
    ],
)
def test_a_record_goes_to_the_declared_namespace_it_asks_for_else_to_the_default(
    line: bytes, expected: str
) -> None:
    found = routed(line)

    assert namespace_in(found.encoded) == expected
    assert found.document["data_stream"] == {"namespace": expected}


def test_what_asks_for_an_undeclared_namespace_says_so_in_a_label() -> None:
    found = routed(b'{"data_stream":{"namespace":"team_c"},"labels":{"order":1}}')

    assert found.document["labels"] == {"order": 1, UNDECLARED_LABEL: "team_c"}


def test_the_label_that_asked_is_not_kept_twice() -> None:
    assert routed(b'{"labels":{"namespace":"team_b","order":1}}').document["labels"] == {"order": 1}


@given(JSON, NAMES)
def test_the_namespace_put_into_a_record_is_the_one_found_whatever_else_is_in_it(
    inner: object, name: str
) -> None:
    """The shipper finds, without parsing, exactly what the processor wrote, whatever the record holds."""
    line = orjson.dumps({"inner": inner, "data_stream": {"namespace": "other"}})
    record = Record.of_line(line, orjson.loads(line))

    found = in_namespace(record, name).encoded

    assert namespace_in(found) == name
    assert orjson.loads(found)["data_stream"] == {"namespace": name}


@given(JSON)
def test_what_is_found_is_what_a_parser_sees(inner: object) -> None:
    """No nesting and no text makes the shipper see a namespace that is not the document's own."""
    document = {"a": {"data_stream": {"namespace": "nested"}}, "b": inner}

    assert namespace_in(orjson.dumps(document)) == ""


def test_a_block_names_the_namespace_of_what_is_logged_in_it_and_a_call_wins_over_it() -> None:
    records = [logging.makeLogRecord({}), logging.makeLogRecord({"namespace": "team_b"})]

    with namespace("team_a"):
        assert all(map(name_namespace, records))
    after = logging.makeLogRecord({})
    name_namespace(after)

    assert [record.__dict__.get("namespace") for record in (*records, after)] == ["team_a", "team_b", None]


@pytest.mark.parametrize("name", ["", "Team", "a-b", "a*", "_a", "a/b", "a,b", "a" * 101, "ä"])
def test_a_name_that_no_stream_may_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no namespace"):
        checked_namespace(name)


def test_the_namespace_of_a_stream_is_what_follows_the_last_dash() -> None:
    assert namespace_of_stream(stream_of("shop", "team_a")) == "team_a"
    assert namespace_of_stream("logs-shop-eu-team_a") == "team_a"
    assert namespace_of_stream("shop") == ""
    assert stream_of_index(".ds-logs-shop-team_a-2026.11.30-000001") == "logs-shop-team_a"
    assert stream_of_index("logs-shop-team_a") == "logs-shop-team_a"


def test_the_settings_read_namespaces_as_text_list_or_object_and_route_last() -> None:
    texts = Settings(namespaces="team_a=30d, team_b", mask={}, namespace="main")

    assert texts.namespaces == {"team_a": "30d", "team_b": ""}
    assert Settings(namespaces=["team_a"]).namespaces == {"team_a": ""}
    assert Settings(namespaces={"team_a": None}).namespaces == {"team_a": ""}
    assert texts.stream_name == "logs-unknown_service-main"
    names = [name for name, _ in chain_of(texts)._steps]
    assert names[-1] == "RouteNamespace"
    assert len(names) == 2


@pytest.mark.parametrize("given", ["Team", "a-b=30d", "a=soon", ",".join(f"n{at}" for at in range(33))])
def test_namespaces_that_cannot_be_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match="namespaces"):
        Settings(namespaces=given)
