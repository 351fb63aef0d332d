from __future__ import annotations

from harness.programs.tcp_proxy.toxic import Toxic
from harness.programs.tcp_proxy.toxics.bandwidth import Bandwidth
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def test_bytes_leave_at_the_rate_in_slices_of_a_tenth_of_a_second() -> None:
    bench = Bench()
    stage = Bandwidth(rate=10).stage(bench.context())
    stage.receive(b"a" * 2500, bench.clock.now())
    sizes = []
    for _ in range(3):
        bench.clock.turn(100)
        sizes.append([len(data) for data in bench.outcome.written])

    assert sizes == [[1000], [1000, 1000], [1000, 1000, 500]]


def test_what_is_less_than_a_slice_waits_for_its_own_time_only() -> None:
    bench = Bench()
    stage = Bandwidth(rate=10).stage(bench.context())
    stage.receive(b"a" * 500, bench.clock.now())
    bench.clock.turn(49)
    before = list(bench.outcome.written)
    bench.clock.turn(1)

    assert before == []
    assert bench.outcome.written == [b"a" * 500]


def test_chunks_wait_one_after_the_other() -> None:
    bench = Bench()
    stage = Bandwidth(rate=1).stage(bench.context())
    for text in (b"a" * 50, b"b" * 50):
        stage.receive(text, bench.clock.now())
    bench.clock.turn(50)
    after_50_ms = list(bench.outcome.written)
    bench.clock.turn(50)

    assert after_50_ms == [b"a" * 50]
    assert bench.outcome.written == [b"a" * 50, b"b" * 50]


def test_rate_zero_keeps_every_byte_and_lets_none_pass() -> None:
    bench = Bench()
    stage = Bandwidth(rate=0).stage(bench.context())
    stage.receive(b"kept", bench.clock.now())
    stage.finish()
    bench.clock.turn(86_400_000)
    before = (list(bench.outcome.written), bench.outcome.is_closed)
    stage.release()

    assert before == ([], False)
    assert bench.outcome.written == [b"kept"]
    assert bench.outcome.is_closed


def test_new_rate_sends_the_chunk_in_hand_at_once_and_holds_the_next_one() -> None:
    bench = Bench()
    stage = Bandwidth(rate=1).stage(bench.context())
    for text in (b"a" * 1000, b"b" * 1000):
        stage.receive(text, bench.clock.now())
    stage.update(Bandwidth(rate=100))
    at_once = list(bench.outcome.written)
    bench.clock.turn(10)

    assert at_once == [b"a" * 1000]
    assert bench.outcome.written == [b"a" * 1000, b"b" * 1000]


def test_end_of_the_stream_waits_behind_the_bytes() -> None:
    bench = Bench()
    stage = Bandwidth(rate=1).stage(bench.context())
    stage.receive(b"a" * 10, bench.clock.now())
    stage.finish()
    before = bench.outcome.is_closed
    bench.clock.turn(10)

    assert not before
    assert bench.outcome.is_closed


def test_end_of_an_idle_stream_passes_at_once() -> None:
    bench = Bench()
    Bandwidth(rate=0).stage(bench.context()).finish()

    assert bench.outcome.is_closed


def test_source_is_held_back_after_one_chunk_and_reads_on_when_it_has_left() -> None:
    bench = Bench()
    link = bench.link()
    link.add(Toxic("narrow", "bandwidth", "downstream", 1.0, Bandwidth(rate=400)))
    link.feed(bytes(40_000))
    held_back = bench.outcome.is_paused
    bench.clock.turn(100)

    assert held_back
    assert not bench.outcome.is_paused


def test_discarded_stage_sends_nothing_later() -> None:
    bench = Bench()
    stage = Bandwidth(rate=1).stage(bench.context())
    stage.receive(b"a" * 10, bench.clock.now())
    stage.discard()
    bench.clock.turn(1000)

    assert bench.outcome.written == []
    assert stage.held_bytes == 0
