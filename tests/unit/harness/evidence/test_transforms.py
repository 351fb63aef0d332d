"""Lawful transforms: what each does, and that none touches a line's identity."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.lines import identify, stamp
from harness.evidence.transforms import TRANSFORMS, escape_control, lawful_forms, trim_leading_space

RUN = "run-01"
CHOICES = [list(chosen) for size in range(3) for chosen in combinations(TRANSFORMS, size)]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\tb", "a#011b"),
        ("line\nline", "line#012line"),
        ("bell\x07 nul\x00 del\x7f", "bell#007 nul#000 del#177"),
        ("größe → 3 #012", "größe → 3 #012"),
        ("next\x85line", "next\x85line"),
    ],
)
def test_control_characters_become_three_octal_digits(text, escaped):
    assert escape_control(text) == escaped


@pytest.mark.parametrize(
    ("text", "trimmed"), [(" \t\r\n a b ", "a b "), ("a", "a"), ("\u00a0a", "\u00a0a"), ("\x0ba", "\x0ba")]
)
def test_only_white_space_before_the_text_is_trimmed(text, trimmed):
    assert trim_leading_space(text) == trimmed


def test_a_line_may_be_stored_as_it_was_sent_or_after_any_of_the_declared_transforms():
    assert lawful_forms("\ta\nb", []) == {"\ta\nb"}
    assert lawful_forms("\ta\nb", ["trim_leading_space"]) == {"\ta\nb", "a\nb"}
    assert lawful_forms("\ta\nb", ["trim_leading_space", "escape_control"]) == {
        "\ta\nb",
        "a\nb",
        "#011a#012b",
        "a#012b",
    }


@given(text=st.text(), names=st.sampled_from(CHOICES))
def test_every_lawful_form_keeps_the_identity(text, names):
    """For all lines and all declared transforms, the stored form names the record it was."""
    for form in lawful_forms(stamp(text, RUN, 7), names):
        assert identify(form, RUN) == 7
