"""Puts a run together: what a person asked for, fixed into a plan before anything starts."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from harness.cleanup.undo_journal import journal_folder
from harness.deployments import BACKENDS
from harness.deployments.preflight import Check, Requirements, check_machine, existing, writable
from harness.deployments.reach import refusals
from harness.evidence.history import HISTORY_BYTES_MAX
from harness.evidence.lines import read_lines, require_regular
from harness.evidence.masked_input import InputMask
from harness.judging.check_selection import NOT_ALONE, NOT_POLLED, Checks, checks_of
from harness.judging.checker import Checker, Measured, NeedsSamples
from harness.judging.gate_rules import GateRules
from harness.judging.requirements import require_known
from harness.judging.waivers import applicable
from harness.load import LOADS
from harness.load.schedules import SCHEDULES
from harness.model.declarations import Scenario, Stack
from harness.model.errors import ScenarioError
from harness.model.protocols import ChoosyLoad
from harness.runs.grouping import judged_alone
from harness.runs.plan import ScenarioPlan, SuitePlan, plan_scenario
from harness.runs.wiring import make_part

INPUT_RATE_MAX = 2_000
REPEATS_MAX = 2
NEIGHBOUR_MIB = 128
"""What a scenario takes: four interpreters with little in them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for, once files are read."""

    suite: str
    scenarios: tuple[Scenario, ...]
    stack: Stack
    backend: str
    seed: int
    input_path: Path | None
    out: Path
    command: str
    gate: GateRules
    max_minutes: float | None
    today: date
    repeats_max: int = REPEATS_MAX
    show_lines: bool = False
    origins: tuple[str, ...] = ()
    history_bytes_max: int = HISTORY_BYTES_MAX
    jobs: int = 1
    """How many scenarios that are not exclusive run at a time. Nothing that is judged rests on it."""
    code_folders: tuple[Path, ...] = ()
    """Where the user's own code is found, after all that is installed."""
    left_out: tuple[str, ...] = ()
    """Which scenarios of the suite the stack cannot run, each with the reason."""
    fail_fast: bool = False
    """Whether the first scenario that fails is the last one that runs."""


def preflight(backend: str, out: Path, beside: int = 0, nodes: int = 1) -> list[Check]:
    """Return what a run on a backend needs of this machine, each with what was seen.

    Args:
        backend: where its services come from.
        out: the folder of results.
        beside: how many scenarios run beside the first one.
        nodes: how many nodes the store has.
    """
    requirements: Requirements = getattr(BACKENDS.resolve(backend), "requirements", Requirements())
    further_mib = max(0, nodes - 1) * requirements.memory_mib_of_node
    memory_mib = requirements.memory_mib + beside * NEIGHBOUR_MIB + further_mib
    return [*check_machine(replace(requirements, memory_mib=memory_mib), out), _undo_folder()]


def _undo_folder() -> Check:
    """Look whether the undo journal can be written: no fault begins without it."""
    remedy = "the undo journal is kept there; set XDG_STATE_HOME to a folder you can write to"
    try:
        folder = journal_folder(os.environ)
    except RuntimeError as error:  # no HOME, and the user is in no password file
        return Check("undo journal", f"no home folder: {error}", remedy)
    return replace(writable(existing(folder), remedy), name=f"undo journal in {folder}")


def make_plan(request: Request) -> SuitePlan:
    """Fix what a run will do.

    Raises:
        UsageError: a requirement names no objective of the plan.
        ScenarioError: the input cannot be used, a part does not take its arguments, a scenario's first fault
            leaves too few records before it, or the stack would reach beyond this machine where its file does
            not say that it may.
    """
    if problems := refusals(request.stack, running_services(request)):
        raise ScenarioError("\n".join(problems))
    if request.input_path is not None:
        require_regular(request.input_path)
    input_digest = "" if request.input_path is None else _digest_of(request.input_path)
    scenarios = judged_alone(request.scenarios)
    load_digests = tuple(_require_load(scenario, request) for scenario in scenarios)
    plans = tuple(_plan_one(scenario, request) for scenario in scenarios)
    visible_seconds = request.stack.promises.visible_seconds
    if problems := [problem for plan in plans if (problem := plan.steady_problem(visible_seconds))]:
        raise ScenarioError("\n".join(problems))
    checks = [checks_of(scenario, request.stack) for scenario in scenarios]
    plans = tuple(
        replace(plan, samples_min=_samples_min(each)) for plan, each in zip(plans, checks, strict=True)
    )
    checkers = {word: checker for each in checks for word, checker in each.planned.items()}
    lacking = {word: why for each in checks for word, why in each.unplanned.items() if word not in checkers}
    planned, excused = applicable(
        {checker.objective: checker.dimension for checker in checkers.values()},
        request.gate.not_applicable,
        request.today,
    )
    require_known(request.gate.required, {word: _unit_of(checkers[word]) for word in planned})
    return SuitePlan(
        request.suite,
        plans,
        request.stack,
        request.backend,
        request.seed,
        input_digest,
        planned,
        (
            *request.left_out,
            *(f"{word}: {why}" for word, why in lacking.items()),
            *_unread_fields(request.stack),
            *_masked_input(request, max((len(plan.offsets_ns) for plan in plans), default=0)),
            *_left_to_others(scenarios, checks, checkers, NOT_ALONE),
            *_left_to_others(scenarios, checks, checkers, NOT_POLLED),
            *excused,
        ),
        load_digests,
    )


def _require_load(scenario: Scenario, request: Request) -> str:
    """Let the kind of load refuse what it cannot do; return the digest of its own files, if it has any."""
    kind: object = LOADS.resolve(scenario.load.kind)
    if not isinstance(kind, ChoosyLoad):
        return ""
    try:
        return kind.require(scenario, request.stack.intake, request.code_folders)
    except ScenarioError as error:
        raise ScenarioError(f"{scenario.source or scenario.name}: load: {error}") from error


def _masked_input(request: Request, lines_max: int) -> tuple[str, ...]:
    """Say how much of the input is not compared, since the stack may mask it.

    Args:
        request: with the input and the stack.
        lines_max: how many lines of it are sent at most.

    Raises:
        ScenarioError: it is more than the stack file allows.
    """
    masks = request.stack.masks
    if request.input_path is None or not masks.patterns:
        return ()
    share = InputMask(masks.patterns).share(read_lines(request.input_path, lines_max))
    if share > masks.share_max:
        raise ScenarioError(
            f"{request.stack.source or request.stack.name}: masks.patterns match {share:.1%} of the bytes of "
            f"{request.input_path}, and masks.share_max allows {masks.share_max:.1%}: so much would not be "
            "compared. Make the patterns narrower, or raise masks.share_max"
        )
    return (
        f"corrupted: {share:.1%} of the bytes of the input match masks.patterns and are not compared (at "
        f"most {masks.share_max:.1%} allowed)",
    )


def _samples_min(checks: Checks) -> Mapping[str, int]:
    return {
        word: checker.samples_min
        for word, checker in checks.planned.items()
        if isinstance(checker, NeedsSamples)
    }


def running_services(request: Request) -> Mapping[str, str]:
    """Return where the services answer that run already; the others are started on this machine."""
    takes_them = getattr(BACKENDS.resolve(request.backend), "takes_running_services", False)
    return request.stack.services if takes_them else {}


def _unread_fields(stack: Stack) -> tuple[str, ...]:
    """Say that only the line of a record is compared, where the stack names no other fields."""
    if stack.fields.paths:
        return ()
    return ("fields: the stack names none, so only the line of each record is compared with what was sent",)


def _left_to_others(
    scenarios: Sequence[Scenario], checks: Sequence[Checks], judged: Collection[str], why: str
) -> list[str]:
    """Say which of the checks that are judged somewhere are not judged in some scenarios, for this reason."""
    words: dict[tuple[str, ...], list[str]] = {}
    for word in judged:
        where = (
            scenario.name
            for scenario, each in zip(scenarios, checks, strict=True)
            if each.unplanned.get(word) == why
        )
        words.setdefault(tuple(where), []).append(word)
    return [f"{', '.join(words[names])}: {why}, not in {', '.join(names)}" for names in words if names]


def _plan_one(scenario: Scenario, request: Request) -> ScenarioPlan:
    schedule = make_part(SCHEDULES, scenario.schedule)
    lines = None
    if request.input_path is not None:
        lines = len(read_lines(request.input_path, int(INPUT_RATE_MAX * scenario.sending_seconds)))
    return plan_scenario(scenario, schedule, request.seed, lines)


def _unit_of(checker: Checker) -> str:
    """Return what a checker measures in; empty where it does not say."""
    return checker.unit if isinstance(checker, Measured) else ""


def _digest_of(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ScenarioError(f"{path}: cannot read the input: {error.strerror}") from error
