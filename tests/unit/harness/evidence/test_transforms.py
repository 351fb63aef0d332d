"""Lawful transforms: what each does, and that none touches a line's identity."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.lines import identify, stamp
from harness.evidence.transforms import (
    TRANSFORMS,
    escape_control,
    innocent_parts,
    is_lawful,
    lawful_forms,
    likeliest_form,
    trim_leading_space,
)

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


LINE = "paid with card 4539 1488 0343 6467 at 10:00 kmzqvt-gggghxr-wpnt"
SPAN = ((15, 34),)


@pytest.mark.parametrize("instead", ["", "***", "[card]", "************6467", "4539 1488 0343 6467"])
def test_a_mask_may_put_anything_short_in_the_place_of_a_secret(instead):
    stored = f"paid with card {instead} at 10:00 kmzqvt-gggghxr-wpnt"

    assert is_lawful(stored, LINE, ["mask"], SPAN)


@pytest.mark.parametrize(
    "stored",
    [
        "paid with card [card] at [time] kmzqvt-gggghxr-wpnt",
        "[masked] at 10:00 kmzqvt-gggghxr-wpnt",
        "paid with card [card] kmzqvt-gggghxr-wpnt",
        "PAID with card [card] at 10:00 kmzqvt-gggghxr-wpnt",
        f"paid with card {'x' * 300} at 10:00 kmzqvt-gggghxr-wpnt",
    ],
)
def test_nothing_beside_the_secret_may_change(stored):
    assert not is_lawful(stored, LINE, ["mask"], SPAN)


def test_a_line_without_a_secret_may_not_be_masked_at_all():
    assert not is_lawful("paid with card [card]", "paid with card 4539", ["mask"], ())


def test_a_stack_that_does_not_declare_the_mask_may_not_use_it():
    assert not is_lawful("paid with card * at 10:00 kmzqvt-gggghxr-wpnt", LINE, [], SPAN)


def test_other_transforms_apply_around_the_secret():
    line = "\tkey\nABC\nDEF end kmzqvt-gggghxr-wpnt"

    assert is_lawful("\tkey#012[key] end kmzqvt-gggghxr-wpnt", line, ["mask"], ((5, 12),)) is False
    assert is_lawful("#011key#012[key] end kmzqvt-gggghxr-wpnt", line, ["escape_control", "mask"], ((5, 12),))


def test_where_too_much_was_masked_the_likeliest_form_differs_there():
    (parts,) = innocent_parts(LINE, ["mask"], SPAN)

    assert likeliest_form("paid with card [card] at 10:00 kmZ", parts) == (
        "paid with card [card] at 10:00 kmzqvt-gggghxr-wpnt"
    )
