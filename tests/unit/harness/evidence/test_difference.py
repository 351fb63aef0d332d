"""The first difference is shown, however far behind it lies."""

from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.difference import Difference, first_difference


def test_damage_far_behind_is_shown_with_what_stands_before_it():
    sent = "a" * 500 + "whole" + "b" * 500
    stored = "a" * 500 + "wh0le" + "b" * 500

    there = first_difference(stored, [sent], 40)

    assert there == Difference(503, f"…{'a' * 22}whole{'b' * 13}…", f"…{'a' * 22}wh0le{'b' * 13}…")


def test_a_short_text_is_shown_whole():
    assert first_difference("abX", ["abc"], 80) == Difference(3, "abc", "abX")


def test_a_text_that_ends_too_early_differs_where_it_ends():
    assert first_difference("ab", ["abc"], 80) == Difference(3, "abc", "ab")


def test_it_is_compared_with_the_lawful_form_that_it_follows_longest():
    there = first_difference("a#012bX", ["a\nbc", "a#012bc"], 80)

    assert there == Difference(7, "a#012bc", "a#012bX")


@given(st.text(max_size=200), st.text(max_size=200), st.integers(30, 80))
def test_what_is_shown_differs_and_is_bounded(sent, stored, characters_max):
    """For any two texts: both agree before the place, what is shown tells them apart, and it is short."""
    if sent == stored:
        return
    there = first_difference(stored, [sent], characters_max)

    assert sent[: there.at_character - 1] == stored[: there.at_character - 1]
    assert there.expected != there.found
    assert max(len(there.expected), len(there.found)) <= characters_max + 2
