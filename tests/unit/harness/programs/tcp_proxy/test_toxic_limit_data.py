from __future__ import annotations

from harness.programs.tcp_proxy.toxics.limit_data import LimitData
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_stream_ends_in_the_middle_of_a_chunk() -> None:
    bench = Bench()
    stage = LimitData(bytes=5).stage(bench.context())
    stage.receive(b"abc", 0.0)
    open_before = not bench.outcome.is_closed
    stage.receive(b"def", 0.0)
    stage.receive(b"ghi", 0.0)

    assert open_before
    assert bench.outcome.written == [b"abc", b"de"]
    assert bench.outcome.is_closed


def test_last_byte_allowed_closes() -> None:
    bench = Bench()
    LimitData(bytes=3).stage(bench.context()).receive(b"abc", 0.0)

    assert bench.outcome.written == [b"abc"]
    assert bench.outcome.is_closed


def test_zero_closes_at_the_first_byte_and_passes_none() -> None:
    bench = Bench()
    stage = LimitData(bytes=0).stage(bench.context())
    open_before = not bench.outcome.is_closed
    stage.receive(b"abc", 0.0)

    assert open_before
    assert bench.outcome.written == []
    assert bench.outcome.is_closed


def test_changed_limit_counts_what_has_passed() -> None:
    bench = Bench()
    stage = LimitData(bytes=100).stage(bench.context())
    stage.receive(b"abc", 0.0)
    stage.update(LimitData(bytes=4))
    stage.receive(b"def", 0.0)

    assert bench.outcome.written == [b"abc", b"d"]
    assert bench.outcome.is_closed


def test_end_of_the_stream_passes() -> None:
    bench = Bench()
    LimitData(bytes=3).stage(bench.context()).finish()

    assert bench.outcome.is_closed
