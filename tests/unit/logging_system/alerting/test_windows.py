from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from logging_system.alerting.windows import Condition, Episode, WindowedCounts, episodes_in

WINDOW = 6
SETTLE = 1


def enough(threshold: int) -> Condition:
    return Condition(threshold, ((0, 1), (WINDOW, -1)))


def brute_force(slots: list[int], threshold: int) -> list[Episode]:
    """Each end of a window looked at by itself."""
    counts = Counter(slots)
    ends = [
        end
        for end in range(min(slots, default=0), max(slots, default=0) + WINDOW)
        if sum(counts[slot] for slot in range(end - WINDOW + 1, end + 1)) >= threshold
    ]
    found: list[Episode] = []
    for end in ends:
        if found and end - found[-1].last <= WINDOW:
            found[-1] = Episode(found[-1].first, end)
        else:
            found.append(Episode(end, end))
    return found


def test_ten_in_one_window_are_an_episode_until_the_window_has_left_them() -> None:
    assert episodes_in([(100, 4), (103, 6)], enough(10)) == [Episode(103, 105)]


def test_ten_that_no_window_holds_are_no_episode() -> None:
    assert episodes_in([(100, 5), (106, 5)], enough(10)) == []


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 6))
def test_episodes_are_those_that_looking_at_each_window_finds(slots: list[int], threshold: int) -> None:
    assert episodes_in(Counter(slots).items(), enough(threshold)) == brute_force(slots, threshold)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=60), st.integers(1, 5))
def test_each_episode_is_told_once_whatever_order_records_come_in(
    steps: list[tuple[int, int]], threshold: int
) -> None:
    """After every record each episode was told; one that touches what was told begins only if it goes on."""
    series, told, now, so_far = WindowedCounts(), list[Episode](), 0, list[int]()
    for slot, forward in steps:
        now = max(now + forward, slot)
        series.add(slot)
        so_far.append(slot)
        begun = series.newly_begun(now, enough(threshold), slot)
        for episode in begun:
            known = [each for each in told if each.touches(episode, WINDOW)]
            assert not known or episode.last >= now
        told += begun
        for episode in brute_force(so_far, threshold):
            assert any(each.touches(episode, WINDOW) for each in told)
        assert all(
            any(each.touches(found, WINDOW) for found in brute_force(so_far, threshold)) for each in told
        )
        series.newly_ended(now, WINDOW, SETTLE)


def test_an_episode_ends_once_when_a_whole_window_passed_without() -> None:
    series = WindowedCounts()
    series.add(100, 10)
    series.newly_begun(100, enough(10))

    assert series.newly_ended(105 + WINDOW + SETTLE, WINDOW, SETTLE) == []
    assert series.newly_ended(106 + WINDOW + SETTLE, WINDOW, SETTLE) == [Episode(100, 105)]
    assert series.newly_ended(200, WINDOW, SETTLE) == []


def test_a_late_record_that_makes_an_ended_episode_longer_begins_none() -> None:
    series = WindowedCounts()
    series.add(100, 10)
    series.newly_begun(100, enough(10))
    series.newly_ended(150, WINDOW, SETTLE)
    series.add(107, 10)

    assert series.newly_begun(150, enough(10)) == []


def test_late_records_that_are_enough_by_themselves_begin_an_episode_of_the_past() -> None:
    series = WindowedCounts()
    series.add(100, 10)

    assert series.newly_begun(190, enough(10)) == [Episode(100, 105)]
    assert series.newly_ended(190, WINDOW, SETTLE) == [Episode(100, 105)]


def test_what_a_restart_brings_back_goes_on() -> None:
    series = WindowedCounts()
    series.add(100, 10)
    series.newly_begun(100, enough(10))
    restored = WindowedCounts.restored(series.content())
    restored.add(101)

    assert restored.newly_begun(101, enough(10)) == []
    assert restored.is_open


def test_what_is_forgotten_leaves_nothing() -> None:
    series = WindowedCounts()
    series.add(100, 10)
    series.newly_begun(100, enough(10))
    series.newly_ended(150, WINDOW, SETTLE)
    series.forget_before(120)

    assert series.is_empty


def test_records_of_a_clock_that_was_ahead_move_to_now() -> None:
    series = WindowedCounts()
    series.add(100, 2)
    series.add(900, 3)
    series.move_back(110, WINDOW)

    assert (series.slots, series.counts) == ([100, 110], [2, 3])


def test_when_the_clock_goes_back_what_was_told_of_that_time_counts_no_more() -> None:
    """The same time of day comes a second time: its errors are others."""
    series = WindowedCounts()
    series.add(100, 10)
    series.newly_begun(100, enough(10))
    series.newly_ended(150, WINDOW, SETTLE)
    series.move_back(90, WINDOW)
    series.add(100)
    assert series.newly_begun(100, enough(10)) == []

    series.add(100, 10)
    assert series.newly_begun(100, enough(10)) == [Episode(100, 105)]
