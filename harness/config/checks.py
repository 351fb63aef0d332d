"""The checks of a scenario: each entry is a word, or a mapping with arguments; `--check` adds more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from harness.config.part_arguments import part_mistakes
from harness.config.validation import OpenModel, Text, shown
from harness.config.yaml_source import Mistake
from harness.judging.check_selection import checker_of
from harness.judging.checker import Charge, NeedsQuiet
from harness.judging.checkers import CHECKERS
from harness.model.declarations import Part, Promises, Scenario
from harness.model.errors import ScenarioError

WORD_KEY = "check"


class CheckModel(OpenModel):
    """One entry of `checks`: a word, or a mapping whose further keys are the check's arguments."""

    check: Text = Field(description="Name a check; `logquake list` shows them.")

    @model_validator(mode="before")
    @classmethod
    def _as_mapping(cls, entry: object) -> object:
        if isinstance(entry, str):
            return {WORD_KEY: entry}
        if not isinstance(entry, Mapping):
            raise PydanticCustomError("not_a_check", "not a check")
        return entry

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow the bare word beside the mapping."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [mapping["properties"][WORD_KEY], mapping]}

    def part(self) -> Part:
        """Return the check with its arguments."""
        return Part(self.check, dict(self.model_extra or {}))


def all_checks() -> list[CheckModel]:
    """Return every check that comes with logquake, which is what a scenario without `checks` is judged by."""
    return [CheckModel(check=word) for word in CHECKERS.kinds]


def check_mistakes(checks: Sequence[object]) -> list[Mistake]:
    """Return unknown words, wrong arguments, and checks that stand twice, as the file has them."""
    mistakes: list[Mistake] = []
    known: set[str] = set()
    for index, entry in enumerate(checks):
        found = _entry_mistakes(entry, index)
        word = _word(entry)
        if not found and word:
            objective = CHECKERS.resolve(word).objective
            if objective in known:
                found = [Mistake(("checks", index), f"{shown(objective)} stands here twice. Remove one.")]
            known.add(objective)
        mistakes += found
    return mistakes


def noisy_check_mistakes(checks: Sequence[object], remedy: str) -> list[Mistake]:
    """Return the checks that measure what scenarios beside this one would change.

    Args:
        checks: the entries as the file has them, valid or not; what is not valid is left to others to find.
        remedy: a sentence that ends each mistake: what to write instead.
    """
    return [
        Mistake(("checks", index), f"{shown(word)} measures what scenarios beside this one change. {remedy}")
        for index, entry in enumerate(checks)
        if (word := _word(entry)) and not _entry_mistakes(word, index) and _needs_quiet(word)
    ]


def value_mistakes(scenario: Scenario) -> list[Mistake]:
    """Let each checker judge the values of its arguments, which it does where it is made.

    Returns:
        One mistake for each check that refuses its arguments, at its place in `checks`; none where all agree.
    """
    charge = Charge(scenario, Promises())
    return [
        Mistake(("checks", index), problem)
        for index, check in enumerate(scenario.checks)
        if (problem := _refusal(check, charge))
    ]


def with_checks(scenario: Scenario, words: Sequence[str]) -> Scenario:
    """Return the scenario with more checks, without arguments; one that it has already stays as it is.

    Args:
        scenario: what to judge by more.
        words: of checks, or dotted paths.

    Raises:
        ScenarioError: a word is unknown, or its check cannot do without arguments.
    """
    parts = {CHECKERS.resolve(part.kind).objective: part for part in scenario.checks}
    for word in words:
        for mistake in _entry_mistakes(word, 0):
            raise ScenarioError(f"--check {word}: {mistake.what}")
        parts.setdefault(CHECKERS.resolve(word).objective, Part(word))
    added = replace(scenario, checks=tuple(parts.values()))
    for mistake in value_mistakes(added):
        raise ScenarioError(f"--check: {mistake.what}")
    return added


def _entry_mistakes(entry: object, index: int) -> list[Mistake]:
    """Return what is wrong with one entry's word and arguments; its shape is left to the file's model."""
    where = ("checks", index)
    word = _word(entry)
    if not word:
        return []
    part = entry if isinstance(entry, Mapping) else {WORD_KEY: word}
    mistakes = part_mistakes(CHECKERS, part, where, {WORD_KEY}, word_key=WORD_KEY)
    if not mistakes and (lacking := _not_of_a_checker(CHECKERS.resolve(word))):
        mistakes = [Mistake((*where, WORD_KEY), f"{shown(word)} is no check: its class has no {lacking}.")]
    if isinstance(entry, str):
        return [replace(each, where=where) if each.where[-1] == WORD_KEY else each for each in mistakes]
    return mistakes


def _word(entry: object) -> str:
    word = entry.get(WORD_KEY) if isinstance(entry, Mapping) else entry
    return word if isinstance(word, str) else ""


def _not_of_a_checker(named: Any) -> str:
    """Return what a class lacks that every checker has; empty where it is one."""
    for name, kind in (("objective", str), ("dimension", str)):
        if not isinstance(getattr(named, name, None), kind):
            return name
    return "" if callable(getattr(named, "check", None)) else "method check"


def _needs_quiet(word: str) -> bool:
    return isinstance(CHECKERS.resolve(word), NeedsQuiet)


def _refusal(check: Part, charge: Charge) -> str:
    try:
        checker_of(check, charge)
    except (ValueError, TypeError, ScenarioError) as error:
        return str(error)
    return ""
