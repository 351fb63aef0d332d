from __future__ import annotations

from harness.programs.tcp_proxy.toxics.timeout import Timeout
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_zero_swallows_for_ever() -> None:
    bench = Bench()
    stage = Timeout(timeout=0).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    bench.clock.turn(86_400_000)

    assert bench.outcome.written == []
    assert not bench.outcome.is_closed


def test_silence_closes() -> None:
    bench = Bench()
    Timeout(timeout=100).stage(bench.context())
    bench.clock.turn(99)
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert not before
    assert bench.outcome.is_closed


def test_each_chunk_starts_the_silence_anew() -> None:
    bench = Bench()
    stage = Timeout(timeout=100).stage(bench.context())
    bench.clock.turn(99)
    stage.receive(b"a", bench.clock.now())
    bench.clock.turn(99)
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert not before
    assert bench.outcome.is_closed
    assert bench.outcome.written == []


def test_end_of_the_stream_passes() -> None:
    bench = Bench()
    Timeout(timeout=0).stage(bench.context()).finish()

    assert bench.outcome.is_closed


def test_update_takes_the_new_silence_from_now() -> None:
    bench = Bench()
    stage = Timeout(timeout=100).stage(bench.context())
    bench.clock.turn(90)
    stage.update(Timeout(timeout=50))
    bench.clock.turn(49)
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert not before
    assert bench.outcome.is_closed


def test_chunk_after_the_close_sets_no_timer() -> None:
    bench = Bench()
    stage = Timeout(timeout=100).stage(bench.context())
    bench.clock.turn(100)
    stage.receive(b"a", bench.clock.now())

    assert bench.clock.waiting == 0
