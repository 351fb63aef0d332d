from __future__ import annotations

from harness.programs.tcp_proxy.toxics.reset_peer import ResetPeer
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_silence_springs_nothing() -> None:
    bench = Bench()
    ResetPeer(timeout=1).stage(bench.context())
    bench.clock.turn(1000)

    assert not bench.outcome.is_closed


def test_first_bytes_are_dropped_and_reset_the_connection() -> None:
    bench = Bench()
    ResetPeer(timeout=0).stage(bench.context()).receive(b"a", bench.clock.now())

    assert bench.outcome.written == []
    assert bench.outcome.is_reset_armed
    assert bench.outcome.is_closed


def test_end_of_the_stream_springs_it_too() -> None:
    bench = Bench()
    ResetPeer(timeout=0).stage(bench.context()).finish()

    assert bench.outcome.is_reset_armed
    assert bench.outcome.is_closed


def test_timeout_counts_from_the_first_bytes_only() -> None:
    bench = Bench()
    stage = ResetPeer(timeout=100).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    bench.clock.turn(99)
    stage.receive(b"b", bench.clock.now())
    before = bench.outcome.is_closed
    bench.clock.turn(1)

    assert not before
    assert bench.outcome.is_reset_armed
    assert bench.outcome.is_closed


def test_removed_once_sprung_it_resets_at_once() -> None:
    bench = Bench()
    stage = ResetPeer(timeout=100).stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    stage.release()

    assert bench.outcome.is_closed
    assert bench.clock.waiting == 0


def test_removed_before_it_is_sprung_it_leaves_the_connection_alone() -> None:
    bench = Bench()
    ResetPeer(timeout=100).stage(bench.context()).release()

    assert not bench.outcome.is_closed
