from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    Conflict,
    Delivered,
    DocumentOutcome,
    OneForEach,
    Redirected,
    Refused,
    RequestRefused,
    Retry,
    SameForAll,
    Unknown,
)
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_answer import read_bulk_answer, read_strictly
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer

CREATED = {"create": {"status": 201}}
IDS = [f"e-{sequence}" for sequence in range(50)]


def answer(content: object, status: int = 200, headers: dict[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(status, headers or {}, orjson.dumps(content))


def item(status: object, **rest: object) -> dict[str, object]:
    return {"create": {"status": status, **rest}}


def read_one(one_item: dict[str, object]) -> DocumentOutcome:
    outcome = read_strictly(answer({"errors": True, "items": [one_item]}), IDS[:1])
    assert isinstance(outcome, OneForEach)
    return outcome.outcomes[0]


LYING_200 = {
    "html": b"<html><body>It works!</body></html>",
    "empty": b"",
    "truncated": orjson.dumps({"errors": False, "items": [CREATED, CREATED]})[:-9],
    "not an object": b"[]",
    "no items": orjson.dumps({"errors": False}),
    "no errors": orjson.dumps({"items": [CREATED, CREATED]}),
    "errors is a number": orjson.dumps({"errors": 0, "items": [CREATED, CREATED]}),
    "errors is text": orjson.dumps({"errors": "false", "items": [CREATED, CREATED]}),
    "items is an object": orjson.dumps({"errors": False, "items": {"0": CREATED, "1": CREATED}}),
    "one item short": orjson.dumps({"errors": False, "items": [CREATED]}),
    "one item more": orjson.dumps({"errors": False, "items": [CREATED] * 3}),
    "an item of another action": orjson.dumps(
        {"errors": False, "items": [CREATED, {"index": {"status": 201}}]}
    ),
    "an item without status": orjson.dumps({"errors": False, "items": [CREATED, {"create": {}}]}),
    "a status as text": orjson.dumps({"errors": False, "items": [CREATED, item("201")]}),
    "a status as boolean": orjson.dumps({"errors": False, "items": [CREATED, item(True)]}),
    "a null item": orjson.dumps({"errors": False, "items": [CREATED, None]}),
    "another request's answer": orjson.dumps({"acknowledged": True}),
}


@pytest.mark.parametrize("body", LYING_200.values(), ids=LYING_200.keys())
def test_a_200_that_is_no_whole_bulk_answer_proves_nothing(body: bytes) -> None:
    outcome = read_strictly(HttpAnswer(200, {}, body), IDS[:2])

    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_whole_bulk_answer_proves_each_item(status: int) -> None:
    outcome = read_strictly(answer({"errors": False, "items": [CREATED, CREATED]}, status), IDS[:2])

    assert isinstance(outcome, OneForEach)
    assert [type(each) for each in outcome.outcomes] == [Delivered, Delivered]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 502, 503, 504])
def test_an_answer_other_than_success_proves_nothing_even_with_a_perfect_body(status: int) -> None:
    outcome = read_strictly(answer({"errors": False, "items": [CREATED]}, status), IDS[:1])

    assert isinstance(outcome, Unknown)


def test_no_answer_proves_nothing_and_keeps_its_reason() -> None:
    assert read_strictly(NoAnswer("connection reset"), IDS[:1]) == Unknown("connection reset")


@pytest.mark.parametrize(
    ("one_item", "kind"),
    [
        (item(200), Delivered),
        (item(201, failure_store="not_enabled"), Delivered),
        (item(201, failure_store="used"), Redirected),
        (item(201, error={"type": "contradiction"}), Retry),
        (item(409, error={"type": "version_conflict_engine_exception"}), Conflict),
        (item(400, error={"type": "document_parsing_exception"}), Refused),
        (item(404, error={"type": "something_else"}), Refused),
        (item(404, error={"type": "index_not_found_exception"}), Retry),
        (item(400, error={"type": "index_closed_exception"}), Retry),
        (item(403, error={"type": "cluster_block_exception"}), Retry),
        (item(403, error={"type": "security_exception"}), Retry),
        (item(403, error={"type": "something_else"}), Refused),
        (item(429, error={"type": "es_rejected_execution_exception"}), Retry),
        (item(500), Retry),
        (item(503, error={"type": "unavailable_shards_exception"}), Retry),
        (item(100), Retry),
    ],
)
def test_an_item_is_classed_by_its_status_and_error(
    one_item: dict[str, object], kind: type[DocumentOutcome]
) -> None:
    assert type(read_one(one_item)) is kind


def test_an_item_that_failed_is_not_delivered_because_errors_says_false() -> None:
    outcome = read_strictly(answer({"errors": False, "items": [item(503), CREATED]}), IDS[:2])

    assert isinstance(outcome, OneForEach)
    assert [type(each) for each in outcome.outcomes] == [Retry, Delivered]


def test_a_413_refuses_the_request_whatever_its_body() -> None:
    assert isinstance(read_strictly(HttpAnswer(413, {}, b"<html>too large</html>"), IDS[:3]), RequestRefused)


def test_a_400_refuses_the_request_only_in_the_words_of_elasticsearch() -> None:
    spoken = answer({"error": {"type": "illegal_argument_exception", "reason": "Malformed action"}}, 400)

    assert read_strictly(spoken, IDS[:3]) == RequestRefused(
        "illegal_argument_exception: Malformed action", 400
    )
    assert isinstance(read_strictly(HttpAnswer(400, {}, b"<html>Bad Request</html>"), IDS[:3]), Unknown)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("86400", 60.0), ("", None), ("-1", None), ("soon", None), ("²", None)],
)
def test_retry_after_is_read_in_seconds_and_bounded(header: str, seconds: float | None) -> None:
    outcome = read_strictly(HttpAnswer(429, {"retry-after": header}, b""), IDS[:1])

    assert isinstance(outcome, Unknown)
    assert outcome.retry_after_seconds == seconds


def test_a_reason_that_is_text_is_kept_as_it_is() -> None:
    body = orjson.dumps({"errors": True, "items": [{"create": {"_id": "e-1", "status": 400, "error": "no"}}]})

    outcome = read_strictly(HttpAnswer(200, {}, body), ["e-1"])

    assert outcome == OneForEach((Refused("no", 400),))


def test_the_reason_of_an_item_names_its_cause_and_is_bounded() -> None:
    error = {"type": "t", "reason": "r" * 5_000, "caused_by": {"type": "c", "reason": "d"}}
    outcome = read_one(item(400, error=error))

    assert isinstance(outcome, Refused)
    assert len(outcome.reason) == 500
    assert outcome.reason.startswith("t: rrr")


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "error", [b'{"type":[]}', b'{"type":{}}', b'{"type":null}', b'{"type":7}', b"[]", b'"text"']
)
def test_an_item_whose_error_has_no_lawful_type_is_judged_by_its_status(error: bytes) -> None:
    body = b'{"errors":true,"items":[{"create":{"status":403,"error":' + error + b"}}]}"
    outcome = read_strictly(HttpAnswer(200, {}, body), IDS[:1])

    assert isinstance(outcome, OneForEach)
    assert isinstance(outcome.outcomes[0], Refused)


@pytest.mark.parametrize(
    "before", [b'"error":', b'"error":{"type":', b'"error":{"reason":', b'"error":{"caused_by":{"type":']
)
def test_a_reason_nested_deeper_than_python_can_write_is_named_so(before: bytes) -> None:
    body = b"{" + before + nested(1_000) + b"}" * (before.count(b"{") + 1)
    outcome = read_strictly(HttpAnswer(400, {}, body), IDS[:1])

    assert isinstance(outcome, RequestRefused)
    assert "(nested)" in outcome.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 600) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["errors", "items", "create", "status", "error"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.integers(100, 599), st.binary(max_size=60) | json_values.map(orjson.dumps), st.integers(1, 3))
def test_any_body_is_judged_and_an_acknowledgement_needs_every_item(
    status: int, body: bytes, sent: int
) -> None:
    """Whatever comes back, judging ends without an error, and results exist only for all that was sent."""
    outcome = read_strictly(HttpAnswer(status, {}, body), IDS[:sent])

    assert not isinstance(outcome, OneForEach) or (len(outcome.outcomes) == sent and 200 <= status < 300)


def test_an_answer_about_other_documents_acknowledges_nothing() -> None:
    foreign = answer({"errors": False, "items": [{"create": {"_id": "e-1", "status": 201}}]})

    assert isinstance(read_strictly(foreign, ["e-0"]), Unknown)
    assert isinstance(read_strictly(foreign, ["e-1"]), OneForEach)


@pytest.mark.parametrize(("status", "doubtful"), [(429, False), (401, False), (502, True), (504, True)])
def test_a_request_turned_away_leaves_no_doubt_and_one_that_may_have_run_does(
    status: int, doubtful: bool
) -> None:
    outcome = read_strictly(HttpAnswer(status, {}, b""), ["e-0"])

    assert isinstance(outcome, Unknown)
    assert outcome.may_have_stored is doubtful


@pytest.mark.parametrize(
    ("status", "kind", "pushed_back", "may_have_stored", "suspect"),
    [
        (429, "es_rejected_execution_exception", True, False, False),
        (503, "unavailable_shards_exception", True, True, False),
        (403, "cluster_block_exception", False, False, False),
        (500, "not_x_content_exception", False, True, True),
        (500, "translog_exception", False, True, False),
        (507, "not_x_content_exception", False, True, False),
        (201, "contradiction", False, True, False),
    ],
)
def test_a_retry_says_whether_the_store_is_busy_may_have_stored_it_or_the_document_is_suspect(
    status: int, kind: str, pushed_back: bool, may_have_stored: bool, suspect: bool
) -> None:
    assert read_one(item(status, error={"type": kind, "reason": "r"})) == Retry(
        f"{kind}: r", status, pushed_back, may_have_stored, suspect
    )


def test_a_request_that_is_too_large_is_told_from_one_that_is_broken() -> None:
    error = {"error": {"type": "t", "reason": "r"}}

    assert read_strictly(answer(error, 413), IDS[:2]) == RequestRefused("t: r", 413, is_too_large=True)
    assert read_strictly(answer(error, 400), IDS[:2]) == RequestRefused("t: r", 400, is_too_large=False)


def test_where_every_document_was_created_one_outcome_stands_for_all() -> None:
    items = [Item(b"e" * 16, sequence, b"{}") for sequence in range(3)]
    created = [{"create": {"_index": "logs-1", "_id": each.id, "status": 201}} for each in items]
    told = HttpAnswer(200, {}, orjson.dumps({"errors": False, "took": 1, "items": created}))
    shuffled = HttpAnswer(200, {}, orjson.dumps({"items": created, "errors": False}))

    assert read_bulk_answer(told, items, runs_of(items)) == SameForAll(Delivered("logs-1"))
    assert read_bulk_answer(shuffled, items, runs_of(items)) == OneForEach((Delivered("logs-1"),) * 3)
