from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.programs.tcp_proxy.toxic import Toxic
from harness.programs.tcp_proxy.toxics.latency import Latency
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench

NAMES = st.sampled_from(["a", "b", "c"])
DELAYS = st.integers(0, 200)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.just(""), st.just(0)),
        st.tuples(st.just("turn"), st.just(""), DELAYS),
        st.tuples(st.just("put"), NAMES, DELAYS),
        st.tuples(st.just("remove"), NAMES, st.just(0)),
    ),
    max_size=40,
)


@given(steps=STEPS, strict=st.booleans(), toxicity=st.sampled_from([0.0, 0.5, 1.0]))
def test_delays_that_come_change_and_go_neither_lose_nor_reorder_bytes(
    steps: list[tuple[str, str, int]], strict: bool, toxicity: float
) -> None:
    """Invariant: what is written is a prefix of what was fed, and all of it once every delay is over."""
    bench = Bench()
    link = bench.link(strict=strict)
    present: set[str] = set()
    fed: list[bytes] = []
    for step, name, delay_ms in steps:
        toxic = Toxic(name, "latency", "downstream", toxicity, Latency(latency=delay_ms, jitter=delay_ms))
        if step == "feed":
            fed.append(b"%d" % len(fed))
            link.feed(fed[-1])
        elif step == "turn":
            bench.clock.turn(delay_ms)
        elif step == "remove":
            link.remove(name)
            present.discard(name)
        elif name in present:
            link.update(toxic)
        else:
            link.add(toxic)
            present.add(name)
        assert bench.outcome.written == fed[: len(bench.outcome.written)]
    link.end()
    bench.clock.turn(10_000)

    assert bench.outcome.written == fed
    assert bench.outcome.is_closed
    assert bench.clock.waiting == 0
