"""What the file `alerts.yaml` may say: rules, grouping, inhibition and channels."""

from __future__ import annotations

import difflib
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from logging_system.alerting.built_in import BUILT_IN
from logging_system.alerting.channels import Channel
from logging_system.alerting.evaluation import OVERFLOW_RULE
from logging_system.alerting.grouping import GroupingTimes
from logging_system.alerting.muting import Inhibition
from logging_system.alerting.rules import Rule
from logging_system.alerting.rules.error_count import ErrorCount

DEFAULT_RULE = "errors"
THRESHOLD_VARIABLE = "ALERT_THRESHOLD_ERRORS"


class _Named(Protocol):
    @property
    def name(self) -> str:
        """The name in the file."""


def _built_in_name(name: str) -> str:
    names = [each.rule.name for each in BUILT_IN]
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(names)}"
        raise ValueError(f'no built-in rule "{name}"; {hint}')
    return name


class DeclaredInhibition(BaseModel):
    """An alert that makes others needless to tell while it fires."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    source: dict[str, str] = Field(min_length=1, description="Labels of the alert that fires.")
    target: dict[str, str] = Field(min_length=1, description="Labels of the alerts that are held back.")
    equal: tuple[str, ...] = Field((), description="Labels that both must have alike.")

    def inhibition(self) -> Inhibition:
        """Return what grouping takes."""
        return Inhibition(self.source, self.target, self.equal)


class DeclaredFindings(BaseModel):
    """Whether `watch` detects what changed, and tells it as findings."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = Field(True, description="Whether it does.")
    sample_behind_seconds: float = Field(
        10.0,
        ge=1,
        le=3_600,
        description="From this lag on, detection reads a sample of the records below error, until `watch` "
        "has read all that there is. Rules read every record all the same.",
    )
    sample_one_in: int = Field(
        10,
        ge=1,
        le=1_000,
        description="Of how many such records detection reads one then; the others are counted as "
        "`unexamined_records`. With 1 it reads all, however far behind.",
    )


class Alerts(BaseModel):
    """What the file says; without a file, the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    rules: tuple[Rule, ...] = Field((ErrorCount(name=DEFAULT_RULE),), description="The rules.")
    built_in: bool = Field(
        True, description="Whether the [rules that ship with it](#built-in-rules) are on beside these."
    )
    without: tuple[Annotated[str, AfterValidator(_built_in_name)], ...] = Field(
        (), description="Names of built-in rules that are off."
    )
    channels: tuple[Channel, ...] = Field(
        (), description="Where alerts are told. Default: standard error of `watch`, and the status file."
    )
    group_by: tuple[str, ...] = Field(("rule",), description="Labels whose alerts are told together.")
    group_wait_seconds: float = Field(
        5.0, ge=0, le=3600, description="How long a new group waits for more alerts."
    )
    group_interval_seconds: float = Field(
        60.0, ge=0, le=86_400, description="Least time between two notifications of a group."
    )
    repeat_interval_seconds: float = Field(
        900.0,
        ge=1,
        le=30 * 86_400,
        description="Cooldown of each alert: it is told as firing at most once in this time, and, while it "
        "fires, once in this time.",
    )
    inhibit: tuple[DeclaredInhibition, ...] = Field((), description="Alerts that hold others back.")
    findings: DeclaredFindings = Field(
        DeclaredFindings(), description="What [findings](findings.md) are detected."
    )
    lateness_seconds: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="How much later than others a record may come and still count. Later ones are counted.",
    )
    series_max: int = Field(
        100_000,
        ge=1,
        le=1_000_000,
        description="How many alerts all rules may tell apart. Beyond it one alert says so, and what finds "
        "no room is counted together.",
    )

    @field_validator("rules", "channels")
    @classmethod
    def _have_names_of_their_own(cls, declared: tuple[_Named, ...]) -> tuple[_Named, ...]:
        names = [each.name for each in declared]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'the name "{twice}" is there twice; give each its own')
        return declared

    @model_validator(mode="after")
    def _spares_our_names(self) -> Alerts:
        if any(rule.name == OVERFLOW_RULE for rule in self.rules):
            raise ValueError(f'a rule named "{OVERFLOW_RULE}" is built in; give yours another name')
        return self

    @property
    def rules_in_force(self) -> tuple[Rule, ...]:
        """Return the declared rules, and those that ship with it; a declared one replaces one of its name."""
        taken = {rule.name for rule in self.rules} | set(self.without)
        more = BUILT_IN if self.built_in else ()
        return (*self.rules, *(each.rule for each in more if each.rule.name not in taken))

    def times(self) -> GroupingTimes:
        """Return when groups are told."""
        return GroupingTimes(
            self.group_wait_seconds, self.group_interval_seconds, self.repeat_interval_seconds
        )
