"""What patterns match of an input may change when it is stored, and how much that is, is counted in bytes."""

import pytest

from harness.evidence.masked_input import InputMask, joined

LINE = "user ann@mail.example paid 4539148803436467"


def test_each_match_is_a_span_and_what_touches_is_one():
    mask = InputMask([r"\S+@\S+", "4539", "148803436467"])

    assert [LINE[begin:end] for begin, end in mask.spans(LINE)] == ["ann@mail.example", "4539148803436467"]


def test_an_empty_match_is_no_span():
    assert InputMask(["x*"]).spans("abc") == []


def test_the_share_is_of_bytes():
    assert InputMask(["ö"]).share(["aö", "b"]) == pytest.approx(0.5)
    assert InputMask(["x"]).share([]) == 0.0


def test_spans_that_overlap_are_joined():
    assert joined([(5, 9), (0, 2), (8, 12)]) == [(0, 2), (5, 12)]
