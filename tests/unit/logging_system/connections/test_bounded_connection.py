"""One thread's bounds, one within another."""

from __future__ import annotations

import pytest

from logging_system.connections.bounded_connection import bounded, seconds_left


def test_a_request_within_another_leaves_the_outer_one_its_bound() -> None:
    with bounded(1000.0, 1):
        with bounded(10.0, 1):
            inner = seconds_left()
        outer = seconds_left()

    assert inner is not None
    assert outer is not None
    assert inner <= 10.0
    assert outer > 500.0
    assert seconds_left() is None


def test_the_bound_is_gone_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), bounded(10.0, 1):
        raise RuntimeError

    assert seconds_left() is None
