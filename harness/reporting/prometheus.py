"""The numbers of a run in Prometheus's text format, for a textfile collector or a push gateway.

A status is a label of a series that is 1 (`logquake_gate_status{status="FAIL"} 1`); a status that is not
there has no series. The score has none where a veto withholds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import ClassVar

from harness.judging.verdict import worst
from harness.model.protocols import Status
from harness.model.result import Result
from harness.reporting.escaping import clipped
from harness.reporting.scorecard_words import record_counts

_LABEL_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class _Metric:
    """One gauge: its name without the prefix, what it says, and its samples by their labels."""

    name: str
    says: str
    samples: Sequence[tuple[Mapping[str, str], float]]


class PrometheusReport:
    """The numbers of a run for Prometheus."""

    file_name: ClassVar[str] = "metrics.prom"

    def text(self, result: Result) -> str:
        """Return one gauge a number; suite, stack and backend are labels of each."""
        common = {"suite": result.suite, "stack": result.stack, "backend": result.backend}
        metrics = (*_run(result), *_dimensions(result), *_scenarios(result), *_objectives(result))
        return "".join(line for metric in metrics if metric.samples for line in _lines(metric, common))


def _run(result: Result) -> Iterator[_Metric]:
    score, gate = result.score, result.gate.status
    run = {
        "run": result.run_id,
        "seed": str(result.seed),
        "suite_hash": result.suite_hash,
        "plan_hash": result.plan_hash,
    }
    yield _Metric("run_info", "What identifies the run.", [(run, 1)])
    if (started := _started_seconds(result.started_at)) is not None:
        yield _Metric("run_started_timestamp_seconds", "When the run began.", [({}, started)])
    yield _Metric("run_duration_seconds", "How long the run took.", [({}, result.seconds)])
    passed = gate in {Status.PASS, Status.WARN}
    yield _Metric("gate_passed", "1 if the gate lets this run pass.", [({}, float(passed))])
    yield _Metric("gate_status", "The gate's decision.", [({"status": gate.value}, 1)])
    yield _Metric("vetoes", "How many vetoes stand.", [({}, len(score.vetoes))])
    if not score.vetoes:
        yield _Metric("score_low_points", "Lower end of the score, of 100.", [({}, score.low)])
        yield _Metric("score_high_points", "Upper end of the score, of 100.", [({}, score.high)])
    yield _Metric("coverage_ratio", "Share of the planned weight that was decided.", [({}, score.coverage)])


def _dimensions(result: Result) -> Iterator[_Metric]:
    rows = [({"dimension": each.dimension}, each) for each in result.score.dimensions]
    yield _Metric(
        "dimension_status",
        "The worst verdict of a dimension.",
        [
            ({**label, "status": worst([row.status for row in each.objectives]).value}, 1)
            for label, each in rows
        ],
    )
    yield _Metric(
        "dimension_weight_points",
        "Points that it counts for.",
        [(label, each.weight) for label, each in rows],
    )
    if not result.score.vetoes:
        low = [(label, each.low) for label, each in rows]
        yield _Metric("dimension_low_points", "Points that a dimension has earned.", low)
        high = [(label, each.high) for label, each in rows]
        yield _Metric("dimension_high_points", "Points that a dimension may still earn.", high)


def _scenarios(result: Result) -> Iterator[_Metric]:
    rows = [({"scenario": one.scenario.name}, one) for one in result.scenarios]
    yield _Metric(
        "scenario_status",
        "The worst verdict of a scenario.",
        [({**label, "status": one.status.value}, 1) for label, one in rows],
    )
    yield _Metric(
        "scenario_duration_seconds", "How long it took.", [(label, one.seconds) for label, one in rows]
    )
    yield _Metric(
        "scenario_records",
        "How far the records came.",
        [
            ({**label, "state": word.replace(" ", "_")}, count)
            for label, one in rows
            for word, count in record_counts(one)
        ],
    )


def _objectives(result: Result) -> Iterator[_Metric]:
    rows = [
        ({"scenario": one.scenario.name, "objective": each.objective, "dimension": each.dimension}, each)
        for one in result.scenarios
        for each in one.verdicts
    ]
    yield _Metric(
        "objective_status",
        "The verdict of an objective.",
        [({**label, "status": each.status.value}, 1) for label, each in rows],
    )
    values = [({**label, "unit": each.unit}, each.value) for label, each in rows if each.value is not None]
    yield _Metric("objective_value", "What was measured, in its own unit.", values)
    limits = [({**label, "unit": each.unit}, each.limit) for label, each in rows if each.limit is not None]
    yield _Metric("objective_limit", "What it is judged against, in its own unit.", limits)


def _started_seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _lines(metric: _Metric, common: Mapping[str, str]) -> Iterator[str]:
    name = f"logquake_{metric.name}"
    yield f"# HELP {name} {metric.says}\n# TYPE {name} gauge\n"
    seen = set()
    for labels, value in metric.samples:
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in {**common, **labels}.items())
        # Two checks may bear one word; a series may stand once only.
        if told not in seen:
            seen.add(told)
            yield f"{name}{{{told}}} {_number(value)}\n"


def _escaped(text: str) -> str:
    """Return a label's value; nothing invisible is left, so only what the format itself obeys is escaped."""
    shown = clipped(text, _LABEL_CHARACTERS_MAX)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if isnan(value):
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value)) if not float(value).is_integer() else str(int(value))
