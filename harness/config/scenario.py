"""A scenario file → Scenario: one hypothesis and how it is examined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from pydantic import Field

from harness.config.checks import (
    CheckModel,
    all_checks,
    check_mistakes,
    noisy_check_mistakes,
    value_mistakes,
)
from harness.config.part_arguments import part_mistakes
from harness.config.validation import (
    SECONDS_MAX,
    FileModel,
    Name,
    OpenModel,
    Seconds,
    Text,
    Version,
    default_of,
    file_name_mistakes,
    parse,
    shown,
)
from harness.config.yaml_source import Mistake, Source, read_yaml
from harness.faults import FAULTS
from harness.load import LOADS
from harness.load.schedules import SCHEDULES
from harness.model.declarations import (
    APPLICATION,
    CLOCK,
    ELECTED_MASTER,
    KEY_PROVIDER,
    KEY_SERVER,
    KEYS,
    LOAD,
    Arguments,
    Part,
    Permits,
    Scenario,
    Stack,
    Step,
)
from harness.model.protocols import ChoosyLoad
from harness.model.registry import unknown
from harness.targets.capabilities import KeyLosable, KeyRevocable

RATE_PER_SECOND_MAX = 20_000
STEPS_MAX = 50
STEADY_SECONDS_MIN = 2.0
_RUN_ALONE = 'Remove "exclusive: false", or this.'


class _ScheduleModel(OpenModel):
    kind: Text = Field(description='Say when records are due, e.g. "kind: steady".')
    rate_per_second: Annotated[float, Field(gt=0, le=RATE_PER_SECOND_MAX)] | None = None


class _LoadModel(OpenModel):
    kind: Text = Field(description='Say what sends the records, e.g. "kind: hosted".')


class _PermitsModel(FileModel):
    destroyed: Annotated[int, Field(ge=0, le=1_000)] = Field(
        description="Say in how many places the step may destroy something of the stack for good."
    )


class _StepModel(OpenModel):
    fault: Text = Field(description="Name a fault; `logquake list faults` shows them.")
    target: Text = Field(description="Name a link, service or process of the stack.")
    at_seconds: Annotated[float, Field(ge=0, le=SECONDS_MAX)] = Field(
        description="Say how long after sending began the fault is injected."
    )
    for_seconds: Seconds = Field(description="Say how long the fault lasts.")
    acknowledged_min: Annotated[int, Field(ge=0, le=1_000_000_000)] = default_of(Step, "acknowledged_min")
    permits: _PermitsModel | None = None


class ScenarioModel(FileModel):
    """A scenario file."""

    version: Version
    name: Name = Field(description="Add it; it is the file's name without .yaml.")
    title: Text = Field(description="Add one line that a report can show.")
    hypothesis: Text = Field(description="Add one sentence that says what you expect to hold.")
    schedule: _ScheduleModel = Field(description='Add it, e.g. "{kind: steady, rate_per_second: 100}".')
    sending_seconds: Seconds = Field(description="Say how long records are sent.")
    steps: Annotated[list[_StepModel], Field(max_length=STEPS_MAX)] = Field(default_factory=list)
    producers: Annotated[int, Field(ge=1, le=64)] = 4
    load: _LoadModel | None = None
    checks: Annotated[list[CheckModel], Field(min_length=1)] = Field(default_factory=all_checks)
    exclusive: bool = default_of(Scenario, "exclusive")
    drain_seconds: Seconds = default_of(Scenario, "drain_seconds")
    liveness_seconds: Seconds = default_of(Scenario, "liveness_seconds")
    recovery_seconds: Seconds = default_of(Scenario, "recovery_seconds")
    why: str = default_of(Scenario, "why")
    seen_in: list[Text] = Field(default_factory=list)


def load_scenario(path: Path) -> Scenario:
    """Read one scenario.

    Args:
        path: the YAML file; its name without `.yaml` is the scenario's name.

    Returns:
        The scenario; what the file leaves out has its default.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
    """
    source = read_yaml(path)
    model = parse(ScenarioModel, source, _mistakes(source))
    scenario = Scenario(
        name=model.name,
        title=model.title,
        hypothesis=model.hypothesis,
        schedule=Part(model.schedule.kind, _arguments(source.data["schedule"], {"kind"})),
        producers=model.producers,
        sending_seconds=model.sending_seconds,
        steps=tuple(
            Step(
                fault=step.fault,
                target=step.target,
                at_seconds=step.at_seconds,
                for_seconds=step.for_seconds,
                arguments=_arguments(step.model_extra or {}, set()),
                acknowledged_min=step.acknowledged_min,
                permits=Permits() if step.permits is None else Permits(step.permits.destroyed),
            )
            for step in model.steps
        ),
        checks=tuple(check.part() for check in model.checks),
        load=_load(model.load),
        exclusive=model.exclusive,
        drain_seconds=model.drain_seconds,
        liveness_seconds=model.liveness_seconds,
        recovery_seconds=model.recovery_seconds,
        why=model.why.strip(),
        seen_in=tuple(model.seen_in),
        source=source.path,
    )
    if mistakes := value_mistakes(scenario):
        raise source.error(mistakes)
    return scenario


def check_targets(scenario: Scenario, stack: Stack) -> list[str]:
    """Return one sentence for each step whose target the stack does not have, or that its neighbours use too.

    Args:
        scenario: what names the targets; its file is read again for their lines.
        stack: whose links, needs, processes and files are targets, as are application, load and clock.

    Raises:
        ScenarioError: the scenario's file is gone or broken since it was loaded.
    """
    processes = [process.name for process in stack.processes]
    own = dict.fromkeys([*stack.links, *processes, *stack.files, *(stack.keys.targets if stack.keys else ())])
    services = [*stack.needs, *([ELECTED_MASTER] if stack.is_clustered else [])]
    known = dict.fromkeys([*own, *services, APPLICATION, LOAD, CLOCK, *_load_targets(scenario.load)])
    shared = (set(services) - own.keys()) | {KEY_SERVER}
    source = read_yaml(Path(scenario.source)) if scenario.source else Source(scenario.name, {}, {})
    problems = []
    for index, step in enumerate(scenario.steps):
        if step.target not in known:
            said = f'stack "{stack.name}" has {unknown("target", step.target, known)}'
        elif not scenario.exclusive and step.target in shared:
            said = (
                f"{shown(step.target)} is a service that the scenarios beside this one use too. {_RUN_ALONE}"
            )
        else:
            said = _key_problem(step, stack)
        if said:
            problems.append(source.describe(Mistake(("steps", index, "target"), said)))
    return problems


def _key_problem(step: Step, stack: Stack) -> str:
    """Say what the stack file would have to declare of its keys for a step; empty where it does."""
    keys = stack.keys
    if keys is None or step.target not in keys.targets:
        return ""
    needs = FAULTS.resolve(step.fault).needs
    if step.target == KEYS and needs is KeyRevocable and not keys.revoke:
        return f'stack "{stack.name}" cannot revoke its keys: "keys.revoke" names no command'
    if step.target == KEY_PROVIDER and needs is KeyLosable and not (keys.provider and keys.losable):
        why = '"keys.losable" is false' if keys.provider else '"keys.provider" names no files'
        return f'stack "{stack.name}" cannot lose its keys: {why}'
    return ""


def _load_targets(load: Part) -> Sequence[str]:
    kind: object = LOADS.resolve(load.kind)
    return kind.target_names(load) if isinstance(kind, ChoosyLoad) else ()


def _load(model: _LoadModel | None) -> Part:
    return Part("hosted") if model is None else Part(model.kind, _arguments(model.model_extra or {}, set()))


def _arguments(part: object, own_keys: set[str]) -> Arguments:
    """Return a part's free keys; that they are scalars has been checked by then."""
    return {key: value for key, value in cast(Arguments, part).items() if key not in own_keys}


def _mistakes(source: Source) -> list[Mistake]:
    """Return what no single value shows: words, arguments and times that do not go together.

    The data are judged as they stand in the file, so that these mistakes come together with those of shape.
    """
    return [
        *file_name_mistakes(source),
        *part_mistakes(SCHEDULES, source.data.get("schedule"), ("schedule",), {"kind"}),
        *part_mistakes(LOADS, source.data.get("load"), ("load",), {"kind"}),
        *check_mistakes(_list(source.data.get("checks"))),
        *_step_mistakes(source),
        *_time_mistakes(source),
        *(_neighbour_mistakes(source) if source.data.get("exclusive") is False else ()),
    ]


def _neighbour_mistakes(source: Source) -> list[Mistake]:
    """Return what cannot be, or be judged, while other scenarios run on the same machine."""
    checks = noisy_check_mistakes(_list(source.data.get("checks")), _RUN_ALONE)
    steps = [
        Mistake(
            ("steps", index, "target"), f'"{LOAD}" is felt by the scenarios beside this one. {_RUN_ALONE}'
        )
        for index, step in enumerate(_list(source.data.get("steps")))
        if isinstance(step, Mapping) and step.get("target") == LOAD
    ]
    return checks + steps


def _step_mistakes(source: Source) -> list[Mistake]:
    return [
        mistake
        for index, step in enumerate(_list(source.data.get("steps")))
        for mistake in part_mistakes(
            FAULTS, step, ("steps", index), tuple(_StepModel.model_fields), word_key="fault"
        )
    ]


def _time_mistakes(source: Source) -> list[Mistake]:
    mistakes: list[Mistake] = []
    sending_seconds = _number(source.data.get("sending_seconds"))
    on: list[_On] = []
    previous_at = 0.0
    for index, step in enumerate(_list(source.data.get("steps"))):
        values = step if isinstance(step, Mapping) else {}
        at_seconds, for_seconds = _number(values.get("at_seconds")), _number(values.get("for_seconds"))
        if at_seconds is None or for_seconds is None:
            on = []
            continue
        this = _On((values.get("fault"), values.get("target")), at_seconds, at_seconds + for_seconds)
        on = [each for each in on if each.end_seconds > at_seconds]
        where = ("steps", index)
        mistakes += [
            *_begin_mistakes((*where, "at_seconds"), this, previous_at, on),
            *_end_mistakes((*where, "for_seconds"), this.end_seconds, sending_seconds),
        ]
        on.append(this)
        previous_at = at_seconds
    return mistakes


@dataclass(frozen=True, slots=True)
class _On:
    """A step while it lasts: its fault and target, and when, after sending began."""

    what: tuple[object, object]
    at_seconds: float
    end_seconds: float


def _begin_mistakes(
    where: tuple[str | int, ...], this: _On, previous_at: float, on: Sequence[_On]
) -> list[Mistake]:
    at_seconds = this.at_seconds
    if at_seconds < STEADY_SECONDS_MIN:
        steady = f"must be at least {STEADY_SECONDS_MIN:g}, not {at_seconds:g}"
        return [Mistake(where, f"{steady}: the steady state before a fault is what it is judged against.")]
    if at_seconds < previous_at:
        begins = f"begins at {at_seconds:g} s, before the previous step begins at {previous_at:g} s"
        return [Mistake(where, f"{begins}. Order the steps by time.")]
    first_end = min((each.end_seconds for each in on), default=this.end_seconds)
    if this.end_seconds > first_end:
        lasts = f"begins at {at_seconds:g} s, while a step is on that ends at {first_end:g} s"
        return [Mistake(where, f"{lasts}. Begin it then, or let it end by then.")]
    if any(each.what == this.what for each in on):
        return [Mistake(where, "begins while the same fault is on the same target. Leave one of them out.")]
    return []


def _end_mistakes(
    where: tuple[str | int, ...], end_seconds: float, sending_seconds: float | None
) -> list[Mistake]:
    if sending_seconds is None or end_seconds < sending_seconds:
        return []
    ends = f"the step ends at {end_seconds:g} s, but sending ends at {sending_seconds:g} s"
    return [Mistake(where, f"{ends}. Raise sending_seconds, or end the step earlier.")]


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float | None:
    """Return a value where it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
