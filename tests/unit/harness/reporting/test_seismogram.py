from __future__ import annotations

import re
from dataclasses import replace

from harness.reporting.seismogram import STROKES_MAX, seismogram
from tests.unit.harness.reporting.example_result import passing_result, scenario_result, series, vetoed_result


def swings(figure: str, kind: str) -> list[int]:
    """Return the heights the trace goes through: 0 is the top of the scale, 50 the line at rest."""
    path = re.search(rf'class="trace {kind}" d="([^"]*)"', figure)
    assert path
    return [int(height) for height in re.findall(r"L[\d.]+ (\d+)", path[1])]


def test_a_blocked_second_fills_the_scale_and_a_quick_one_hardly_shows() -> None:
    quick = swings(seismogram(passing_result()), "calm")
    blocked = swings(seismogram(vetoed_result()), "hurt")

    assert min(blocked) == 2
    assert min(quick) > 20


def test_seconds_without_load_lie_still() -> None:
    assert set(swings(seismogram(passing_result()), "still")) == {50}


def test_a_long_run_is_thinned_to_its_tallest_swings() -> None:
    one = replace(scenario_result(), series=series(seconds=3_000, blocks=True))
    figure = seismogram(replace(passing_result(), scenarios=(one,)))
    drawn = [swing for kind in ("calm", "hurt", "still") for swing in swings(figure, kind)]

    assert len(drawn) <= 3 * STROKES_MAX
    assert min(drawn) == 2


def test_nothing_recorded_is_nothing_drawn() -> None:
    one = replace(scenario_result(), series=())

    assert seismogram(replace(passing_result(), scenarios=(one,))) == ""
