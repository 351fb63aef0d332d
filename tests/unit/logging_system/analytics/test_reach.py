from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.analytics.reach import ForeignAnswerError, OutOfReachError, Reach

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.]{0,12}", fullmatch=True)


@pytest.mark.parametrize(
    "name", ["", "*", "team*", "a,b", "a-b", "-a", "_all", "Team", "a/../b", "team_a,logs-x-team_b", "a?"]
)
def test_a_name_that_reaches_further_than_itself_is_refused(name: str) -> None:
    with pytest.raises(OutOfReachError):
        Reach.of([name])
    with pytest.raises(OutOfReachError):
        Reach.of(["a"], dataset=name or "-") if name != "*" else Reach.of([name])


def test_no_namespace_is_not_all_of_them() -> None:
    with pytest.raises(OutOfReachError, match="name a namespace"):
        Reach.of([])
    assert Reach.everything().target == "logs-*-*"


def test_a_namespace_beyond_those_allowed_is_refused() -> None:
    assert Reach.of(["a"], allowed=["a", "b"]).target == "logs-*-a"
    with pytest.raises(OutOfReachError, match="'c' is not allowed here; allowed: a, b"):
        Reach.of(["a", "c"], allowed=["a", "b"])


@given(NAMES, NAMES, NAMES)
def test_what_holds_one_namespace_holds_no_other(asked: str, other: str, dataset: str) -> None:
    """A backing index is within reach exactly where its namespace was asked for."""
    reach = Reach.of([asked])
    index = f".ds-logs-{dataset}-{other}-2026.11.30-000001"

    assert reach.holds(index) is (asked == other)
    assert Reach.everything().holds(index)
    if asked != other:
        with pytest.raises(ForeignAnswerError):
            reach.check(index)
    else:
        assert reach.check(index) == other


def test_a_dataset_narrows_what_is_held() -> None:
    reach = Reach.of(["a"], dataset="shop")

    assert reach.target == "logs-shop-a"
    assert reach.holds(".ds-logs-shop-a-2026.11.30-000001")
    assert not reach.holds(".ds-logs-shopping-a-2026.11.30-000001")
    assert not reach.holds("metrics-shop-a")
    assert not reach.holds(None)
