from __future__ import annotations

import pytest

from harness.programs.tcp_proxy.toxic import Toxic
from harness.programs.tcp_proxy.toxics.latency import Latency
from harness.programs.tcp_proxy.toxics.stage import HELD_BYTES_MAX, Kind
from harness.programs.tcp_proxy.toxics.timeout import Timeout
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


def toxic(name: str, kind: Kind, toxicity: float = 1.0) -> Toxic:
    return Toxic(name, "any", "downstream", toxicity, kind)


def test_without_toxics_bytes_go_straight_through() -> None:
    bench = Bench()
    link = bench.link()
    is_direct = link.is_direct
    link.feed(b"a")
    link.end()

    assert is_direct
    assert bench.outcome.written == [b"a"]
    assert bench.outcome.is_closed


def test_toxics_act_in_the_order_they_were_added() -> None:
    bench = Bench()
    link = bench.link()
    link.open([toxic("slow", Latency(latency=100)), toxic("hole", Timeout(timeout=50))])
    link.feed(b"a")
    bench.clock.turn(50)

    assert bench.outcome.is_closed
    assert bench.outcome.written == []
    assert bench.clock.waiting == 0


def test_toxic_in_the_middle_is_removed_and_its_neighbours_stay() -> None:
    bench = Bench()
    link = bench.link()
    link.open([toxic(name, Latency(latency=delay)) for name, delay in (("a", 10), ("b", 1000), ("c", 20))])
    link.feed(b"x")
    bench.clock.turn(10)
    link.remove("b")
    bench.clock.turn(20)
    link.feed(b"y")
    bench.clock.turn(30)

    assert bench.outcome.written == [b"x", b"y"]


def test_last_toxic_removed_makes_the_link_direct_again() -> None:
    bench = Bench()
    link = bench.link()
    link.add(toxic("slow", Latency(latency=100)))
    was_direct = link.is_direct
    link.feed(b"a")
    link.remove("slow")

    assert not was_direct
    assert link.is_direct
    assert bench.outcome.written == [b"a"]


def test_removing_or_updating_an_unknown_toxic_changes_nothing() -> None:
    bench = Bench()
    link = bench.link()
    link.remove("none")
    link.update(toxic("none", Latency()))
    link.feed(b"a")

    assert bench.outcome.written == [b"a"]


@pytest.mark.parametrize("strict", [True, False])
def test_update_to_toxicity_zero_lets_go_and_back_to_one_takes_hold(strict: bool) -> None:
    bench = Bench()
    link = bench.link(strict=strict)
    link.add(toxic("slow", Latency(latency=100)))
    link.feed(b"a")
    link.update(toxic("slow", Latency(latency=100), toxicity=0.0))
    link.feed(b"b")
    spared = list(bench.outcome.written)
    link.update(toxic("slow", Latency(latency=100)))
    link.feed(b"c")

    assert spared == [b"a", b"b"]
    assert bench.outcome.written == [b"a", b"b"]
    assert link.held_bytes == 1


def test_strict_link_keeps_its_lot_so_a_ramp_of_toxicity_only_ever_adds() -> None:
    """For every link: once held at some toxicity, it is held at every higher one."""
    turns = []
    for seed in range(50):
        bench = Bench(seed)
        link = bench.link(strict=True)
        link.add(toxic("slow", Latency(latency=100), toxicity=0.0))
        held = []
        for toxicity in (0.2, 0.4, 0.6, 0.8, 1.0):
            link.update(toxic("slow", Latency(latency=100), toxicity=toxicity))
            before = link.held_bytes
            link.feed(b"a")
            held.append(link.held_bytes > before)
        turns.append(held)

    assert all(held == sorted(held) for held in turns)
    assert len({tuple(held) for held in turns}) > 2


@pytest.mark.parametrize(("strict", "closes"), [(True, False), (False, True)])
def test_removing_timeout_spares_untouched_links_in_strict_mode_only(strict: bool, closes: bool) -> None:
    bench = Bench()
    link = bench.link(strict=strict)
    link.add(toxic("hole", Timeout(), toxicity=0.0))
    link.remove("hole")

    assert bench.outcome.is_closed == closes


def test_removing_timeout_closes_behind_what_a_later_toxic_holds() -> None:
    bench = Bench()
    link = bench.link()
    link.add(toxic("slow", Latency(latency=100)))
    link.feed(b"before the hole")
    link.add(toxic("hole", Timeout()))
    link.add(toxic("slower", Latency(latency=200)))
    link.remove("hole")
    link.feed(b"after the close")
    bench.clock.turn(100)
    bench.clock.turn(1000)

    assert bench.outcome.is_closed
    assert bench.outcome.written == []


def test_source_is_held_back_while_the_destination_is_full() -> None:
    bench = Bench()
    link = bench.link()
    link.set_full(True)
    while_full = bench.outcome.is_paused
    link.set_full(False)

    assert while_full
    assert not bench.outcome.is_paused


def test_source_is_held_back_while_stages_hold_too_much() -> None:
    bench = Bench()
    link = bench.link()
    link.add(toxic("slow", Latency(latency=100)))
    link.feed(bytes(HELD_BYTES_MAX - 1))
    before = bench.outcome.is_paused
    link.feed(b"1")
    while_holding = bench.outcome.is_paused
    bench.clock.turn(100)

    assert not before
    assert while_holding
    assert not bench.outcome.is_paused


def test_removing_a_toxic_lets_the_source_go_on() -> None:
    bench = Bench()
    link = bench.link()
    link.add(toxic("slow", Latency(latency=100)))
    link.feed(bytes(HELD_BYTES_MAX))
    link.remove("slow")

    assert not bench.outcome.is_paused


def test_discarded_link_carries_nothing_and_sets_no_timer() -> None:
    bench = Bench()
    link = bench.link()
    link.add(toxic("slow", Latency(latency=100)))
    link.feed(b"a")
    link.discard()
    link.feed(b"b")
    link.add(toxic("hole", Timeout(timeout=100)))
    link.end()
    bench.clock.turn(1000)

    assert bench.outcome.written == []
    assert not bench.outcome.is_closed
    assert bench.clock.waiting == 0
