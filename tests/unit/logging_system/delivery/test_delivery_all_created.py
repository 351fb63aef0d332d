from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.all_created import created_in
from logging_system.delivery.answers import Answer, Fate, Judged, NoAnswer, judge
from logging_system.delivery.commands import Item
from logging_system.delivery.progress import Outcome, Progress
from logging_system.delivery.runs import Run, runs_of

ONE, TWO = b"\x01" * 16, b"\x02" * 16
INDEX = ".ds-logs-shop-default-2026.11.22-000001"
ITEMS = [Item(ONE, 7, b"{}"), Item(ONE, 8, b"{}"), Item(TWO, 1, b"{}"), Item(ONE, 9, b"{}")]
IDS = [item.id for item in ITEMS]


def created(ids: list[str], index: str = INDEX, status: int = 201) -> list[dict[str, object]]:
    return [{"create": {"_index": index, "_id": document_id, "status": status}} for document_id in ids]


def body(items: object, errors: object = False) -> bytes:
    return orjson.dumps({"errors": errors, "took": 30, "items": items})


def found(content: bytes, status: int = 200) -> str | None:
    return created_in(Answer(status, {}, content), runs_of(ITEMS))


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
def test_any_other_answer_is_left_to_the_judge(content: bytes) -> None:
    assert found(content) is None


@pytest.mark.parametrize("status", [301, 429, 500, 503])
def test_a_failure_with_a_perfect_body_is_left_to_the_judge(status: int) -> None:
    assert found(body(created(IDS)), status) is None


def test_no_answer_is_left_to_the_judge() -> None:
    assert created_in(NoAnswer("reset"), runs_of(ITEMS)) is None


@given(
    st.lists(st.sampled_from([*IDS, "other-1"]), min_size=3, max_size=5),
    st.sampled_from([INDEX, "", "ü", 'a"b']),
    st.sampled_from([200, 201, 409, 429]),
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_what_is_known_by_its_bytes_is_what_the_judge_would_say(
    ids: list[str], index: str, status: int, place: int, noise: bytes
) -> None:
    content = body([*created(ids[:-1], index), *created(ids[-1:], index, status)])
    answer = Answer(200, {}, content[:place] + noise + content[place + len(noise) :])

    index_named = created_in(answer, runs_of(ITEMS))

    if index_named is not None:
        judged = judge(answer, IDS)
        assert isinstance(judged, Judged)
        assert {(item.fate, item.index) for item in judged.items} == {(Fate.DELIVERED, index_named)}


def test_runs_end_where_the_writer_or_the_sequence_changes() -> None:
    items = [*ITEMS, Item(ONE, 11, b"{}"), Item(TWO, 12, b"{}")]

    assert runs_of(items) == [
        Run(ONE, 7, 9),
        Run(TWO, 1, 2),
        Run(ONE, 9, 10),
        Run(ONE, 11, 12),
        Run(TWO, 12, 13),
    ]


def test_a_writer_in_between_ends_a_run_though_first_and_last_fit() -> None:
    items = [Item(ONE, 1, b"{}"), Item(TWO, 2, b"{}"), Item(ONE, 3, b"{}")]

    assert runs_of(items) == [Run(ONE, 1, 2), Run(TWO, 2, 3), Run(ONE, 3, 4)]


def test_no_items_are_no_run() -> None:
    assert runs_of([]) == []


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.sets(st.integers(0, 40)), st.randoms())
def test_progress_is_the_prefix_whatever_runs_are_done_in_whatever_order(
    lengths: list[int], lost: set[int], rng: object
) -> None:
    progress, taken, first = Progress(), list[Run](), 0
    for length in lengths:
        first += 1 if first in lost else 0  # destroyed in the spool
        taken.append(Run(ONE, first, first + length))
        progress.take(taken[-1])
        first += length
    order = list(range(len(taken)))
    rng.shuffle(order)  # type: ignore[attr-defined]

    for done, place in enumerate(order, start=1):
        progress.finish(taken[place], Outcome.DELIVERED)
        whole = 0
        while whole < len(taken) and whole in order[:done]:
            whole += 1

        assert progress.counts[Outcome.DELIVERED] == sum(lengths[:whole])
        if whole:
            assert progress.moved().get(ONE, taken[whole - 1].end) == taken[whole - 1].end
    assert progress.unfinished == 0
