from __future__ import annotations

from harness.programs.tcp_proxy.toxics.slow_close import SlowClose
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_bytes_pass_at_once_and_the_end_is_late() -> None:
    bench = Bench()
    stage = SlowClose(delay=100).stage(bench.context())
    stage.receive(b"abc", 0.0)
    stage.finish()
    bench.clock.turn(99)
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert bench.outcome.written == [b"abc"]
    assert not before
    assert bench.outcome.is_closed


def test_update_starts_the_wait_anew() -> None:
    bench = Bench()
    stage = SlowClose(delay=100).stage(bench.context())
    stage.finish()
    bench.clock.turn(90)
    stage.update(SlowClose(delay=50))
    bench.clock.turn(49)
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert not before
    assert bench.outcome.is_closed


def test_release_closes_what_waits_and_nothing_else() -> None:
    waiting, idle = Bench(), Bench()
    late = SlowClose(delay=100).stage(waiting.context())
    late.finish()
    late.release()
    SlowClose(delay=100).stage(idle.context()).release()

    assert waiting.outcome.is_closed
    assert not idle.outcome.is_closed


def test_discarded_stage_closes_nothing_later() -> None:
    bench = Bench()
    stage = SlowClose(delay=100).stage(bench.context())
    stage.finish()
    stage.discard()
    bench.clock.turn(1000)

    assert not bench.outcome.is_closed
