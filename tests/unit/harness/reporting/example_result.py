"""Literal results for the report tests, and for a person who wants to look at a scorecard.

`python -m tests.unit.harness.reporting.example_result FOLDER` writes every example's scorecard below FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from harness.model.declarations import Part, Scenario, Step
from harness.model.protocols import Status, Tally, Verdict
from harness.model.result import (
    Band,
    DimensionScore,
    GateDecision,
    IncidentMoment,
    MomentKind,
    ObjectiveScore,
    Result,
    ScenarioResult,
    Score,
    SecondOfRun,
)

Objective = tuple[str, Status, float, float, float]

SECONDS = 48
RATE = 200
NASTY = "<script>alert(1)</script> \"'&\x1b[31mred\x00\ud800\u202e &amp;"

RESET = Band(8.0, 18.0, "connection_reset", "to_store", True, "41 connections reset, 1.2 MB cut off")
KILLED = Band(24.0, 33.0, "killed", "store", True, "pid 4711 gone, no stop line in its log; port closed")
BLACK_HOLE = Band(10.0, 30.0, "black_hole", "to_store", True, "812 kB swallowed, no byte came back")
UNPROVED = Band(8.0, 18.0, "connection_reset", "to_store", False, "no connection was open while injected")


def series(
    bands: Sequence[Band] = (RESET, KILLED), *, blocks: bool = False, loses: int = 0, seconds: int = SECONDS
) -> tuple[SecondOfRun, ...]:
    """Return a plausible course: a backlog grows in each fault and drains after it."""
    rng = Random(7)
    rows: list[SecondOfRun] = []
    backlog, stored = 0, 0
    for second in range(seconds):
        hurt = any(band.from_seconds <= second < band.to_seconds for band in bands if band.landed)
        sending = second < seconds - 8
        stalled = blocks and hurt and second % 5 != 0
        due = RATE if sending else 0
        answered = 0 if stalled else due
        arrives = 0 if hurt else min(backlog + answered, 3 * RATE)
        backlog += answered - arrives
        stored += arrives - (loses if arrives > answered and loses else 0)
        p50 = rng.uniform(0.9, 1.3) * (400.0 if blocks and hurt else 1.0)
        p99 = p50 * rng.uniform(3, 5) * (2.4 if hurt else 1.0)
        down = hurt and second % 3 == 1
        silent = stalled or not sending
        rows.append(
            SecondOfRun(
                second=second,
                due=due,
                answered=answered,
                acknowledged=answered,
                response_p50_ms=None if silent else round(p50, 3),
                response_p99_ms=None if silent else round(p99, 3),
                control_p99_ms=round(rng.uniform(1.8, 3.1), 3) if sending else None,
                stored=None if down else stored,
                backlog=None if down else backlog,
            )
        )
    return tuple(rows)


def scenario(
    name: str, title: str, hypothesis: str, *, why: str = "", seen_in: tuple[str, ...] = ()
) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        hypothesis=hypothesis,
        schedule=Part("steady", {"rate": RATE}),
        producers=4,
        sending_seconds=40.0,
        steps=(Step("connection_reset", "to_store", 8.0, 10.0), Step("killed", "store", 24.0, 9.0)),
        checks=tuple(
            map(
                Part,
                ("acknowledged_lost", "duplicated", "corrupted", "fresh_record_seconds", "response_p99_ms"),
            )
        ),
        why=why,
        seen_in=seen_in,
        source=name,
    )


def verdicts() -> tuple[Verdict, ...]:
    return (
        Verdict(
            "acknowledged_lost", "delivery", Status.PASS,
            "all 8,000 acknowledged records were read back", 0, "records", 0,
            evidence=("0 records were never acknowledged and may be stored or not",),
        ),
        Verdict(
            "duplicated", "integrity", Status.PASS,
            "no record is stored more often than once", 1, "copies", 1,
        ),
        Verdict(
            "corrupted", "integrity", Status.PASS,
            "8,000 of 8,000 stored lines are byte for byte what was sent", 0, "records", 0,
        ),
        Verdict(
            "fresh_record_seconds", "recovery", Status.PASS,
            "20 fresh records were stored after healing", 0.84, "s", 30.0,
        ),
        Verdict(
            "response_p99_ms", "caller protection", Status.PASS,
            "p99 of the response stayed below the limit in every phase", 12.4, "ms", 100.0,
            evidence=("steady 4.4 ms (n = 1,600)", "injected 12.4 ms (n = 3,800)", "control 2.9 ms"),
        ),
    )  # fmt: skip


SPINE = scenario(
    "spine",
    "Connection resets, then the store is killed",
    "While every connection to the store is reset for 10 s, and later the store is killed for 9 s, "
    "no acknowledged record is lost, changed or stored twice, and the log call stays below 100 ms.",
    why="A shipper that drops a batch when its connection is reset loses it silently: "
    "the application has long been told that all is well.",
    seen_in=("fluent/fluent-bit#6342", "elastic/elasticsearch#10933"),
)
HOLE = scenario(
    "black_hole",
    "The store stops answering, connections stay open",
    "A half-open connection is noticed by a deadline; the caller never feels it.",
)

SURROUNDINGS = {
    "kernel": "Linux 6.8.0-1021 x86_64",
    "cores": "2",
    "memory": "7.8 GiB",
    "python": "3.11.9",
    "logquake": "0.1.0",
    "store": "elastic_lite 0.1.0",
    "proxy": "embedded, uvloop 0.23.0",
}


def scenario_result(subject: Scenario = SPINE, bands: tuple[Band, ...] = (RESET, KILLED)) -> ScenarioResult:
    return ScenarioResult(
        scenario=subject,
        status=Status.PASS,
        verdicts=verdicts(),
        remarks=(),
        tally=Tally(due=8020, sent=8020, answered=8020, refused=0, acknowledged=8020),
        found=8020,
        bands=bands,
        series=series(bands),
        seconds=61.3,
        history=f"history/{subject.name}",
    )


INCIDENT = (
    IncidentMoment(8.0, MomentKind.INJECTED, "connection_reset on to_store"),
    IncidentMoment(10.5, MomentKind.FOUND, "network", "f1"),
    IncidentMoment(11.25, MomentKind.ACTED, "k1", "f1"),
    IncidentMoment(18.0, MomentKind.HEALED, "connection_reset on to_store"),
    IncidentMoment(20.75, MomentKind.RECOVERED),
)


def acting_result() -> Result:
    """A stack that finds a fault and acts on it."""
    one = replace(scenario_result(bands=(RESET,)), incident=INCIDENT)
    return replace(passing_result(), scenarios=(one, scenario_result(HOLE, (BLACK_HOLE,))))


def dimension(name: str, weight: float, *objectives: Objective) -> DimensionScore:
    rows = tuple(ObjectiveScore(*one) for one in objectives)
    return DimensionScore(name, weight, sum(row.low for row in rows), sum(row.high for row in rows), rows)


def score(*dimensions: DimensionScore, vetoes: tuple[str, ...] = (), coverage: float = 1.0) -> Score:
    return Score(
        low=sum(one.low for one in dimensions),
        high=sum(one.high for one in dimensions),
        coverage=coverage,
        dimensions=dimensions,
        not_examined=("degradation", "confidentiality", "self-observability"),
        vetoes=vetoes,
    )


def weighted(*statuses: Status) -> tuple[DimensionScore, ...]:
    """Return the four dimensions with these statuses of their five objectives, scaled to 100 from 75."""
    share = {Status.PASS: (1.0, 1.0), Status.WARN: (0.5, 0.5), Status.FAIL: (0.0, 0.0)}
    names = (
        ("delivery", 25, "acknowledged_lost"),
        ("caller protection", 20, "response_p99_ms"),
        ("integrity", 7.5, "duplicated"),
        ("integrity", 7.5, "corrupted"),
        ("recovery", 15, "fresh_record_seconds"),
    )
    rows: dict[str, list[Objective]] = {}
    for (name, weight, objective), status in zip(names, statuses, strict=True):
        points = weight * 100 / 75
        low, high = share.get(status, (0.0, 1.0))
        rows.setdefault(name, []).append((objective, status, points, points * low, points * high))
    return tuple(dimension(name, sum(one[2] for one in some), *some) for name, some in rows.items())


def passing_result() -> Result:
    return Result(
        run_id="20261122-173012-5f3a",
        started_at="2026-11-22T17:30:12Z",
        suite="default",
        stack="logging_system",
        backend="embedded",
        seed=42,
        input="generated lines, 20 B to 16 KB",
        suite_hash="9b1d6c0e4f7a2b35",
        plan_hash="c4e8a17733d0915f",
        command="logquake run --stack reference --backend embedded",
        surroundings=SURROUNDINGS,
        scenarios=(
            scenario_result(),
            replace(scenario_result(HOLE, (BLACK_HOLE,)), verdicts=verdicts()[:1] + verdicts()[3:]),
        ),
        score=score(*weighted(*[Status.PASS] * 5)),
        gate=GateDecision(Status.PASS, ("The score is at least 100, and 98 is asked for.",)),
        seconds=131.4,
    )


def vetoed_result() -> Result:
    """A stack that loses records, blocks its caller, and whose lines hold what a page must not obey."""
    lost = Verdict(
        "acknowledged_lost", "delivery", Status.FAIL,
        "37 of 7,220 acknowledged records cannot be read back", 37, "records", 0,
        evidence=("lost: 1612 to 1630, 4811 to 4828", "the last one was acknowledged before the reset"),
        counterexample=(
            "record 1612",
            "due 8.061 s · sent 8.062 s · acknowledged 8.064 s · never found",
            "Nov 22 17:30:20 sshd[24227]: Failed password for root from 5.36.59.76 kmzqvt-ggggpnn-wpnt",
            NASTY,
        ),
        vetoes=("acknowledged loss",),
    )  # fmt: skip
    slow = Verdict(
        "response_p99_ms", "caller protection", Status.FAIL,
        "p99 of the response was above the limit while the store was killed", 4480.0, "ms", 100.0,
        evidence=("steady 4.4 ms (n = 1,600)", "injected 4.48 s (n = 760)", "control 2.9 ms (n = 8,000)"),
    )  # fmt: skip
    torn = Verdict(
        "corrupted", "integrity", Status.WARN, f"one line looks odd: {NASTY}", 1, "records", 0,
        evidence=("x" * 16_000,),
    )  # fmt: skip
    whole = scenario_result()
    hurt = replace(
        whole,
        status=Status.FAIL,
        verdicts=(lost, verdicts()[1], torn, verdicts()[3], slow),
        remarks=("the application exited with code 1 while closing its handler", f"remark {NASTY}"),
        tally=Tally(due=8020, sent=7224, answered=7220, refused=4, acknowledged=7220),
        found=7183,
        series=series(blocks=True, loses=12),
    )
    statuses = (Status.FAIL, Status.FAIL, Status.PASS, Status.WARN, Status.PASS)
    return replace(
        passing_result(),
        stack="naive_handler",
        scenarios=(hurt, replace(scenario_result(HOLE, (BLACK_HOLE,)), verdicts=verdicts()[:2])),
        score=score(*weighted(*statuses), vetoes=("acknowledged loss",)),
        gate=GateDecision(
            Status.FAIL,
            (
                'Veto "acknowledged loss": acknowledged_lost: 37 of 7,220 acknowledged records '
                "cannot be read back",
                "A veto stands, so the score is withheld.",
            ),
        ),
    )


def inconclusive_result() -> Result:
    """A fault that was not proved to land, and a scenario that could not run here: without series or why."""
    unproved = Verdict(
        "acknowledged_lost", "delivery", Status.INCONCLUSIVE,
        "connection_reset was not proved to have landed, so nothing follows from finding every record",
    )  # fmt: skip
    open_run = replace(
        scenario_result(bands=(UNPROVED,)),
        status=Status.INCONCLUSIVE,
        verdicts=(unproved, *verdicts()[1:]),
        remarks=("step 1, connection_reset on to_store: no connection was open while injected",),
    )
    missing = ScenarioResult(
        scenario=HOLE, status=Status.NOT_RUN, verdicts=(),
        remarks=("this backend has no target that can be severed",),
        tally=Tally(), found=0, bands=(), series=(), seconds=0.0, history="",
    )  # fmt: skip
    statuses = (Status.INCONCLUSIVE, Status.PASS, Status.PASS, Status.PASS, Status.NOT_RUN)
    return replace(
        passing_result(),
        scenarios=(open_run, missing),
        score=score(*weighted(*statuses), coverage=0.466667),
        gate=GateDecision(
            Status.INCONCLUSIVE,
            ("The score lies between 46.666667 and 100, and 98 is asked for: 53 points unresolved.",),
        ),
    )


EXAMPLES = {
    "pass": passing_result,
    "veto": vetoed_result,
    "inconclusive": inconclusive_result,
    "acting": acting_result,
}


if __name__ == "__main__":
    from harness.reporting import REPORTS
    from harness.reporting.atomic_file import write_report

    for example, build in EXAMPLES.items():
        for word in REPORTS.kinds:
            write_report(REPORTS.resolve(word)(), build(), Path(sys.argv[1]) / example)
