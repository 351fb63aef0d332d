from __future__ import annotations

from harness.programs.tcp_proxy.toxics.latency import Latency
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_chunk_leaves_when_its_delay_is_over_and_not_before() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    bench.clock.turn(99)
    before = list(bench.outcome.written)
    bench.clock.turn(1)

    assert before == []
    assert bench.outcome.written == [b"a"]


def test_chunks_wait_side_by_side() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    bench.clock.turn(50)
    stage.receive(b"b", bench.clock.now())
    bench.clock.turn(50)
    at_100_ms = list(bench.outcome.written)
    bench.clock.turn(50)

    assert at_100_ms == [b"a"]
    assert bench.outcome.written == [b"a", b"b"]


def test_delay_counts_from_arrival_at_the_proxy() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    stage.receive(b"was held elsewhere", bench.clock.now() - 0.1)

    assert bench.outcome.written == [b"was held elsewhere"]


def test_jitter_keeps_the_order_and_stays_in_its_range() -> None:
    bench = Bench()
    stage = Latency(latency=100, jitter=50).stage(bench.context())
    chunks = [b"%d" % number for number in range(200)]
    for chunk in chunks:
        stage.receive(chunk, bench.clock.now())
    bench.clock.turn(49)
    too_early = list(bench.outcome.written)
    bench.clock.turn(101)

    assert too_early == []
    assert bench.outcome.written == chunks


def test_end_waits_behind_the_bytes_and_for_nothing_else() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    stage.finish()
    before = bench.outcome.is_closed
    bench.clock.turn(100)

    assert not before
    assert bench.outcome.written == [b"a"]
    assert bench.outcome.is_closed


def test_end_of_an_idle_stream_is_not_delayed() -> None:
    bench = Bench()
    Latency(latency=100).stage(bench.context()).finish()

    assert bench.outcome.is_closed


def test_update_sends_the_head_and_times_the_others_anew() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    for chunk in (b"a", b"b"):
        stage.receive(chunk, bench.clock.now())
    stage.update(Latency(latency=300))
    at_once = list(bench.outcome.written)
    bench.clock.turn(299)
    before = list(bench.outcome.written)
    bench.clock.turn(1)

    assert at_once == before == [b"a"]
    assert bench.outcome.written == [b"a", b"b"]


def test_release_sends_everything_at_once_and_leaves_no_timer() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    for chunk in (b"a", b"b"):
        stage.receive(chunk, bench.clock.now())
    stage.finish()
    stage.release()

    assert bench.outcome.written == [b"a", b"b"]
    assert bench.outcome.is_closed
    assert bench.clock.waiting == 0


def test_held_bytes_are_counted_until_they_leave() -> None:
    bench = Bench()
    stage = Latency(latency=100).stage(bench.context())
    stage.receive(b"12345", bench.clock.now())
    held = stage.held_bytes
    bench.clock.turn(100)

    assert held == 5
    assert stage.held_bytes == 0
