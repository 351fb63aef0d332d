from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.commands import Item
from logging_system.delivery.progress import Outcome, Progress
from logging_system.delivery.runs import Run, runs_of

ONE, TWO = b"\x01" * 16, b"\x02" * 16
ITEMS = [Item(ONE, 7, b"{}"), Item(ONE, 8, b"{}"), Item(TWO, 1, b"{}"), Item(ONE, 9, b"{}")]


def test_runs_end_where_the_writer_or_the_sequence_changes() -> None:
    items = [*ITEMS, Item(ONE, 11, b"{}"), Item(TWO, 12, b"{}")]

    assert runs_of(items) == [
        Run(ONE, 7, 9),
        Run(TWO, 1, 2),
        Run(ONE, 9, 10),
        Run(ONE, 11, 12),
        Run(TWO, 12, 13),
    ]


def test_a_writer_in_between_ends_a_run_though_first_and_last_fit() -> None:
    items = [Item(ONE, 1, b"{}"), Item(TWO, 2, b"{}"), Item(ONE, 3, b"{}")]

    assert runs_of(items) == [Run(ONE, 1, 2), Run(TWO, 2, 3), Run(ONE, 3, 4)]


def test_no_items_are_no_run() -> None:
    assert runs_of([]) == []


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.sets(st.integers(0, 40)), st.randoms())
def test_progress_is_the_prefix_whatever_runs_are_done_in_whatever_order(
    lengths: list[int], lost: set[int], rng: object
) -> None:
    progress, taken, first = Progress(), list[Run](), 0
    for length in lengths:
        first += 1 if first in lost else 0  # destroyed in the spool
        taken.append(Run(ONE, first, first + length))
        progress.take(taken[-1])
        first += length
    order = list(range(len(taken)))
    rng.shuffle(order)  # type: ignore[attr-defined]

    for done, place in enumerate(order, start=1):
        progress.finish(taken[place], Outcome.DELIVERED)
        whole = 0
        while whole < len(taken) and whole in order[:done]:
            whole += 1

        assert progress.counts[Outcome.DELIVERED] == sum(lengths[:whole])
        if whole:
            assert progress.moved().get(ONE, taken[whole - 1].end) == taken[whole - 1].end
    assert progress.unfinished == 0
