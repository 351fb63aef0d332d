"""Checks of a scenario file: words and mappings with arguments, judged before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.config.checks import with_checks
from harness.config.scenario import load_scenario
from harness.judging.check_selection import checks_of
from harness.judging.checker import Charge
from harness.judging.timeline import Timeline
from harness.model.declarations import Part, Promises, Scenario, Stack
from harness.model.errors import ScenarioError
from harness.model.protocols import Status, Verdict

HEAD = """\
version: 1
name: outage
title: The store is gone
hypothesis: Nothing acknowledged is lost.
schedule: {kind: steady, rate_per_second: 100}
sending_seconds: 20
recovery_seconds: 9
steps: [{fault: killed, target: elasticsearch, at_seconds: 5, for_seconds: 3}]
"""
STACK = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())


class Owns:
    """A checker of somebody's own, named by a dotted path."""

    objective: ClassVar[str] = "owns"
    dimension: ClassVar[str] = "delivery"

    def __init__(self, charge: Charge, *, limit_kib: float, mode: str = "strict") -> None:
        if mode != "strict":
            raise ValueError(f'mode must be "strict", not "{mode}".')
        self.limit_kib = limit_kib

    def check(self, timeline: Timeline) -> Verdict:
        return Verdict(self.objective, self.dimension, Status.PASS, "")


class Plain(Owns):
    """One without arguments."""

    objective: ClassVar[str] = "plain"

    def __init__(self, charge: Charge) -> None:
        self.limit_kib = 1.0


class NoChecker:
    """A class that judges nothing."""

    def __init__(self, charge: Charge) -> None:
        pass


OWNS, PLAIN = f"{__name__}:Owns", f"{__name__}:Plain"


def load(folder: Path, checks: str) -> Scenario:
    path = folder / "outage.yaml"
    path.write_text(f"{HEAD}checks: {checks}\n", encoding="utf-8")
    return load_scenario(path)


def mistakes(folder: Path, checks: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(folder, checks)
    return [line.removeprefix(f"{folder}/outage.yaml:9 ") for line in str(caught.value).splitlines()]


def test_a_word_and_a_mapping_with_arguments_stand_side_by_side(tmp_path):
    scenario = load(tmp_path, "[corrupted, {check: backlog_seconds, limit_seconds: 5}]")

    assert scenario.checks == (Part("corrupted"), Part("backlog_seconds", {"limit_seconds": 5}))


@pytest.mark.parametrize(
    ("word", "argument"),
    [
        ("fresh_record_seconds", "limit_seconds"),
        ("throughput_recovery_seconds", "limit_seconds"),
        ("backlog_seconds", "limit_seconds"),
        ("response_p99_ms", "limit_ms"),
        ("exit_seconds", "limit_seconds"),
        ("memory_mib_above_idle", "limit_mib"),
        ("disk_mib_above_idle", "limit_mib"),
        ("descriptors_above_idle", "limit_descriptors"),
        ("unacknowledged_percent", "limit_percent"),
    ],
)
def test_a_check_is_judged_by_the_limit_that_its_scenario_gives_it(tmp_path, word, argument):
    """Also where the stack promises nothing: the scenario's own limit is enough to plan it."""
    scenario = load(tmp_path, f"[{{check: {word}, {argument}: 7}}]")
    checker: Any = checks_of(scenario, STACK).planned[word]

    assert checker._measure.limit == 7


def test_without_an_argument_the_limit_is_the_scenarios_or_the_stacks(tmp_path):
    scenario = load(tmp_path, "[backlog_seconds, response_p99_ms]")
    planned: Mapping[str, Any] = checks_of(scenario, STACK).planned

    assert planned["backlog_seconds"]._measure.limit == 9
    assert planned["response_p99_ms"]._measure.limit == 100


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("[backlog_secnds]", 'checks[0]: no check "backlog_secnds". Did you mean "backlog_seconds"?'),
        (
            "[{check: backlog_secnds}]",
            'checks[0].check: no check "backlog_secnds". Did you mean "backlog_seconds"?',
        ),
        (
            "[{check: backlog_seconds, limit_secnds: 5}]",
            'checks[0].limit_secnds: check "backlog_seconds" has no argument "limit_secnds". '
            'Did you mean "limit_seconds"?',
        ),
        (
            "[corrupted, {check: backlog_seconds, limit_seconds: soon}]",
            'checks[1].limit_seconds: must be a number, not "soon".',
        ),
        (
            "[{check: backlog_seconds, limit_seconds: -1}]",
            "checks[0]: limit_seconds must be more than 0, not -1.",
        ),
        (
            "[{check: fresh_record_seconds, limit_seconds: 31}]",
            "checks[0]: limit_seconds must be at most liveness_seconds (30), not 31: so long fresh records "
            "are looked for.",
        ),
        (
            "[{check: corrupted, limit: 1}]",
            'checks[0].limit: check "corrupted" has no argument "limit". Known: check.',
        ),
        ("[{limit_seconds: 5}]", "checks[0].check: is missing. Name a check; `logquake list` shows them."),
        ("[5]", 'checks[0]: must be a word, or a mapping with "check" and its arguments, not 5.'),
        ("[{check: ''}]", "checks[0].check: must not be empty."),
        (
            "[backlog_seconds, {check: backlog_seconds, limit_seconds: 5}]",
            'checks[1]: "backlog_seconds" stands here twice. Remove one.',
        ),
        (
            "[corrupted, harness.judging.checkers.corrupted:Corrupted]",
            'checks[1]: "corrupted" stands here twice. Remove one.',
        ),
        (
            f"[{OWNS}]",
            f'checks[0].limit_kib: is missing; check "{OWNS}" cannot do without it. Add it.',
        ),
        (f"[{{check: '{OWNS}', limit_kib: 1, mode: lax}}]", 'checks[0]: mode must be "strict", not "lax".'),
        (
            f"[{__name__}:NoChecker]",
            f'checks[0]: "{__name__}:NoChecker" is no check: its class has no objective.',
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_remedy(tmp_path, checks, expected):
    assert mistakes(tmp_path, checks) == [expected]


def test_a_check_of_ones_own_is_planned_under_the_word_of_its_class(tmp_path):
    scenario = load(tmp_path, f"[{{check: '{OWNS}', limit_kib: 3}}]")
    planned: Mapping[str, Any] = checks_of(scenario, STACK).planned

    assert {word: checker.limit_kib for word, checker in planned.items()} == {"owns": 3}


def test_added_checks_stand_after_those_of_the_file(tmp_path):
    scenario = with_checks(load(tmp_path, "[corrupted]"), ["backlog_seconds", PLAIN])

    assert scenario.checks == (Part("corrupted"), Part("backlog_seconds"), Part(PLAIN))


def test_an_added_check_that_the_file_has_keeps_the_arguments_of_the_file(tmp_path):
    scenario = load(tmp_path, "[{check: backlog_seconds, limit_seconds: 5}]")

    assert with_checks(scenario, ["backlog_seconds", "backlog_seconds"]) == scenario


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("corupted", '--check corupted: no check "corupted". Did you mean "corrupted"?'),
        (OWNS, f'--check {OWNS}: is missing; check "{OWNS}" cannot do without it. Add it.'),
        ("a.module:Missing", "--check a.module:Missing: cannot import"),
    ],
)
def test_an_added_check_that_cannot_be_is_refused(tmp_path, word, expected):
    with pytest.raises(ScenarioError) as caught:
        with_checks(load(tmp_path, "[corrupted]"), [word])

    assert str(caught.value).startswith(expected)
