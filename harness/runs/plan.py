"""What a run will do, fixed before it begins: schedules from the seed, sample sizes, and two hashes.

`suite_hash` leaves the seed out (the key of trends and baselines); `plan_hash` holds everything that decides
what happens, so that the same hash means the same schedule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from random import Random

import orjson

from harness.judging.steady import RECORDS_MIN
from harness.model.declarations import Scenario, Stack, is_sender
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Levelled, Schedule, Shaped

_TEXTS = frozenset({"source", "title", "hypothesis", "why", "seen_in"})


@dataclass(frozen=True, slots=True)
class ScenarioPlan:
    """One scenario with its schedule: due times in ns after sending begins, ascending.

    `samples_min` says, by objective, how many records each stretch must hold for a planned check to decide.
    `levels` has the first letter of each record's level, and `shapes` that of its line's shape, where the
    schedule decides it.
    """

    scenario: Scenario
    offsets_ns: Sequence[int]
    samples_min: Mapping[str, int] = field(default_factory=dict)
    levels: str = ""
    shapes: str = ""

    def warnings(self) -> tuple[str, ...]:
        """Say where the planned length cannot decide what is to be judged."""
        return tuple(
            f"{label}: {count} records are due, {objective} needs {needed}; send faster or longer"
            for objective, needed in self.samples_min.items()
            for label, count in self.samples()
            if count < needed
        )

    def undecidable(self) -> frozenset[str]:
        """Return the objectives that no run of this plan can pass, however often it is repeated."""
        fewest = min((count for _, count in self.samples()), default=0)
        return frozenset(objective for objective, needed in self.samples_min.items() if fewest < needed)

    def steady_problem(self, visible_seconds: float) -> str:
        """Say why no steady state can be seen before the first fault; empty where one can.

        Args:
            visible_seconds: how long a record may wait in the stack's buffer; younger ones do not count.
        """
        if not self.scenario.steps:
            return ""
        first = self.scenario.steps[0]
        until_ns = (first.at_seconds - visible_seconds) * SECOND_NS
        records = sum(offset < until_ns for offset in self.offsets_ns)
        if records >= RECORDS_MIN:
            return ""
        where = f"{self.scenario.source or self.scenario.name}: steps[0].at_seconds"
        begins = f"{first.fault} on {first.target} begins at {first.at_seconds:g} s"
        return (
            f"{where}: {records} records are due more than {visible_seconds:g} s before {begins}; "
            f"{RECORDS_MIN} are required to see a steady state. Begin it later, send faster, or lower "
            "promises.visible_seconds in the stack file."
        )

    def samples(self) -> list[tuple[str, int]]:
        """Return how many records are due before the first fault and from each fault to the next.

        A fault on the application is judged from its healing on (docs/decisions/0003), so its stretch begins
        at its end, as does that of a fault within it; healing itself takes more, which no plan knows.
        """
        steps = self.scenario.steps
        ends = [*(step.at_seconds for step in steps), self.scenario.sending_seconds]
        stretches = [("steady", 0.0, ends[0])]
        away = [
            (step.at_seconds, step.at_seconds + step.for_seconds) for step in steps if is_sender(step.target)
        ]
        for step, to_seconds in zip(steps, ends[1:], strict=True):
            after = ", once healed" if is_sender(step.target) else " and after"
            back = [end for at_seconds, end in away if at_seconds <= step.at_seconds < end]
            from_seconds = max([step.at_seconds, *back])
            if from_seconds < to_seconds:
                stretches.append((f"{step.fault} on {step.target}{after}", from_seconds, to_seconds))
        return [
            (label, sum(from_s * SECOND_NS <= offset < to_s * SECOND_NS for offset in self.offsets_ns))
            for label, from_s, to_s in stretches
        ]


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A whole run: scenarios with their schedules, the stack, the backend, the seed, the input.

    `planned` maps objectives to their dimensions; `unplanned` names the checks that nothing here can judge
    and what is missing for each.
    """

    suite: str
    scenarios: tuple[ScenarioPlan, ...]
    stack: Stack
    backend: str
    seed: int
    input_digest: str
    planned: Mapping[str, str]
    unplanned: tuple[str, ...] = ()
    """What is not examined, and why: an objective that the stack or the gate's policy takes out."""
    load_digests: tuple[str, ...] = ()
    """Of the files that decide what each scenario's load does; empty texts where there are none."""

    def suite_hash(self) -> str:
        """Return the hash of what is examined, without the seed."""
        return _hash(
            [
                [_content(plan.scenario) for plan in self.scenarios],
                _content(self.stack),
                self.backend,
                dict(self.planned),
            ]
        )

    def plan_hash(self) -> str:
        """Return the hash of everything that decides what happens."""
        schedules = [[*plan.offsets_ns, *filter(None, (plan.levels, plan.shapes))] for plan in self.scenarios]
        files = [self.load_digests] if any(self.load_digests) else []
        return _hash([self.suite_hash(), self.seed, self.input_digest, schedules, *files])


def plan_scenario(scenario: Scenario, schedule: Schedule, seed: int, input_lines: int | None) -> ScenarioPlan:
    """Fix a scenario's schedule.

    With a real log file each of its lines is sent at least once: a file longer than the schedule's own count
    is sent faster, over the same seconds; a shorter one starts over.

    Args:
        scenario: what to run.
        schedule: the scenario's schedule.
        seed: of the whole run.
        input_lines: how many lines the input holds; None for generated lines.

    Returns:
        The plan: when each record is due, and its level and shape where the schedule says them.
    """
    rng = Random(f"{seed}:{scenario.name}:schedule")  # noqa: S311 - reproducible load, not a secret
    offsets_ns = list(schedule.offsets_ns(scenario.sending_seconds, rng))
    if input_lines is not None and len(offsets_ns) < input_lines:
        offsets_ns = _stretched(offsets_ns, input_lines, int(scenario.sending_seconds * SECOND_NS))
    levels = schedule.levels(offsets_ns) if isinstance(schedule, Levelled) else ""
    shapes = schedule.shapes(offsets_ns) if isinstance(schedule, Shaped) and input_lines is None else ""
    return ScenarioPlan(scenario, offsets_ns, levels=levels, shapes=shapes)


def _stretched(offsets_ns: Sequence[int], count: int, end_ns: int) -> list[int]:
    """Return `count` due times of the same shape: each between two of the given ones, in proportion."""
    edges = [*offsets_ns, end_ns]
    share = len(offsets_ns) / count
    places = [divmod(index * share, 1) for index in range(count)]
    return [
        int(edges[int(whole)] + part * (edges[int(whole) + 1] - edges[int(whole)])) for whole, part in places
    ]


def _content(part: Scenario | Stack) -> dict[str, object]:
    """Return a part's content without what changes nothing that happens: its texts, where its file lies."""
    return {key: value for key, value in asdict(part).items() if key not in _TEXTS}


def _hash(content: object) -> str:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
