"""A fault that lasts as long as a block: undo first, proof, healing on every path."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import ClassVar

import pytest

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.runs.held_fault import held

TARGET = object()


class Journal:
    """Remembers what is still to be undone, and all that happened in order."""

    def __init__(self, story: list[str]) -> None:
        self.open: set[str] = set()
        self._story = story

    def before(self, step: str, undo: Undo) -> None:
        self._story.append(f"noted {undo.action}")
        self.open.add(step)

    def done(self, step: str) -> None:
        self._story.append("done")
        self.open.discard(step)


class Cut:
    """A fault that lands at the look of that number, if at all."""

    needs: ClassVar[type] = object

    def __init__(self, story: list[str], lands_at: int = 1, heals: bool = True) -> None:
        self._story = story
        self._lands_at = lands_at
        self._heals = heals
        self.looks = 0

    def undo(self, target: object) -> Undo:
        return Undo("mend", {})

    @contextmanager
    def inject(self, target: object, rng: Random):
        self._story.append("injected")
        try:
            yield
        finally:
            if not self._heals:
                raise FaultError("the link stays cut")
            self._story.append("healed")

    def evidence(self, target: object) -> tuple[bool, str]:
        self.looks += 1
        return self.looks == self._lands_at, f"look {self.looks}"


@pytest.fixture
def story() -> list[str]:
    return []


@pytest.fixture
def journal(story) -> Journal:
    return Journal(story)


def hold(fault: Cut, journal: Journal):
    return held(fault, TARGET, journal, "cut on link", Random(1))


def test_the_undo_is_noted_before_and_done_after(story, journal):
    with hold(Cut(story), journal) as proof:
        story.append("used")

    assert story == ["noted mend", "injected", "used", "healed", "done"]
    assert (proof.landed, proof.seen) == (True, "look 1")


def test_one_that_lands_late_is_proved_by_a_second_look(story, journal):
    with hold(Cut(story, lands_at=2), journal) as proof:
        assert not proof.landed

    assert (proof.landed, proof.seen) == (True, "look 2")


def test_one_that_never_lands_is_an_error_and_is_healed(story, journal):
    with pytest.raises(FaultError, match="cut on link was not proved to have landed: look 2"):  # noqa: SIM117
        with hold(Cut(story, lands_at=0), journal):
            pass

    assert story[-2:] == ["healed", "done"]


@pytest.mark.parametrize("error", [AssertionError("the test's own"), KeyboardInterrupt()])
def test_what_goes_wrong_inside_is_passed_on_once_the_fault_is_healed(story, journal, error):
    with pytest.raises(type(error)) as caught, hold(Cut(story, lands_at=0), journal):
        raise error

    assert caught.value is error
    assert story[-2:] == ["healed", "done"]


def test_one_that_cannot_be_healed_stays_in_the_journal(story, journal):
    with pytest.raises(FaultError, match="the link stays cut"), hold(Cut(story, heals=False), journal):
        pass

    assert journal.open == {"cut on link"}
