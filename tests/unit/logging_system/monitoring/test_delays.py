from __future__ import annotations

from dataclasses import asdict

import orjson
import pytest

from logging_system.monitoring.delays import (
    BOUNDS_SECONDS,
    DelayHistogram,
    Delays,
    Exemplar,
    bucket_of,
    trace_id_of,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_delay_of_exactly_a_bound_is_within_it_as_prometheus_has_it() -> None:
    assert [bucket_of(bound) for bound in BOUNDS_SECONDS] == list(range(len(BOUNDS_SECONDS)))
    assert bucket_of(BOUNDS_SECONDS[-1] + 1) == len(BOUNDS_SECONDS)


@pytest.mark.parametrize("each", [[0.02, 0.021, 0.022], [0.001, 0.4, 30.0, 9_000.0]])
def test_a_group_is_counted_record_by_record_whether_or_not_one_bucket_holds_it(each: list[float]) -> None:
    delays = Delays.of_each(each)
    counts = [0] * (len(BOUNDS_SECONDS) + 1)
    for seconds in each:
        counts[bucket_of(seconds)] += 1

    assert delays.counts == tuple(counts)
    assert delays.sum_seconds == pytest.approx(sum(each))
    assert delays.cumulative[-1] == delays.count == len(each)


def test_a_histogram_keeps_the_newest_exemplar_of_each_bucket() -> None:
    histogram = DelayHistogram()
    histogram.add(Delays.of_each([0.02], Exemplar("a" * 32, 0.02, 1.0)))
    histogram.add_alike(0.021, 3, Exemplar("b" * 32, 0.021, 2.0))
    histogram.add_alike(4.0, 1, Exemplar("c" * 32, 4.0, 3.0))

    assert [each.trace_id[0] for each in histogram.moment().exemplars] == ["b", "c"]
    assert histogram.moment().count == 5


def test_what_a_file_states_is_read_back_and_a_process_goes_on_from_it() -> None:
    delays = Delays.of_each([0.02, 4.0], Exemplar(TRACE, 4.0, 1.0))
    again = Delays.of_content(orjson.loads(orjson.dumps(asdict(delays))))

    assert again == DelayHistogram(again).moment() == delays


def test_sums_keep_the_newest_exemplars_and_differences_what_came_later() -> None:
    earlier = Delays.of_each([0.02], Exemplar("a" * 32, 0.02, 1.0))
    both = Delays.of_each([0.02, 9.0], Exemplar("b" * 32, 0.02, 2.0)) + earlier

    assert [each.trace_id[0] for each in both.exemplars] == ["b"]
    assert (both.count, both.less(earlier).count) == (3, 2)
    assert both.less(earlier).sum_seconds == pytest.approx(9.02)


@pytest.mark.parametrize(
    ("document", "trace_id"),
    [
        (b'{"@timestamp":"2026-01-01T00:00:00Z","trace":{"id":"%s"}}' % TRACE.encode(), TRACE),
        (b'{"message":"no trace"}', ""),
        (b'{"trace":{"id":"%s"}}' % TRACE[:-1].encode(), ""),
        (b'{"trace":{"id":"%s0"}}' % TRACE.encode(), ""),
        (b'{"trace":{"id":"%s"}}' % TRACE.upper().encode(), ""),
        (b'{"trace":{"id":"', ""),
        (orjson.dumps({"message": f'"trace":{{"id":"{TRACE}"}}'}), ""),
    ],
)
def test_a_trace_is_found_without_parsing_and_never_within_a_text(document: bytes, trace_id: str) -> None:
    assert trace_id_of(document) == trace_id
