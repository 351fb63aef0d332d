from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from harness.model.result import Band, SecondOfRun
from harness.reporting.charts import POINTS_MAX, backlog_chart, flow_chart, response_chart, stored_per_second
from tests.unit.harness.reporting.example_result import BLACK_HOLE, NASTY, RESET, UNPROVED, series


def second(number: int, p99_ms: float | None, *, stored: int | None = 0, due: int = 10) -> SecondOfRun:
    answered = 0 if p99_ms is None else due
    return SecondOfRun(number, due, answered, answered, p99_ms, p99_ms, 2.0, stored, 0)


def paths(svg: str, style: str) -> list[str]:
    return re.findall(rf'class="line {style}(?: dot)?" d="([^"]*)"', svg)


def ticks(svg: str) -> list[str]:
    return re.findall(r'<text class="tick" x="-8"[^>]*>([^<]*)<', svg)


def test_a_line_breaks_where_a_value_is_missing() -> None:
    rows = [second(0, 3.0), second(1, 4.0), second(2, None), second(3, 5.0), second(4, 6.0)]
    (path,) = paths(response_chart("c", rows, (), 100.0).svg, "p99")

    assert (path.count("M"), path.count("L")) == (2, 2)


def test_a_line_breaks_where_a_second_is_missing() -> None:
    rows = [second(0, 3.0), second(1, 4.0), second(5, 5.0), second(6, 6.0), second(7, 6.0)]
    (path,) = paths(response_chart("c", rows, (), 100.0).svg, "p99")

    assert (path.count("M"), path.count("L")) == (2, 3)


def test_a_value_alone_between_gaps_is_a_dot() -> None:
    rows = [second(0, None), second(1, 4.0), second(2, None)]

    assert re.fullmatch(r"M[\d.]+ [\d.]+h0", paths(response_chart("c", rows, (), 100.0).svg, "p99")[0])


def test_seconds_without_any_answer_are_marked_as_one_stretch() -> None:
    rows = [second(0, 3.0), second(1, None), second(2, None), second(3, 3.0), second(4, None, due=0)]
    chart = response_chart("c", rows, (), 100.0)

    assert chart.svg.count('class="silent"') == 1
    assert "1\N{EN DASH}3 s" in chart.svg
    assert ("silent", "due, no call returned") in chart.legend


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1.0, 2.0, 4.0), ["0 ms", "1 ms", "2 ms", "3 ms", "4 ms"]),
        ((1.2, 4200.0), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]),
        ((0.05, 90.0), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms"]),
    ],
)
def test_the_latency_axis_turns_logarithmic_where_the_range_demands_it(
    values: tuple[float, ...], expected: list[str]
) -> None:
    rows = [SecondOfRun(n, 1, 1, 1, None, value, None, 0, 0) for n, value in enumerate(values)]

    assert ticks(response_chart("c", rows, (), 100.0).svg) == expected


def test_the_limit_is_drawn_where_the_values_come_near_it_and_named_where_they_do_not() -> None:
    near = response_chart("c", [second(0, 60.0)], (), 100.0)
    far = response_chart("c", [second(0, 3.0)], (), 100.0)

    assert '<line class="limit"' in near.svg
    assert '<line class="limit"' not in far.svg
    assert ("limit", "limit 100 ms (above this chart)") in far.legend


def test_a_fault_without_proof_is_drawn_apart() -> None:
    svg = response_chart("c", series(), (RESET, UNPROVED), 100.0).svg

    assert svg.count('class="band landed"') == 1
    assert svg.count('class="band unproved"') == 1
    assert "not proved to have landed" in svg


def test_labels_of_faults_at_one_time_stand_in_rows_of_their_own() -> None:
    svg = response_chart("c", series(), (RESET, BLACK_HOLE), 100.0).svg
    heights = re.findall(r'<text class="band-label"[^>]* y="(\d+)"', svg)

    assert len(set(heights)) == 2


def test_what_a_second_stored_is_unknown_beside_an_unknown_count() -> None:
    rows = [second(n, 1.0, stored=count) for n, count in enumerate((5, 9, None, 20, 26))]

    assert stored_per_second(rows) == [None, 4, None, None, 6]


@pytest.mark.parametrize("bands", [(), (RESET,), (Band(3.0, 3.0, NASTY, NASTY, False, NASTY),)])
def test_every_chart_is_well_formed_and_says_what_it_shows(bands: tuple[Band, ...]) -> None:
    for rows in (
        series(),
        (),
        [second(0, 1.0)],
        [second(0, float("nan")), second(1, -1.0), second(2, 1e300)],
    ):
        for chart in (
            response_chart("c", rows, bands, 100.0),
            flow_chart("c", rows, bands),
            backlog_chart("c", rows, bands),
        ):
            root = ElementTree.fromstring(chart.svg)  # noqa: S314 - our own output

            assert root.find("title") is not None
            assert root.findtext("desc")
            assert not re.search(r"\b(nan|inf)\b", chart.svg)


def test_a_stall_and_a_gap_survive_the_thinning_of_a_long_run() -> None:
    rows = [second(n, 5000.0 if n == 1_001 else 2.0) for n in range(10 * POINTS_MAX)]
    rows[3_333] = second(3_333, None)
    whole = paths(response_chart("c", rows, (), 100.0).svg, "p99")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", whole[0])]

    assert len(heights) <= POINTS_MAX + 1
    assert min(heights) < 50 < max(heights)
    assert whole[0].count("M") == 2
