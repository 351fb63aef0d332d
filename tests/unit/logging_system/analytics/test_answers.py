"""What is told of answers that are not whole, in types, text and JSON alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from logging_system.analytics import in_words
from logging_system.analytics.answers import Partial, joined, partial_of
from logging_system.analytics.as_json import as_json
from logging_system.analytics.latency import latency_of_shipper
from logging_system.analytics.rates import BucketState, read_rates
from logging_system.analytics.sampling import sample
from logging_system.analytics.templates import Template, TopTemplates, grouped, words_of
from logging_system.analytics.windows import Interval, Window
from logging_system.monitoring.delays import Delays
from tests.unit.logging_system.analytics.kept_store import KeptStore
from tests.unit.logging_system.analytics.test_following import REACH, at
from tests.unit.logging_system.analytics.test_windows import NOW

WINDOW = Window(NOW - timedelta(minutes=10), NOW)
FIVE = Interval("5m", is_calendar=False)
FAILED = {"total": 3, "failed": 1, "failures": [{"reason": {"type": "io", "reason": "disk"}}]}


def answer(**lacking: Any) -> dict[str, Any]:
    levels = {"buckets": [{"key": "info", "doc_count": 4}]}
    times = [
        {"key": (NOW - timedelta(minutes=minutes)).timestamp() * 1000, "doc_count": 2, "levels": levels}
        for minutes in (10, 5)
    ]
    whole = {"timed_out": False, "_shards": {"total": 3, "failed": 0}}
    return {**whole, "aggregations": {"levels": levels, "times": {"buckets": times}}, **lacking}


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ({}, None),
        ({"timed_out": True}, Partial(True, 0, 3)),
        ({"_shards": FAILED}, Partial(False, 1, 3, ("io: disk",))),
    ],
)
def test_an_answer_says_whether_it_is_whole(lacking: dict[str, Any], expected: Partial | None) -> None:
    assert partial_of(answer(**lacking)) == expected


def test_rates_of_a_partial_answer_say_so_in_type_text_and_json() -> None:
    found = read_rates(answer(timed_out=True), WINDOW, FIVE, now=NOW)

    assert found.partial == Partial(True, 0, 3)
    assert any("PARTIAL" in line and "timed_out" in line for line in in_words.rates_in_words(found))
    told = orjson.loads(orjson.dumps(as_json(found)))
    assert told["partial"]["timed_out"] is True
    assert told["count"] == 4
    assert as_json(read_rates(answer(), WINDOW, FIVE, now=NOW))["partial"] is None


def test_what_several_answers_lack_is_told_together() -> None:
    first, second = Partial(True, 0, 2), Partial(False, 1, 3, ("a", "b"))

    assert joined([None, first, second]) == Partial(True, 1, 3, ("a", "b"))
    assert joined([None, None]) is None


def test_the_newest_bucket_may_still_fill_and_a_gap_is_no_zero() -> None:
    empty = answer()
    empty["aggregations"]["times"]["buckets"][0]["levels"] = {"buckets": []}
    outage = (NOW - timedelta(minutes=9), NOW - timedelta(minutes=8))
    found = read_rates(empty, WINDOW, FIVE, now=NOW, outages=[outage])

    assert [(each.count, each.state) for each in found.buckets] == [
        (None, BucketState.GAP),
        (4, BucketState.FILLING),
    ]
    text = "\n".join(in_words.rates_in_words(found))
    assert "gap: the pipeline was down, so this is not zero" in text
    assert "(filling)" in text
    assert as_json(found)["buckets"][0]["count"] is None


def test_delays_of_the_shipper_are_upper_bounds() -> None:
    found = latency_of_shipper(Delays.of_each([0.004] * 90 + [0.9] * 9 + [9_000.0]))

    assert found is not None
    assert (found.p50_seconds, found.p95_seconds, found.p99_seconds) == (0.005, 1.0, 1.0)
    assert "p50 at most 0.005 s, p95 at most 1 s" in "".join(in_words.latency_in_words(found))
    assert latency_of_shipper(Delays()) is None
    beyond = latency_of_shipper(Delays.of_each([9_000.0]))
    assert beyond is not None
    assert as_json(beyond)["p99_seconds"] is None
    assert "more than 2 hours" in "".join(in_words.latency_in_words(beyond))


def test_a_sample_tells_its_share_and_weighs_its_records() -> None:
    store = KeptStore([(at(0), at(number / 100), f"line {number}") for number in range(1_000)], now=at(60))

    taken = sample(store, REACH, Window(at(0), at(20)), records_max=100)

    assert taken.count == 1_000
    assert len(taken.records) == 50  # two in each of the slices that have records
    assert sum(record.weight for record in taken.records) == pytest.approx(1_000)
    (template,) = grouped(taken).values()
    assert template.text == "line <*>"
    assert template.estimate == pytest.approx(1_000)
    found = TopTemplates((template,), taken.count, taken.share, taken.partial)
    text = "\n".join(in_words.templates_in_words(found, "templates"))
    assert "5.0% looked at, counts are estimates" in text
    assert "~1000" in text


def test_what_a_message_does_to_a_terminal_is_not_shown() -> None:
    template = Template("a\x1b[2Jb\nc", "x", "", 1, 1.0, "")

    text = "\n".join(in_words.templates_in_words(TopTemplates((template,), 1, 1.0, None), "templates"))

    assert "\x1b" not in text
    assert "a [2Jb c" in text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("order <*> paid twice", "paid twice"),
        ("<*>", ""),
        ("a <*> b", ""),
        ("card<*> of user_name at shop.pay was lost", "was lost"),
        ("don't stop <*>", "stop"),
        ("card of order <*> refused: no route to host", "refused: no route to host"),
    ],
)
def test_a_template_is_asked_for_by_its_longest_words(template: str, words: str) -> None:
    assert words_of(template) == words
