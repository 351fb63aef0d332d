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
    """One step as a chart shows it: seconds since sending began, the fault's word, its target.

    Attributes:
        from_seconds: when it was injected.
        to_seconds: when it was healed.
        landed: whether it was proved, from outside, to take effect.
        proof: what was seen.
    """

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

    Attributes:
        at_seconds: when.
        kind: what sort of moment.
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

    Attributes:
        second: its number, since sending began.
        due: records due within it; `answered` and `acknowledged` are of the same records, whenever that was.
        answered: how many of them came back normally.
        acknowledged: how many of them the stack took responsibility for.
        response_p50_ms: the median from due to return.
        response_p99_ms: the 99th percentile.
        control_p99_ms: the same of the control, which is this machine's own noise.
        stored: documents in the archive at the second's end; None where it was not looked.
        backlog: acknowledged and not stored by then; None where it was not looked.
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

    Attributes:
        read_back_seconds: reading the archive and the other outlets.
        judging_seconds: judging what was read.
    """

    read_back_seconds: float
    judging_seconds: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class RequestCount:
    """What a tool that drives the load counts itself of one sort of request; times as it rounds them.

    Attributes:
        method: as the tool tells it, e.g. `POST`.
        name: as the tool tells it, e.g. a path.
        requests: how many there were.
        failures: how many of them the tool calls failed.
        p50_ms: the median response time.
        p95_ms: the 95th percentile.
    """

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

    Attributes:
        tool: its name.
        requests: one count for each sort of request.
        processes: how many processes send.
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

    Attributes:
        files: how many.
        size_bytes: of all together.
    """

    folder: str
    files: int
    size_bytes: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """An earlier attempt at a scenario, whose evidence did not suffice: what it said, and what it left.

    Attributes:
        status: what it came to.
        reasons: what was left open, a sentence each.
        seconds: how long it took.
        history: the folder of its facts, relative to the run's.
        kept: what its stack had written; None where nothing is kept.
    """

    status: Status
    reasons: tuple[str, ...]
    seconds: float
    history: str
    kept: KeptFiles | None = None


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Everything a report says of one scenario. `attempts` are those before this one, oldest first.

    `cost` is None where nothing was read back.

    Attributes:
        status: the worst of its verdicts, as `verdicts.md` explains.
        verdicts: one for each objective that was planned.
        remarks: what a reader should know beside them: skipped steps, machine noise.
        tally: how far the sending came.
        found: how many documents were read back.
        bands: the steps.
        series: second by second.
        seconds: how long it took.
        history: the folder of its facts, relative to the run's.
        kept: what its stack had written; None where nothing is kept.
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
    """An objective's share of the score: its weight, and the points it is known to and may still earn.

    Attributes:
        status: of the objective over all scenarios.
        low: points that it is known to have.
        high: points that it may still reach.
    """

    objective: str
    status: Status
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """A dimension's share of the score, in points of 100; the points of all dimensions sum to the score.

    Attributes:
        weight: the points it has at most.
        low: points that it is known to have.
        high: points that it may still reach.
        objectives: what it consists of.
    """

    dimension: str
    weight: float
    low: float
    high: float
    objectives: tuple[ObjectiveScore, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """An interval over a fixed denominator; withheld when a veto stands.

    Attributes:
        low: points, of 100, that are known.
        high: points that may still be reached.
        coverage: the share of the planned weight that was decided, 0 to 1.
        dimensions: what it consists of.
        not_examined: sentences on what the stack does not promise, so that nothing judges it.
        vetoes: reasons for which the gate fails whatever the points are.
    """

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

    Attributes:
        unit: of the values.
        candidate: those of the version that is judged.
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

    Attributes:
        scenario: the scenario's name.
        status: PASS, FAIL, or INCONCLUSIVE where the runs do not say.
        baseline_median: of the baseline's runs, in `unit`.
        candidate_median: of the version's that is judged, in `unit`.
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

    Attributes:
        confidence: of every interval, 0 to 1.
        samples: every value, by scenario and objective.
        comparisons: what they say.
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
    """What the gate says and every sentence that led there.

    Attributes:
        status: PASS, FAIL, INCONCLUSIVE or ERROR.
        reasons: the sentences.
    """

    status: Status
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run, as `result.json` stores it.

    `command` runs the same way again once it is told what to run and with which seed; each scenario's
    `source` is what a command line calls it. `broke` says what broke around the scenarios: what could not
    be stopped, what was left. It never passes.

    Attributes:
        run_id: the run's own, which every line of it ends in.
        started_at: ISO 8601, UTC.
        suite: the suite's name, or `selected`.
        stack: the stack's name.
        backend: `embedded`, `local` or `attached`.
        input: the log file whose lines were sent; empty for generated ones.
        suite_hash: of what the suite says; the same for the same files.
        plan_hash: of all that was planned; two runs with the same one tested the same things.
        surroundings: versions and the machine, a word for each.
        score: the points.
        gate: the decision.
        seconds: how long the run took.
        promises: what the stack promises.
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
    """One form of the result for people or machines.

    Attributes:
        file_name: what it is called in a run's folder.
    """

    file_name: ClassVar[str]

    def text(self, result: Result) -> str:
        """Return the whole file's text.

        Args:
            result: the run.
        """
        ...
