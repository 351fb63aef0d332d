from collections import Counter

from harness.load.variation import LEVELS, level_of, logger_of


def test_no_two_neighbours_have_the_same_level():
    assert all(level_of(n) != level_of(n + 1) for n in range(1_000))


def test_a_shift_by_any_small_distance_shows_in_level_and_logger():
    def fields(sequence):
        return level_of(sequence), logger_of(sequence)

    for distance in range(1, 101):
        same = sum(fields(n) == fields(n + distance) for n in range(1_000))
        assert same < 1_000, f"records {distance} apart cannot be told from each other"


def test_each_level_is_sent_as_often_as_any_other():
    assert set(Counter(level_of(n) for n in range(1_000)).values()) == {200}
    assert {level_of(n) for n in range(5)} == set(LEVELS)
