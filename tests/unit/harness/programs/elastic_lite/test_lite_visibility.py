"""What searches see: refresh by request and by age, points in time, and what may be purged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.mapping.mappings import compile_mapping
from harness.programs.elastic_lite.storage import freshness
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.freshness import OPEN_MAX, Visibility

INDEX = Index(7, "docs", "uuid", 0, {"index.refresh_interval": "1s"}, compile_mapping({}))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_seconds = 100.0

    def __call__(self) -> float:
        return self.now_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visibility(clock: Clock) -> Visibility:
    return Visibility(10, clock)


def test_everything_on_disk_at_the_start_is_searchable(visibility: Visibility) -> None:
    assert visibility.view(INDEX).position == 10


def test_write_is_hidden_until_its_refresh_interval_has_passed(visibility: Visibility, clock: Clock) -> None:
    visibility.wrote(7, 11)
    clock.now_seconds += 0.9
    visibility.wrote(7, 12)
    before = visibility.view(INDEX).position
    clock.now_seconds += 0.1

    assert before == 10
    assert visibility.view(INDEX).position == 12


def test_interval_of_minus_one_never_refreshes_by_itself(visibility: Visibility, clock: Clock) -> None:
    index = replace(INDEX, settings={"index.refresh_interval": "-1"})
    visibility.wrote(7, 11)
    clock.now_seconds += 1e6
    before = visibility.view(index).position
    visibility.refresh([7])

    assert before == 10
    assert visibility.view(index).position == 11


def test_refresh_of_one_index_leaves_another_alone(visibility: Visibility) -> None:
    visibility.wrote(7, 11)
    visibility.wrote(8, 12)
    visibility.refresh([8])

    assert visibility.view(INDEX).position == 10
    assert visibility.view(replace(INDEX, number=8)).position == 12


def test_point_in_time_keeps_its_position_and_holds_back_the_purge(visibility: Visibility) -> None:
    point = visibility.open_point([INDEX], "1m")
    visibility.wrote(7, 11)
    visibility.refresh([7])
    held = visibility.purgeable(7)
    views = visibility.use_point(point, None).views
    visibility.close_point(point)

    assert [view.position for view in views] == [10]
    assert held == 10
    assert visibility.purgeable(7) == 11


def test_point_in_time_expires_and_each_use_extends_it(visibility: Visibility, clock: Clock) -> None:
    point = visibility.open_point([INDEX], "10s")
    clock.now_seconds += 9
    visibility.use_point(point, None)
    clock.now_seconds += 9
    visibility.use_point(point, "20s")
    clock.now_seconds += 19
    visibility.use_point(point, "1s")
    clock.now_seconds += 1

    with pytest.raises(ElasticError) as raised:
        visibility.use_point(point, None)
    assert (raised.value.status, raised.value.kind) == (404, "search_context_missing_exception")
    assert visibility.close_point(point) is None


def test_too_many_points_in_time_are_refused_until_one_expires(visibility: Visibility, clock: Clock) -> None:
    for _ in range(OPEN_MAX):
        visibility.open_point([INDEX], "1m")
    with pytest.raises(ElasticError) as raised:
        visibility.open_point([INDEX], "1m")
    clock.now_seconds += 60

    assert raised.value.status == 429
    assert visibility.open_point([INDEX], "1m") != ""


@pytest.mark.parametrize("point", ["never-was-one", "", "bm90IGxpdGU="])
def test_id_that_never_was_a_point_in_time_is_a_400(visibility: Visibility, point: str) -> None:
    with pytest.raises(ElasticError) as raised:
        visibility.use_point(point, None)

    assert raised.value.status == 400


def test_keep_alive_is_at_most_a_day() -> None:
    assert freshness.checked_keep_alive("24h") == 86_400
    with pytest.raises(ElasticError, match="too large"):
        freshness.checked_keep_alive("25h")
