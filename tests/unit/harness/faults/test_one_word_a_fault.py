"""A fault has one word: in files, as its module, as the interceptor's rule, and in the scenario about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.scenario import load_scenario
from harness.faults import FAULTS
from harness.faults.http_rule import HttpRule
from harness.programs.http_interceptor.rules import KINDS
from harness.targets.capabilities import not_supported

SCENARIOS = Path(__file__).parents[4] / "scenarios"
WORDS = list(FAULTS.kinds)


@pytest.mark.parametrize("word", WORDS)
def test_the_module_has_the_faults_word_and_the_class_its_words(word: str) -> None:
    path = FAULTS.kinds[word].path

    assert path == f"harness.faults.{word}:{word.title().replace('_', '')}"


@pytest.mark.parametrize("word", WORDS)
def test_a_rule_of_the_interceptor_has_the_faults_word(word: str) -> None:
    fault = FAULTS.resolve(word)
    is_rule = issubclass(fault, HttpRule)

    assert is_rule == (word in KINDS)
    if is_rule:
        assert fault.kind == word
        assert KINDS[word] == f"{word}:{fault.__name__}"


def test_the_interceptor_has_no_rule_that_is_no_fault() -> None:
    assert KINDS.keys() <= FAULTS.kinds.keys()


@pytest.mark.parametrize("word", WORDS)
def test_a_scenario_has_the_faults_word_and_injects_it(word: str) -> None:
    """A process has a name of its own, so what is killed or frozen stands before the fault's word."""
    named = [path for path in SCENARIOS.glob("*.yaml") if path.stem in {word, f"store_{word}"}]

    assert len(named) == 1
    assert word in {step.fault for step in load_scenario(named[0]).steps}


@pytest.mark.parametrize("word", WORDS)
def test_a_target_that_lacks_what_the_fault_needs_is_told_in_words(word: str) -> None:
    needs = FAULTS.resolve(word).needs

    said = not_supported(needs)

    assert said.startswith("this target does not support ")
    assert needs.__name__ not in said
