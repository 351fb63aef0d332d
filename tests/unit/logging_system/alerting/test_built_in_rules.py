"""Each rule that ships switched on fires on its example, ends, and stays quiet on what is near it."""

from __future__ import annotations

import pytest

from logging_system.alerting.built_in import BUILT_IN, BuiltIn, Example
from logging_system.alerting.declaration import Alerts
from logging_system.alerting.evaluation import Evaluation
from logging_system.alerting.facts import Began, Change, Ended
from logging_system.alerting.measures import MEASURES
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.rules.performance import Performance

START = 1_700_000_000.0
STEP_SECONDS = 5.0
AFTER_SECONDS = 25_000.0


class Telling:
    """The built-in rules, told what an example says; after it, that all is well or nothing."""

    def __init__(self) -> None:
        rules = Alerts().rules_in_force
        self.of_pipeline = {rule.name for rule in rules if rule.is_of_pipeline}
        self.evaluation = Evaluation(rules, lateness_seconds=300, series_max=1_000)
        self.now = START
        self.changes: list[Change] = []

    def look(self, seconds: float) -> None:
        self.now += seconds
        self.changes += self.evaluation.changes(Clock(self.now, self.now))

    def happens(self, name: str, example: Example) -> None:
        for lasting, document in example.told:
            for _ in range(max(1, round(lasting / STEP_SECONDS))):
                clock = Clock(self.now, self.now)
                if name in self.of_pipeline:
                    self.evaluation.tell_event(document, clock)
                else:
                    self.evaluation.tell(document, clock)
                self.look(STEP_SECONDS if lasting else 0.0)

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / 60)):
            self.look(60)


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda each: each.rule.name)
def test_its_example_fires_it_alone_once_and_it_ends(built_in: BuiltIn) -> None:
    telling = Telling()
    telling.happens(built_in.rule.name, built_in.fires)
    telling.passes(AFTER_SECONDS)

    assert [(type(each), each.rule) for each in telling.changes] == [
        (Began, built_in.rule.name),
        (Ended, built_in.rule.name),
    ]


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda each: each.rule.name)
def test_what_is_near_it_does_not_fire_it(built_in: BuiltIn) -> None:
    telling = Telling()
    telling.happens(built_in.rule.name, built_in.is_quiet)
    telling.passes(AFTER_SECONDS)

    assert telling.changes == []


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda each: each.rule.name)
def test_a_restart_in_its_midst_neither_forgets_nor_repeats_it(built_in: BuiltIn) -> None:
    telling = Telling()
    telling.happens(built_in.rule.name, built_in.fires)
    telling.look(STEP_SECONDS)
    began = len(telling.changes)
    content = telling.evaluation.content()
    telling.evaluation = Telling().evaluation
    assert telling.evaluation.restore(content) == []
    telling.passes(AFTER_SECONDS)

    assert began == 1
    assert [type(each) for each in telling.changes] == [Began, Ended]


def test_every_measure_has_a_rule() -> None:
    measures = [each.rule.measure for each in BUILT_IN if isinstance(each.rule, Performance)]

    assert sorted(measures) == sorted(MEASURES)


def test_the_built_in_rules_are_on_without_a_file_and_can_be_replaced_and_left_out() -> None:
    own = {"kind": "performance", "name": "queue_filling", "measure": "queue_fill", "limit": 0.5}
    names = [rule.name for rule in Alerts().rules_in_force]
    declared = Alerts.model_validate({"rules": [own], "without": ["key_trouble"]})
    in_force = {rule.name: rule for rule in declared.rules_in_force}

    assert names == ["errors", *(each.rule.name for each in BUILT_IN)]
    assert "key_trouble" not in in_force
    assert in_force["queue_filling"] == declared.rules[0]
    assert Alerts.model_validate({"built_in": False}).rules_in_force == Alerts().rules


def test_a_misspelt_name_in_without_gets_a_remedy() -> None:
    with pytest.raises(ValueError, match='no built-in rule "key_troubel"; did you mean "key_trouble"'):
        Alerts.model_validate({"without": ["key_troubel"]})


def test_a_jump_of_the_time_of_day_makes_nothing_last_longer() -> None:
    telling = Telling()
    (queue,) = [each for each in BUILT_IN if each.rule.name == "queue_filling"]
    bad = queue.fires.told[0][1]
    telling.happens("queue_filling", Example("", ((10, bad),)))
    telling.now += 50
    telling.happens("queue_filling", Example("", ((5, bad),)))

    assert telling.changes == []


def test_what_is_not_measured_any_more_ends() -> None:
    telling = Telling()
    (queue,) = [each for each in BUILT_IN if each.rule.name == "queue_filling"]
    telling.happens("queue_filling", queue.fires)
    telling.look(61)

    assert [type(each) for each in telling.changes] == [Began, Ended]
