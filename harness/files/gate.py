"""A gate file → GateRules: what a team asks for beyond the built-in vetoes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.files.model import FileModel, Text, Version, parse, shown
from harness.files.yaml_source import KeyPath, Mistake, Source, read_yaml
from harness.gate import GateRules, Limit, ObjectiveRule, OnInconclusive

_LIMIT = re.compile(r"(>=|<=|>|<)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\Z")


class _ScoreModel(FileModel):
    min: Annotated[float, Field(ge=0, le=100)] = 98.0


class _ObjectiveModel(FileModel):
    not_supported_yet: ClassVar[tuple[str, ...]] = ("min_samples",)

    fail: Text | None = None
    warn: Text | None = None


class _GateModel(FileModel):
    not_supported_yet: ClassVar[tuple[str, ...]] = ("regression", "waivers")

    version: Version
    score: _ScoreModel = Field(default_factory=_ScoreModel)
    veto: list[Text] = Field(default_factory=list)
    objectives: dict[Text, _ObjectiveModel] = Field(default_factory=dict)
    on_inconclusive: Literal["inconclusive", "fail", "warn"] = "inconclusive"


def load_gate(path: Path) -> GateRules:
    """Read one gate file.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
    """
    source = read_yaml(path)
    model = parse(_GateModel, source, _mistakes(source))
    return GateRules(
        score_min=model.score.min,
        veto=tuple(dict.fromkeys(model.veto)),
        objectives={
            objective: ObjectiveRule(_limit(rule.fail), _limit(rule.warn))
            for objective, rule in model.objectives.items()
        },
        on_inconclusive=OnInconclusive(model.on_inconclusive),
        source=source.path,
    )


def _limit(text: object) -> Limit | None:
    match = _LIMIT.match(text.strip()) if isinstance(text, str) else None
    return Limit(match[1], float(match[2])) if match else None


def _mistakes(source: Source) -> list[Mistake]:
    objectives = source.data.get("objectives")
    if not isinstance(objectives, dict):
        return []
    return [
        mistake
        for objective, rule in objectives.items()
        if isinstance(rule, dict)
        for mistake in _rule_mistakes(("objectives", objective), rule)
    ]


def _rule_mistakes(where: KeyPath, rule: Mapping[str, object]) -> list[Mistake]:
    mistakes = [
        Mistake((*where, key), f'must be a comparison and a number, e.g. ">100", not {shown(rule[key])}.')
        for key in ("fail", "warn")
        if isinstance(rule.get(key), str) and _limit(rule[key]) is None
    ]
    fail, warn = _limit(rule.get("fail")), _limit(rule.get("warn"))
    if not {"fail", "warn"} & set(rule):
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
