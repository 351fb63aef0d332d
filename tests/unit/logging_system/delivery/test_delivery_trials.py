from __future__ import annotations

import random

import pytest

from logging_system.delivery.commands import BuryDeadLetter
from logging_system.delivery.outcomes import RequestRefused
from logging_system.delivery.trials import REFUSALS_MAX, WITNESS_SECONDS_MAX
from tests.unit.logging_system.delivery.test_delivery_machine import STORED, each, items, machine

REFUSAL = RequestRefused("no JSON", 400)
BROKEN = 1_000_000
"""Sequence of a document that the store refuses for good."""


class Scene:
    """A machine, a store that refuses when `refuses` says so, and virtual time in steps of 0.1 s."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.machine = machine()
        self.machine.rng = self.rng
        self.now = 0.0
        self.sequence = 0
        self.buried: list[int] = []
        self.accepted_requests = 0

    def step(self, *, refuses: bool, fresh: int = 1) -> None:
        """Let 0.1 s pass, with so many fresh records."""
        self.now += 0.1
        self.machine.take(items(*range(self.sequence + 1, self.sequence + 1 + fresh)), self.now)
        self.sequence += fresh
        for command in self.machine.commands(self.now):
            if isinstance(command, BuryDeadLetter):
                self.buried.append(command.item.sequence)
                self.machine.buried(command.item)
                continue
            broken = any(item.sequence == BROKEN for item in command.items)
            answer = REFUSAL if refuses or broken else each(*[STORED] * len(command.items))
            self.accepted_requests += answer is not REFUSAL
            self.machine.answered(command.number, answer, self.now)


def test_a_broken_document_is_given_up_after_so_many_acceptances_of_others() -> None:
    scene = Scene(1)
    scene.machine.take(items(BROKEN, epoch=b"p" * 16), 0.0)
    while not scene.buried and scene.now < 600.0:
        scene.step(refuses=False)

    assert scene.buried == [BROKEN]
    assert scene.accepted_requests >= REFUSALS_MAX
    assert scene.now < 60.0


def test_a_broken_document_is_not_given_up_while_nothing_else_is_accepted() -> None:
    scene = Scene(1)
    scene.machine.take(items(BROKEN), 0.0)
    for _ in range(6_000):
        scene.step(refuses=False, fresh=0)

    assert scene.buried == []


@pytest.mark.parametrize("seed", range(10))
def test_no_outage_makes_a_dead_letter_however_often_it_comes_back(seed: int) -> None:
    scene = Scene(seed)
    for place in range(6_000):
        scene.step(refuses=place % 70 < 60)  # six seconds of outage in seven

    assert scene.buried == []


@pytest.mark.parametrize("seed", range(10))
def test_one_server_of_three_that_refuses_everything_makes_no_dead_letter(seed: int) -> None:
    scene = Scene(seed)
    for _ in range(3_000):
        scene.step(refuses=scene.rng.random() < 1 / 3)

    assert scene.buried == []
    assert scene.machine.progress.unfinished < 300


def test_a_refusal_counts_only_right_behind_an_acceptance() -> None:
    scene = Scene(1)
    scene.machine.take(items(BROKEN, epoch=b"p" * 16), 0.0)
    for place in range(3_000):  # a record now and then, and most tries of the broken one long after it
        scene.step(refuses=False, fresh=place % 100 == 0)
        if scene.buried:
            break

    assert scene.accepted_requests >= REFUSALS_MAX
    assert scene.now >= (REFUSALS_MAX - 1) * 10.0 > WITNESS_SECONDS_MAX
    assert scene.buried == [BROKEN]
