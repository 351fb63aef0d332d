"""Each kind of rule between a literal request and a store that keeps book."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections import Counter
from typing import Any

import orjson
import pytest

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.messages import Answer, Request, made_up, value_of
from harness.programs.http_interceptor.rule import Rule, rule_of

JSON = b"application/json"


class BookkeepingStore:
    """Creates whatever a bulk holds, and notes which requests it saw."""

    def __init__(self, status: int = 200) -> None:
        self.seen: list[Request] = []
        self.status = status

    async def ask(self, request: Request) -> Answer:
        self.seen.append(request)
        lines = request.body.splitlines()
        ids = [orjson.loads(line)["create"]["_id"] for line in lines[::2]]
        items = [{"create": {"_id": each, "status": 201}} for each in ids]
        body = orjson.dumps({"took": 7, "errors": False, "items": items})
        return made_up(self.status, b"OK", JSON, body)

    def ids(self) -> list[str]:
        return [
            orjson.loads(line)["create"]["_id"]
            for request in self.seen
            for line in request.body.splitlines()[::2]
        ]


def bulk(
    *ids: str, source: str = '{"message":"hello"}', target: bytes = b"/logs/_bulk", **headers: bytes
) -> Request:
    body = "".join(f'{{"create":{{"_id":"{each}"}}}}\n{source}\n' for each in ids).encode()
    extra = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    length = (b"Content-Length", str(len(body)).encode())
    return Request(b"POST", target, ((b"Host", b"store"), length, *extra), body)


def rule(kind: str, share: float = 1.0, seed: int = 1, **arguments: Any) -> Rule:
    return rule_of("a", {"kind": kind, "arguments": arguments, "share": share, "seed": seed})


def ask(tried: Rule, request: Request, store: BookkeepingStore) -> Answer:
    return asyncio.run(tried.handle(request, store.ask))


def statuses(answer: Answer) -> list[tuple[str, int]]:
    items = orjson.loads(answer.body)["items"]
    return [(item["create"]["_id"], item["create"]["status"]) for item in items]


def test_refused_request_never_reaches_the_store_and_says_when_to_come_again() -> None:
    store = BookkeepingStore()
    refusing = rule("requests_refused", status=429, retry_after_seconds=3)
    answer = ask(refusing, bulk("a"), store)

    assert answer.status == 429
    assert value_of(answer.headers, b"retry-after") == b"3"
    assert orjson.loads(answer.body)["error"]["type"] == "es_rejected_execution_exception"
    assert store.seen == []
    assert refusing.counters == {"seen": 1, "refused": 1}


def test_refusal_without_patience_asks_for_none() -> None:
    answer = ask(rule("requests_refused", status=503), bulk("a"), BookkeepingStore())

    assert value_of(answer.headers, b"retry-after") == b""


def test_share_decides_how_many_requests_a_rule_takes_hold_of() -> None:
    store = BookkeepingStore()
    half = rule("requests_refused", share=0.5)
    for number in range(400):
        ask(half, bulk(str(number)), store)

    assert half.counters["seen"] == 400
    assert 140 < half.counters["refused"] < 260
    assert len(store.seen) == 400 - half.counters["refused"]


def test_same_seed_takes_hold_of_the_same_requests_and_another_of_others() -> None:
    def fates(seed: int) -> list[int]:
        tried = rule("requests_refused", share=0.5, seed=seed)
        return [ask(tried, bulk("a"), BookkeepingStore()).status for _ in range(64)]

    assert fates(5) == fates(5)
    assert fates(5) != fates(6)


def test_mixed_items_put_refusals_at_their_places_and_send_only_the_others_on() -> None:
    store = BookkeepingStore()
    mixing = rule("items_refused", share_429=0.4, share_400=0.2, share_503=0.2)
    ids = [str(number) for number in range(200)]
    answer = ask(mixing, bulk(*ids), store)
    met = statuses(answer)

    assert [each for each, _ in met] == ids
    assert store.ids() == [each for each, status in met if status == 201]
    assert Counter(status for _, status in met).keys() == {201, 429, 400, 503}
    assert orjson.loads(answer.body)["errors"] is True
    assert orjson.loads(answer.body)["took"] == 7
    assert value_of(answer.headers, b"content-length") == str(len(answer.body)).encode()
    for status in (429, 400, 503):
        assert mixing.counters[f"items_{status}"] == sum(each == status for _, each in met)


def test_what_was_pushed_back_is_drawn_again_and_arrives_in_the_end() -> None:
    store = BookkeepingStore()
    mixing = rule("items_refused", share_429=0.5)
    left = {str(number) for number in range(50)}
    for _ in range(100):
        if left:
            met = statuses(ask(mixing, bulk(*sorted(left)), store))
            left -= {each for each, status in met if status == 201}

    assert left == set()
    assert sorted(store.ids(), key=int) == [str(number) for number in range(50)]


def test_bulk_whose_items_are_all_refused_never_reaches_the_store() -> None:
    store = BookkeepingStore()
    answer = ask(rule("items_refused", share_429=1.0), bulk("a", "b"), store)

    assert statuses(answer) == [("a", 429), ("b", 429)]
    assert store.seen == []


def test_whole_refusal_by_the_store_itself_is_what_the_client_is_told() -> None:
    store = BookkeepingStore(status=503)
    mixing = rule("items_refused", share_429=0.5)
    answer = ask(mixing, bulk(*"abcdefgh"), store)

    assert answer.status == 503
    assert mixing.counters == {"seen": 1}


def test_packed_bulk_is_unpacked_before_its_items_are_chosen() -> None:
    store = BookkeepingStore()
    plain = bulk(*"abcdefgh", Content_Encoding=b"gzip", Accept_Encoding=b"gzip")
    packed = Request(plain.method, plain.target, plain.headers, gzip.compress(plain.body))
    answer = ask(rule("items_refused", share_429=0.5), packed, store)

    assert [each for each, _ in statuses(answer)] == list("abcdefgh")
    assert value_of(store.seen[0].headers, b"content-encoding") == b""
    assert value_of(store.seen[0].headers, b"accept-encoding") == b""


@pytest.mark.parametrize(
    ("target", "onward"),
    [
        (b"/a/_bulk?filter_path=items.*.error&refresh=true", b"/a/_bulk?refresh=true"),
        (b"/a/_bulk?filter_path=errors,items.*.status", b"/a/_bulk?filter_path=errors,items.*.status"),
        (b"/a/_bulk", b"/a/_bulk"),
    ],
)
def test_filter_that_leaves_items_out_is_dropped_on_the_way_to_the_store(
    target: bytes, onward: bytes
) -> None:
    store = BookkeepingStore()
    ask(rule("items_refused", share_429=0.5), bulk(*"abcdefgh", target=target), store)

    assert store.seen[0].target == onward


def test_body_that_is_no_bulk_is_left_to_the_store() -> None:
    seen = []

    async def store(request: Request) -> Answer:
        seen.append(request.body)
        return made_up(400, b"Bad Request", JSON, b"{}")

    mixing = rule("items_refused", share_429=1.0)
    request = Request(b"POST", b"/_bulk", (), b"no JSON\n")
    answer = asyncio.run(mixing.handle(request, store))

    assert answer.status == 400
    assert seen == [b"no JSON\n"]
    assert mixing.counters["not_bulk"] == 1


POISON: dict[str, Any] = {"pattern": "run-1-([0-9]+)-", "every": 10}


def test_poison_is_refused_each_time_and_its_neighbours_are_stored() -> None:
    store = BookkeepingStore()
    poisoning = rule("poison_document", **POISON)
    for sequence in (9, 10, 11, 10):
        source = f'{{"message":"hello run-1-{sequence}-0000abcd"}}'
        ask(poisoning, bulk(str(sequence), source=source), store)

    assert store.ids() == ["9", "11"]
    assert poisoning.counters == {"seen": 4, "items_400": 2, "record_10": 2}


def test_poison_is_found_behind_escapes_too() -> None:
    store = BookkeepingStore()
    source = r'{"m":"x \u0072un-1-20\u002d"}'
    answer = ask(rule("poison_document", **POISON), bulk("a", source=source), store)

    assert statuses(answer) == [("a", 400)]
    assert store.seen == []


@pytest.mark.parametrize(("at", "share"), [("before", 0.0), ("middle", 0.5)])
def test_answer_is_cut_after_the_store_gave_it(at: str, share: float) -> None:
    store = BookkeepingStore()
    cutting = rule("answer_cut", at=at)
    answer = ask(cutting, bulk("a"), store)

    assert store.ids() == ["a"]
    assert answer.sent_share == share
    assert cutting.counters == {"seen": 1, "cut_after_commit": 1}


def test_cut_error_is_not_counted_as_a_commit() -> None:
    cutting = rule("answer_cut")
    ask(cutting, bulk("a"), BookkeepingStore(status=503))

    assert cutting.counters == {"seen": 1, "cut_after_error": 1}


def test_an_answer_to_any_request_can_be_cut_where_the_rule_names_it() -> None:
    posted = b"/20260101-000000-abcd-01?a=b"

    assert rule("answer_cut", path="*").concerns(posted)
    assert rule("answer_cut", path="20260101-000000-abcd-01").concerns(posted)
    assert not rule("answer_cut").concerns(posted)


@pytest.mark.parametrize("lie", ["html", "truncated", "gzipped", "wrong_count", "empty"])
def test_lie_is_a_200_that_names_not_each_document_and_the_store_never_sees_it(lie: str) -> None:
    store = BookkeepingStore()
    lying = rule("lying_answers", lie=lie)
    answer = ask(lying, bulk("a", "b"), store)
    try:
        named = len(orjson.loads(answer.body)["items"])
    except orjson.JSONDecodeError:
        named = 0

    assert answer.status == 200
    assert named < 2
    assert value_of(answer.headers, b"content-encoding") == b""
    assert value_of(answer.headers, b"content-length") == str(len(answer.body)).encode()
    assert store.seen == []
    assert lying.counters == {"seen": 1, "lied": 1, "items_lied_about": 2}


def test_garbage_answers_every_request_and_the_store_sees_none() -> None:
    store = BookkeepingStore()
    spoiling = rule("garbage_answers", mark="who ")
    answer = ask(spoiling, bulk("a"), store)

    assert spoiling.concerns(b"/v1/transit/keys/logs?list=true")
    assert answer.status == 200
    assert answer.body.startswith(b"who ")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.body)
    assert store.seen == []
    assert spoiling.counters == {"seen": 1, "garbage": 1}


def test_body_limit_refuses_only_what_is_larger_with_an_empty_body() -> None:
    store = BookkeepingStore()
    small, large = bulk("a"), bulk("b", "c")
    limiting = rule("body_limited", bytes_max=len(small.body))
    passed, refused = ask(limiting, small, store), ask(limiting, large, store)

    assert passed.status == 200
    assert (refused.status, refused.body) == (413, b"")
    assert store.ids() == ["a"]
    assert limiting.counters == {"seen": 2, "too_large": 1}


def test_a_record_too_large_by_itself_is_counted_by_its_number_and_no_other_is() -> None:
    store = BookkeepingStore()
    limiting = rule("body_limited", bytes_max=20, pattern=POISON["pattern"])
    line = '{"message":"hello run-1-%s-0000abcd"}'
    for request in (bulk("a", "b", source=line % 8), *(bulk("a", source=line % 9),) * 2, bulk("c")):
        ask(limiting, request, store)
    ask(limiting, bulk("a", source=line % 7, content_encoding=b"zstd"), store)

    assert store.seen == []
    assert limiting.counters == {"seen": 5, "too_large": 5, "record_9": 2, "unnamed": 2}


def test_slow_answer_is_the_stores_own_and_held_back() -> None:
    store = BookkeepingStore()
    slow = rule("slow_answers", delay_ms=2.0, jitter_ms=1.0)
    answer = ask(slow, bulk("a"), store)

    assert statuses(answer) == [("a", 201)]
    assert 1 <= slow.counters["delayed_ms"] <= 3


def test_what_a_client_waited_in_vain_for_a_slow_answer_is_noted_when_it_hangs_up() -> None:
    slow = rule("slow_answers", delay_ms=60_000.0)

    async def hang_up() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await slow.handle(bulk("a"), BookkeepingStore().ask)

    asyncio.run(hang_up())

    assert slow.counters["delayed"] == 1
    assert 40 <= slow.counters["delayed_ms"] < 60_000


def test_a_slow_answer_that_is_still_held_back_is_noted_already() -> None:
    slow = rule("slow_answers", delay_ms=60_000.0)

    async def look_meanwhile() -> int:
        waiting = asyncio.create_task(slow.handle(bulk("a"), BookkeepingStore().ask))
        async with asyncio.timeout(5):
            while not slow.counters["delayed_ms"]:
                await asyncio.sleep(0.01)
        noted_ms = slow.counters["delayed_ms"]
        waiting.cancel()
        return noted_ms

    assert 0 < asyncio.run(look_meanwhile()) < 60_000


@pytest.mark.parametrize(
    ("kind", "target", "concerned"),
    [
        ("requests_refused", b"/logs/_bulk?refresh=true", True),
        ("requests_refused", b"/_bulk", True),
        ("requests_refused", b"/_cluster/health", False),
        ("requests_refused", b"/my_bulk", False),
        ("slow_answers", b"/_cluster/health", True),
    ],
)
def test_rules_are_for_bulks_unless_their_kind_is_for_all(kind: str, target: bytes, concerned: bool) -> None:
    assert rule(kind).concerns(target) is concerned


def test_path_of_a_rule_can_be_chosen() -> None:
    searching = rule_of("a", {"kind": "requests_refused", "path": "_search"})

    assert searching.concerns(b"/logs/_search")
    assert not searching.concerns(b"/logs/_bulk")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"kind": "refus"}, "no kind of rule"),
        ({}, "kind must be text"),
        ({"kind": "requests_refused", "arguments": {"stat": 1}}, "has no arguments"),
        ({"kind": "requests_refused", "arguments": {"status": 200}}, "400 to 599"),
        ({"kind": "requests_refused", "arguments": {"status": "429"}}, "of type int"),
        ({"kind": "requests_refused", "arguments": {"retry_after_seconds": -1}}, "retry_after_seconds"),
        ({"kind": "requests_refused", "share": 0}, "share must be"),
        ({"kind": "requests_refused", "share": 1.1}, "share must be"),
        ({"kind": "requests_refused", "seed": "x"}, "seed must be"),
        ({"kind": "requests_refused", "path": "a/b"}, "path must be"),
        ({"kind": "requests_refused", "toxicity": 1}, "unknown fields"),
        ({"kind": "items_refused"}, "above 0"),
        ({"kind": "items_refused", "arguments": {"share_429": 0.7, "share_503": 0.7}}, "at most 1"),
        ({"kind": "poison_document", "arguments": {"pattern": "("}}, "no regular expression"),
        ({"kind": "poison_document", "arguments": {"pattern": "a"}}, "must have a group"),
        ({"kind": "poison_document", "arguments": {"pattern": "(a)", "every": 0}}, "every must be"),
        ({"kind": "answer_cut", "arguments": {"at": "after"}}, "at must be"),
        ({"kind": "lying_answers", "arguments": {"lie": "white"}}, "lie must be"),
        ({"kind": "body_limited", "arguments": {"bytes_max": 0}}, "bytes_max must be"),
        ({"kind": "body_limited", "arguments": {"pattern": "("}}, "no regular expression"),
        ({"kind": "garbage_answers", "arguments": {"mark": "ä"}}, "mark must have"),
        ({"kind": "slow_answers", "arguments": {"delay_ms": 0}}, "delay_ms must be"),
        ({"kind": "slow_answers", "arguments": {"delay_ms": 1, "jitter_ms": 2}}, "jitter_ms must be"),
    ],
)
def test_wrong_rule_is_refused_with_what_is_wrong(body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ApiError, match=complaint) as refused:
        rule_of("a", body)

    assert refused.value.status == 400
