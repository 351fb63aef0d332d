"""A gate file → GateRules: what a team asks for beyond the built-in vetoes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.config.validation import FileModel, Text, Version, default_of, parse, shown
from harness.config.yaml_source import KeyPath, Mistake, Source, read_yaml
from harness.judging.gate import GateRules, Limit, ObjectiveRule, OnInconclusive
from harness.judging.waivers import NEVER_EXCUSED, Exemption

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_LIMIT = re.compile(r"(>=|<=|>|<)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\Z")


EXEMPTIONS_MAX = 1_000
_EXEMPTIONS = ("waivers", "not_applicable")


class _ScoreModel(FileModel):
    min: Annotated[float, Field(ge=0, le=100)] = default_of(GateRules, "score_min")


class _ObjectiveModel(FileModel):
    fail: Text | None = None
    warn: Text | None = None
    min_samples: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None


class _ExemptionModel(FileModel):
    id: Text = Field(description="Name the check, e.g. id: fresh_record_seconds.")
    until: Text = Field(description="Say the last day it holds, e.g. until: 2027-01-31.")
    reason: Text = Field(description="Say why, for whoever reads the gate in a year.")


class GateModel(FileModel):
    """A gate file."""

    not_supported_yet: ClassVar[tuple[str, ...]] = ("regression",)

    version: Version
    score: _ScoreModel = Field(default_factory=_ScoreModel)
    veto: list[Text] = Field(default_factory=list)
    objectives: dict[Text, _ObjectiveModel] = Field(default_factory=dict)
    on_inconclusive: Literal["inconclusive", "fail", "warn"] = default_of(GateRules, "on_inconclusive").value
    waivers: Annotated[list[_ExemptionModel], Field(max_length=EXEMPTIONS_MAX)] = Field(default_factory=list)
    not_applicable: Annotated[list[_ExemptionModel], Field(max_length=EXEMPTIONS_MAX)] = Field(
        default_factory=list
    )


def load_gate(path: Path) -> GateRules:
    """Read one gate file.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
    """
    source = read_yaml(path)
    model = parse(GateModel, source, _mistakes(source))
    return GateRules(
        score_min=model.score.min,
        veto=tuple(dict.fromkeys(model.veto)),
        objectives={
            objective: ObjectiveRule(_limit(rule.fail), _limit(rule.warn), rule.min_samples)
            for objective, rule in model.objectives.items()
        },
        on_inconclusive=OnInconclusive(model.on_inconclusive),
        waivers=tuple(map(_exemption, model.waivers)),
        not_applicable=tuple(map(_exemption, model.not_applicable)),
        source=source.path,
    )


def _exemption(model: _ExemptionModel) -> Exemption:
    return Exemption(model.id, date.fromisoformat(model.until), model.reason)


def _limit(text: object) -> Limit | None:
    match = _LIMIT.match(text.strip()) if isinstance(text, str) else None
    return Limit(match[1], float(match[2])) if match else None


def _mistakes(source: Source) -> list[Mistake]:
    objectives = source.data.get("objectives")
    rules = objectives.items() if isinstance(objectives, dict) else ()
    return [
        *(
            mistake
            for objective, rule in rules
            if isinstance(rule, dict)
            for mistake in _rule_mistakes(("objectives", objective), rule)
        ),
        *(mistake for key in _EXEMPTIONS for mistake in _date_mistakes(key, source.data)),
        *(mistake for key in _EXEMPTIONS for mistake in _never_excused(key, source.data)),
    ]


def _exemptions(key: str, data: Mapping[str, object]) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield each entry of a list of exemptions with its place; what is no mapping is left to the model."""
    entries = data.get(key)
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def _date_mistakes(key: str, data: Mapping[str, object]) -> list[Mistake]:
    return [
        Mistake((key, index, "until"), f"must be a day, e.g. 2027-01-31, not {shown(until)}.")
        for index, exemption in _exemptions(key, data)
        if isinstance(until := exemption.get("until"), str) and not _is_day(until)
    ]


def _never_excused(key: str, data: Mapping[str, object]) -> list[Mistake]:
    """Refuse here what would otherwise count for nothing after a whole run."""
    return [
        Mistake((key, index, "id"), f"{exemption['id']} is a veto that no rule can excuse. Remove the entry.")
        for index, exemption in _exemptions(key, data)
        if exemption.get("id") in NEVER_EXCUSED
    ]


def _is_day(text: str) -> bool:
    if not _DAY.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _rule_mistakes(where: KeyPath, rule: Mapping[str, object]) -> list[Mistake]:
    mistakes = [
        Mistake((*where, key), f'must be a comparison and a number, e.g. ">100", not {shown(rule[key])}.')
        for key in ("fail", "warn")
        if isinstance(rule.get(key), str) and _limit(rule[key]) is None
    ]
    fail, warn = _limit(rule.get("fail")), _limit(rule.get("warn"))
    if not {"fail", "warn", "min_samples"} & set(rule):
        mistakes.append(Mistake(where, 'says neither "fail" nor "warn". Add one, e.g. fail: ">100".'))
    if fail and warn and not _warns_first(fail, warn):
        mistakes.append(
            Mistake((*where, "warn"), f'"{warn}" can never warn before "{fail}" fails. Swap them.')
        )
    return mistakes


def _warns_first(fail: Limit, warn: Limit) -> bool:
    """Say whether there is a value that warns and does not fail."""
    if fail.comparison[0] != warn.comparison[0]:
        return False
    if fail.bound == warn.bound:
        return warn.comparison.endswith("=") and not fail.comparison.endswith("=")
    return (warn.bound < fail.bound) is (fail.comparison[0] == ">")
