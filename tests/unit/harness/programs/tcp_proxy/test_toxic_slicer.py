from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.programs.tcp_proxy.toxics.slicer import Slicer
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


@given(
    sizes=st.lists(st.integers(1, 500), max_size=5),
    average=st.integers(1, 60),
    share=st.floats(0, 1),
    delay=st.integers(0, 20_000),
)
def test_pieces_are_small_and_together_what_was_sent(
    sizes: list[int], average: int, share: float, delay: int
) -> None:
    """No byte is lost, doubled or moved, and no piece exceeds average + variation."""
    variation = int(average * share)
    bench = Bench()
    stage = Slicer(average_size=average, size_variation=variation, delay=delay).stage(bench.context())
    chunks = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    for chunk in chunks:
        stage.receive(chunk, bench.clock.now())
    stage.finish()
    bench.clock.turn(1_000_000)

    assert b"".join(bench.outcome.written) == b"".join(chunks)
    assert all(0 < len(piece) <= average + variation for piece in bench.outcome.written)
    assert bench.outcome.is_closed
    assert stage.held_bytes == 0


def test_pieces_leave_one_pause_apart() -> None:
    bench = Bench()
    stage = Slicer(average_size=2, delay=10_000).stage(bench.context())
    stage.receive(b"abcd", bench.clock.now())
    at_once = list(bench.outcome.written)
    bench.clock.turn(10)

    assert at_once == [b"ab"]
    assert bench.outcome.written == [b"ab", b"cd"]


def test_pause_after_the_last_piece_holds_the_end_of_the_stream() -> None:
    bench = Bench()
    stage = Slicer(average_size=8, delay=10_000).stage(bench.context())
    stage.receive(b"abcd", bench.clock.now())
    stage.finish()
    before = bench.outcome.is_closed
    bench.clock.turn(10)

    assert not before
    assert bench.outcome.is_closed


def test_update_sends_what_is_left_of_the_chunk_as_one_piece() -> None:
    bench = Bench()
    stage = Slicer(average_size=1, delay=1_000_000).stage(bench.context())
    stage.receive(b"abcdefgh", bench.clock.now())
    stage.update(Slicer(average_size=2, delay=1_000_000))

    assert bench.outcome.written == [b"a", b"bcdefgh"]


def test_release_sends_everything_held() -> None:
    bench = Bench()
    stage = Slicer(average_size=1, delay=1_000_000).stage(bench.context())
    stage.receive(b"abc", bench.clock.now())
    stage.receive(b"def", bench.clock.now())
    stage.release()

    assert b"".join(bench.outcome.written) == b"abcdef"


def test_discarded_stage_sends_nothing_later() -> None:
    bench = Bench()
    stage = Slicer(average_size=1, delay=1_000).stage(bench.context())
    stage.receive(b"abc", bench.clock.now())
    stage.discard()
    bench.clock.turn(1000)

    assert bench.outcome.written == [b"a"]
    assert bench.clock.waiting == 0
