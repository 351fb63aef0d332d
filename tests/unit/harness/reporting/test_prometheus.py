from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.model.protocols import Status, Verdict
from harness.model.result import Result
from harness.reporting.prometheus import PrometheusReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    NASTY,
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)


def samples(result: Result, name: str) -> list[tuple[dict[str, str], float]]:
    """Return a metric's samples as prometheus_client reads them, without the labels that all have."""
    common = {"suite", "stack", "backend"}
    return [
        ({key: value for key, value in sample.labels.items() if key not in common}, sample.value)
        for family in text_string_to_metric_families(PrometheusReport().text(result))
        for sample in family.samples
        if sample.name == f"logquake_{name}"
    ]


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_text_is_read_by_the_client_and_no_series_stands_twice(build):
    families = list(text_string_to_metric_families(PrometheusReport().text(build())))
    series = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in families
        for sample in family.samples
    ]

    assert len(families) > 10
    assert all(family.type == "gauge" and family.documentation for family in families)
    assert len(series) == len(set(series))
    assert all({"suite", "stack", "backend"} <= dict(labels).keys() for _, labels in series)


def test_the_score_and_the_decision_are_numbers():
    assert samples(passing_result(), "score_low_points") == [({}, 100.0)]
    assert samples(passing_result(), "gate_passed") == [({}, 1.0)]
    assert samples(passing_result(), "coverage_ratio") == [({}, 1.0)]
    assert samples(inconclusive_result(), "gate_passed") == [({}, 0.0)]
    assert samples(inconclusive_result(), "gate_status") == [({"status": "INCONCLUSIVE"}, 1.0)]


def test_a_veto_withholds_the_score_of_run_and_dimensions():
    assert samples(vetoed_result(), "vetoes") == [({}, 1.0)]
    for name in ("score_low_points", "score_high_points", "dimension_low_points", "dimension_high_points"):
        assert samples(vetoed_result(), name) == []


def test_a_dimension_has_its_worst_verdict():
    assert samples(vetoed_result(), "dimension_status") == [
        ({"dimension": "delivery", "status": "FAIL"}, 1.0),
        ({"dimension": "caller protection", "status": "FAIL"}, 1.0),
        ({"dimension": "integrity", "status": "WARN"}, 1.0),
        ({"dimension": "recovery", "status": "PASS"}, 1.0),
    ]


def test_what_was_lost_and_the_p99_are_values_of_their_objectives():
    values = {
        (labels["scenario"], labels["objective"], labels["unit"]): value
        for labels, value in samples(vetoed_result(), "objective_value")
    }

    assert values["spine", "acknowledged_lost", "records"] == 37
    assert values["spine", "response_p99_ms", "ms"] == 4480


def test_records_are_told_by_how_far_they_came():
    counted = {
        labels["state"]: value
        for labels, value in samples(vetoed_result(), "scenario_records")
        if labels["scenario"] == "spine"
    }

    assert counted == {
        "due": 8020,
        "sent": 7224,
        "answered": 7220,
        "refused": 4,
        "acknowledged": 7220,
        "copies_found": 7183,
    }


def test_a_label_stays_text_whatever_is_in_it():
    odd = replace(passing_result(), stack=f'a"b\\c\nd {NASTY}')
    (family, *_) = text_string_to_metric_families(PrometheusReport().text(odd))

    assert family.samples[0].labels["stack"].startswith('a"b\\c\\nd <script>')


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_a_value_that_is_not_finite_is_written_as_the_format_has_it(value):
    one = replace(scenario_result(), verdicts=(Verdict("x", "delivery", Status.FAIL, "", value),))
    ((_, read),) = samples(replace(passing_result(), scenarios=(one,)), "objective_value")

    assert read == value or (isnan(read) and isnan(value))
