"""A gate file → GateRules: what a team asks for beyond the built-in vetoes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.config.validation import FileModel, OpenModel, Text, Version, default_of, parse, shown
from harness.config.yaml_source import KeyPath, Mistake, Source, read_yaml
from harness.judging.gate_rules import GateRules, Limit, ObjectiveRule, OnInconclusive
from harness.judging.regression import RegressionRules, parse_rise, repeats_needed
from harness.judging.waivers import NEVER_EXCUSED, Exemption

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_LIMIT = re.compile(r"(>=|<=|>|<)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\Z")


EXEMPTIONS_MAX = 1_000
_EXEMPTIONS = ("waivers", "not_applicable")
REPEATS_MAX = 50
_BOUNDS = ("confidence", "max_repeats")


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


class _RegressionModel(OpenModel):
    """How much each check's value may rise above the baseline's; keys beyond these are checks."""

    __pydantic_extra__: dict[str, Text] = Field(init=False)

    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = default_of(RegressionRules, "confidence")
    max_repeats: Annotated[int, Field(ge=2, le=REPEATS_MAX)] = default_of(RegressionRules, "max_repeats")


class GateModel(FileModel):
    """A gate file."""

    version: Version
    score: _ScoreModel = Field(default_factory=_ScoreModel)
    veto: list[Text] = Field(default_factory=list)
    objectives: dict[Text, _ObjectiveModel] = Field(default_factory=dict)
    regression: _RegressionModel | None = None
    on_inconclusive: Literal["inconclusive", "fail", "warn"] = default_of(GateRules, "on_inconclusive").value
    waivers: Annotated[list[_ExemptionModel], Field(max_length=EXEMPTIONS_MAX)] = Field(default_factory=list)
    not_applicable: Annotated[list[_ExemptionModel], Field(max_length=EXEMPTIONS_MAX)] = Field(
        default_factory=list
    )


def load_gate(path: Path) -> GateRules:
    """Read one gate file.

    Returns:
        The rules, with this path as their `source`; what the file leaves out has its default.

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
        regression=_regression(model.regression),
        on_inconclusive=OnInconclusive(model.on_inconclusive),
        waivers=tuple(map(_exemption, model.waivers)),
        not_applicable=tuple(map(_exemption, model.not_applicable)),
        source=source.path,
    )


def _regression(model: _RegressionModel | None) -> RegressionRules | None:
    if model is None:
        return None
    rises = {check: parse_rise(text) for check, text in (model.__pydantic_extra__ or {}).items()}
    return RegressionRules(
        {check: rise for check, rise in rises.items() if rise is not None},
        model.confidence,
        model.max_repeats,
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
        *_regression_mistakes(source.data.get("regression")),
        *(mistake for key in _EXEMPTIONS for mistake in _date_mistakes(key, source.data)),
        *(mistake for key in _EXEMPTIONS for mistake in _never_excused(key, source.data)),
    ]


def _regression_mistakes(rules: object) -> list[Mistake]:
    if not isinstance(rules, dict):
        return []
    rises = {check: text for check, text in rules.items() if check not in _RegressionModel.model_fields}
    mistakes = [
        Mistake(
            ("regression", check), f'must be how much it may rise, e.g. "+10%" or "+5", not {shown(text)}.'
        )
        for check, text in rises.items()
        if isinstance(text, str) and parse_rise(text) is None
    ]
    if not rises:
        mistakes.append(Mistake(("regression",), 'names no check. Add one, e.g. response_p99_ms: "+10%".'))
    return mistakes or _undecidable(rules, len(rises))


def _undecidable(rules: Mapping[str, object], compared: int) -> list[Mistake]:
    """Refuse what no run could ever decide, however the runs turn out."""
    confidence, repeats = (rules.get(key, default_of(RegressionRules, key)) for key in _BOUNDS)
    if not isinstance(confidence, float) or not isinstance(repeats, int):
        return []
    if not (0.5 <= confidence <= 0.999 and 2 <= repeats <= REPEATS_MAX):
        return []
    asked = RegressionRules({}, confidence, repeats)
    if _decides(asked, compared):
        return []
    enough = (
        each
        for each in range(repeats, REPEATS_MAX + 1)
        if _decides(replace(asked, max_repeats=each), compared)
    )
    needed = next(enough, REPEATS_MAX)
    return [
        Mistake(
            ("regression", "max_repeats") if "max_repeats" in rules else ("regression",),
            f"{asked.max_repeats} runs a side can never decide at a confidence of {asked.confidence:g}; "
            f"at least {needed} are needed. Raise max_repeats, or lower confidence.",
        )
    ]


def _decides(rules: RegressionRules, compared: int) -> bool:
    return repeats_needed(rules, compared) <= rules.max_repeats


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
