"""What comes out of a run: the nouns that the score, the gate and every report share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from harness.model.declarations import Promises, Scenario
from harness.model.protocols import Status, Tally, Verdict

ADDED: Mapping[str, bool] = {"added": True}
"""Marks a field that results of this schema lack which were written before it was there."""


@dataclass(frozen=True, slots=True)
class Band:
    """One step as a chart shows it: seconds since sending began, the fault's word, its target."""

    from_seconds: float
    to_seconds: float
    fault: str
    target: str
    landed: bool
    proof: str


class MomentKind(StrEnum):
    """What happened at a moment of an incident."""

    INJECTED = "injected"
    FOUND = "found"
    ACTED = "acted"
    HEALED = "healed"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class IncidentMoment:
    """A moment of an incident, in seconds since sending began: a fault, what was found and done about it.

    `what` is the fault with its target, the cause that a finding names, or what names an action; `finding` is
    the finding's identity, or what the action is about.
    """

    at_seconds: float
    kind: MomentKind
    what: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class SecondOfRun:
    """One second of a scenario. Latencies are due → return in ms; None where nothing was due.

    A call that never returned counts with the time it was seen to take. `memory_mib` is of the application
    and the stack's processes together, None where it was not measured.
    """

    second: int
    due: int
    answered: int
    acknowledged: int
    response_p50_ms: float | None
    response_p99_ms: float | None
    control_p99_ms: float | None
    stored: int | None
    backlog: int | None
    memory_mib: float | None = None


@dataclass(frozen=True, slots=True)
class HarnessCost:
    """What a scenario took of the harness itself: its time for looking and judging, and its memory.

    `memory_mib` is the most that the harness's process has held so far, in all scenarios.
    """

    read_back_seconds: float
    judging_seconds: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class RequestCount:
    """What a tool that drives the load counts itself of one sort of request; times as it rounds them."""

    method: str
    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class LoadGenerator:
    """The load's own tool: what it counts, which nothing is judged by, and how near its own limit it was.

    `cores_peak` is the most of a core that the busiest of its processes took within a second. A core of this
    machine carried `records_per_core_second` records a second; None where too little was measured.
    `late` records were sent more than `late_ms` after they were due though no call held their producer up.
    """

    tool: str
    requests: tuple[RequestCount, ...]
    processes: int
    cores_peak: float
    records_per_core_second: float | None
    late: int
    late_ms: float


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """What the stack of a scenario that did not pass had written, as far as it is kept beside the result.

    `folder` is relative to the run's; `left_out` names each thing that is not there, and why.
    """

    folder: str
    files: int
    size_bytes: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """An earlier attempt at a scenario, whose evidence did not suffice: what it said, and what it left."""

    status: Status
    reasons: tuple[str, ...]
    seconds: float
    history: str
    kept: KeptFiles | None = None


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Everything a report says of one scenario. `attempts` are those before this one, oldest first.

    `cost` is None where nothing was read back.
    """

    scenario: Scenario
    status: Status
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    tally: Tally
    found: int
    bands: tuple[Band, ...]
    series: tuple[SecondOfRun, ...]
    seconds: float
    history: str
    attempts: tuple[Attempt, ...] = ()
    cost: HarnessCost | None = None
    kept: KeptFiles | None = None
    generator: LoadGenerator | None = None
    """None where the load is no tool with figures of its own."""
    incident: tuple[IncidentMoment, ...] = field(default=(), metadata=ADDED)
    """In time's order; empty where the stack promises neither findings nor actions, or no fault was on."""


def as_attempt(result: ScenarioResult) -> Attempt:
    """Return a result as an earlier attempt: each objective it left open, and what the run remarked."""
    unresolved = (verdict for verdict in result.verdicts if verdict.status is Status.INCONCLUSIVE)
    reasons = (*result.remarks, *(f"{verdict.objective}: {verdict.summary}" for verdict in unresolved))
    return Attempt(result.status, reasons, result.seconds, result.history, result.kept)


@dataclass(frozen=True, slots=True)
class ObjectiveScore:
    """An objective's share of the score: its weight, and the points it is known to and may still earn."""

    objective: str
    status: Status
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """A dimension's share of the score, in points of 100; the points of all dimensions sum to the score."""

    dimension: str
    weight: float
    low: float
    high: float
    objectives: tuple[ObjectiveScore, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """An interval over a fixed denominator; withheld when a veto stands."""

    low: float
    high: float
    coverage: float
    dimensions: tuple[DimensionScore, ...]
    not_examined: tuple[str, ...]
    vetoes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """One objective of one scenario over the runs of two versions: its values, in the order of the runs.

    None stands where a run gave no value. `alone` holds runs of the baseline that were made first, against
    which nothing was run: they show this machine's noise.
    """

    scenario: str
    objective: str
    unit: str
    baseline: tuple[float | None, ...]
    candidate: tuple[float | None, ...]
    alone: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the runs of an objective say of a rise. `limit` is as a gate file has it: `+10%`, `+5`.

    `rise`, its interval from `low` to `high` and `noise`, the rise of the baseline against itself, are shares
    where the limit is one, else amounts in the objective's unit; None where nothing could be compared.
    `summary` says why there is no answer.
    """

    scenario: str
    objective: str
    unit: str
    status: Status
    limit: str
    baseline_median: float | None
    candidate_median: float | None
    summary: str = ""
    rise: float | None = None
    low: float | None = None
    high: float | None = None
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class Regression:
    """A run beside its baseline. Where nothing was compared, `remark` says why, and `status` what that means.

    `baseline` says what it is compared with; `interleaved` whether both were run in turn on one machine.
    """

    status: Status
    baseline: str
    interleaved: bool
    remark: str = ""
    confidence: float = 0.95
    samples: tuple[Sampled, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the gate says and every sentence that led there."""

    status: Status
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run, as `result.json` stores it.

    `command` runs the same way again once it is told what to run and with which seed; each scenario's
    `source` is what a command line calls it. `broke` says what broke around the scenarios: what could not
    be stopped, what was left. It never passes.
    """

    run_id: str
    started_at: str
    suite: str
    stack: str
    backend: str
    seed: int
    input: str
    suite_hash: str
    plan_hash: str
    command: str
    surroundings: Mapping[str, str]
    scenarios: tuple[ScenarioResult, ...]
    score: Score
    gate: GateDecision
    seconds: float
    promises: Promises = field(default_factory=Promises)
    unplanned: tuple[str, ...] = ()
    """What was not planned, and why: e.g. an objective whose optional part the stack does not declare."""
    broke: tuple[str, ...] = ()
    interactive: bool = False
    """Whether its faults were started by hand on the live page: it gates nothing and is no baseline."""
    regression: Regression | None = None
    """What a comparison with a baseline said; None where none was asked for."""


class Report(Protocol):
    """One form of the result for people or machines."""

    file_name: ClassVar[str]

    def text(self, result: Result) -> str:
        """Return the whole file's text."""
        ...
