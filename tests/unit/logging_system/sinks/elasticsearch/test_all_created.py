from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.commands import Item
from logging_system.delivery.outcomes import Delivered, OneForEach
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.all_created import created_in
from logging_system.sinks.elasticsearch.bulk_answer import read_strictly
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer

ONE, TWO = b"\x01" * 16, b"\x02" * 16
INDEX = ".ds-logs-shop-default-2026.11.22-000001"
ITEMS = [Item(ONE, 7, b"{}"), Item(ONE, 8, b"{}"), Item(TWO, 1, b"{}"), Item(ONE, 9, b"{}")]
IDS = [item.id for item in ITEMS]


def created(ids: list[str], index: str = INDEX, status: int = 201) -> list[dict[str, object]]:
    return [{"create": {"_index": index, "_id": document_id, "status": status}} for document_id in ids]


def body(items: object, errors: object = False) -> bytes:
    return orjson.dumps({"errors": errors, "took": 30, "items": items})


def found(content: bytes, status: int = 200) -> str | None:
    return created_in(HttpAnswer(status, {}, content), runs_of(ITEMS))


def test_an_answer_in_which_all_is_well_names_the_index() -> None:
    assert found(body(created(IDS))) == INDEX


def test_both_orders_in_which_servers_begin_their_answer_are_known() -> None:
    content = orjson.dumps({"took": 1, "errors": False, "items": created(IDS)})

    assert found(content) == INDEX


NOT_ALL_WELL = {
    "errors": body(created(IDS), errors=True),
    "errors is a number": body(created(IDS), errors=0),
    "a conflict": body([*created(IDS[:3]), *created(IDS[3:], status=409)]),
    "one item short": body(created(IDS[:3])),
    "one item more": body(created([*IDS, IDS[0]])),
    "in another order": body(created([*IDS[1:], IDS[0]])),
    "another request's answer": body(created([Item(TWO, 7 + place, b"").id for place in range(4)])),
    "two indices": body([*created(IDS[:3]), *created(IDS[3:], ".ds-other")]),
    "failure store": body([*created(IDS[:3]), {"create": {**created(IDS[3:])[0], "failure_store": "used"}}]),
    "another action": body([*created(IDS[:3]), {"index": created(IDS[3:])[0]["create"]}]),
    "truncated": body(created(IDS))[:-1],
    "more behind it": body(created(IDS)) + b"}",
    "html": b"<html>",
    "empty": b"",
}


@pytest.mark.parametrize("content", NOT_ALL_WELL.values(), ids=NOT_ALL_WELL.keys())
def test_any_other_answer_is_left_to_the_strict_reading(content: bytes) -> None:
    assert found(content) is None


@pytest.mark.parametrize("status", [301, 429, 500, 503])
def test_a_failure_with_a_perfect_body_is_left_to_the_strict_reading(status: int) -> None:
    assert found(body(created(IDS)), status) is None


def test_no_answer_is_left_to_the_strict_reading() -> None:
    assert created_in(NoAnswer("reset"), runs_of(ITEMS)) is None


@given(
    st.lists(st.sampled_from([*IDS, "other-1"]), min_size=3, max_size=5),
    st.sampled_from([INDEX, "", "ü", 'a"b']),
    st.sampled_from([200, 201, 409, 429]),
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_what_is_known_by_its_bytes_is_what_the_strict_reading_would_say(
    ids: list[str], index: str, status: int, place: int, noise: bytes
) -> None:
    content = body([*created(ids[:-1], index), *created(ids[-1:], index, status)])
    answer = HttpAnswer(200, {}, content[:place] + noise + content[place + len(noise) :])

    index_named = created_in(answer, runs_of(ITEMS))

    if index_named is not None:
        outcome = read_strictly(answer, IDS)
        assert isinstance(outcome, OneForEach)
        assert set(outcome.outcomes) == {Delivered(index_named)}
