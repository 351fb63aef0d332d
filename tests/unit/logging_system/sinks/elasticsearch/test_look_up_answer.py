from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.outcomes import CannotLookUp, Found, Unknown
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from logging_system.sinks.elasticsearch.look_up_answer import read_look_up_answer
from logging_system.sinks.elasticsearch.sink import backing_indices

IDS = ["e-1", "e-2"]


def doc(index: str, document_id: str, found: object, error: str | None = None) -> dict[str, object]:
    told = {"_index": index, "_id": document_id, "found": found}
    return told if error is None else {"_index": index, "_id": document_id, "error": {"type": error}}


def answer(*docs: dict[str, object], status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, orjson.dumps({"docs": docs}))


def test_a_document_found_in_any_index_is_stored() -> None:
    told = answer(
        doc("a", "e-1", False), doc("a", "e-2", False), doc("b", "e-1", True), doc("b", "e-2", False)
    )

    assert read_look_up_answer(told, IDS, ["a"]) == Found(frozenset({"e-1"}))


@pytest.mark.parametrize(
    "docs",
    [
        [],
        [doc("a", "e-1", True)],
        [doc("b", "e-1", True), doc("b", "e-2", True)],
        [doc("a", "e-1", True), doc("a", "e-2", None)],
        [doc("a", "e-1", True), doc("a", "e-3", True)],
        [doc("a", "e-1", True), doc("a", "e-2", False, "no_shard_available_action_exception")],
        [doc("a", "e-1", True), doc("a", "e-2", False), doc("b", "e-2", False)],
    ],
)
def test_an_answer_that_does_not_cover_every_document_proves_nothing(docs: list[dict[str, object]]) -> None:
    assert isinstance(read_look_up_answer(answer(*docs), IDS, ["a"]), Unknown)


@pytest.mark.parametrize("odd", [None, "e-1", {"_index": 1, "_id": "e-1"}, {"_index": "a", "_id": None}])
def test_what_is_no_document_of_an_answer_proves_nothing(odd: object) -> None:
    told = HttpAnswer(200, {}, orjson.dumps({"docs": [odd, doc("a", "e-2", True)]}))

    assert isinstance(read_look_up_answer(told, IDS, ["a"]), Unknown)


def test_an_answer_without_an_index_that_the_sink_asked_proves_nothing() -> None:
    told = answer(doc("a", "e-1", False), doc("a", "e-2", False))

    assert isinstance(read_look_up_answer(told, IDS, ["a", "b"]), Unknown)
    assert read_look_up_answer(told, IDS, ["a"]) == Found(frozenset())


def test_an_index_that_is_gone_holds_nothing() -> None:
    gone = [doc("a", document_id, False, "index_not_found_exception") for document_id in IDS]

    assert read_look_up_answer(answer(*gone), IDS, ["a"]) == Found(frozenset())


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_a_store_without_look_ups_says_so(status: int) -> None:
    assert isinstance(read_look_up_answer(HttpAnswer(status, {}, b""), IDS, []), CannotLookUp)


@pytest.mark.parametrize("told", [NoAnswer("cut"), HttpAnswer(503, {}, b""), HttpAnswer(200, {}, b"<html>")])
def test_no_answer_and_no_multi_get_answer_prove_nothing(told: HttpAnswer | NoAnswer) -> None:
    assert isinstance(read_look_up_answer(told, IDS, []), Unknown)


def test_backing_indices_are_those_from_the_oldest_known_on() -> None:
    resolved = orjson.dumps({"data_streams": [{"name": "logs", "backing_indices": ["a", "b", "c"]}]})

    assert backing_indices(resolved, ["b"]) == ["b", "c"]
    assert backing_indices(resolved, []) == ["a", "b", "c"]
    assert backing_indices(resolved, ["x"]) == ["a", "b", "c", "x"]
    assert backing_indices(b"<html>", ["b"]) == []
    assert backing_indices(b'{"data_streams":[{"backing_indices":"a"}]}', []) == ["a"]


values = st.recursive(st.none() | st.integers(0, 9) | st.text(max_size=3), st.lists)


@given(st.binary(max_size=80) | values.map(orjson.dumps))
def test_any_body_is_judged_without_an_error(body: bytes) -> None:
    """Bytes that we did not write never raise, and prove nothing by chance."""
    assert isinstance(read_look_up_answer(HttpAnswer(200, {}, body), IDS, []), Unknown)
    assert backing_indices(body, []) == []
