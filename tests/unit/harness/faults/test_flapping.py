"""The flapping link's switch on a thread of its own; tests wait for what it does, never for time to pass."""

from __future__ import annotations

import threading
from random import Random

import pytest

from harness.faults.flapping import Flapping
from harness.model.errors import FaultError, ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Disconnectable, Probe

PATIENCE_SECONDS = 10.0


class BookkeepingLink:
    """A Disconnectable that notes each turn of the switch and tells when there were enough."""

    def __init__(self, turns_awaited=1, *, breaks_at=0):
        self.is_up = True
        self.turns = []
        self.enough = threading.Event()
        self._turns_awaited = turns_awaited
        self._breaks_at = breaks_at

    def disconnect(self):
        self._turn("down")
        self.is_up = False

    def connect(self):
        self._turn("up")
        self.is_up = True

    def undo_disconnect(self):
        return Undo("enable_proxy", {"proxy": "x"})

    def probe(self, timeout_seconds=1.0):
        return Probe("answered" if self.is_up else "refused", 1.0)

    def _turn(self, way):
        self.turns.append(way)
        if len(self.turns) >= self._turns_awaited:
            self.enough.set()
        if len(self.turns) == self._breaks_at:
            raise FaultError("the proxy hangs")


FAST = Flapping(down_seconds=0.02, up_seconds=0.02)


def test_the_stand_in_has_the_capability():
    assert isinstance(BookkeepingLink(), Disconnectable)


def test_the_link_goes_down_and_up_in_turns_and_is_up_at_the_end():
    link = BookkeepingLink(turns_awaited=4)
    with FAST.inject(link, Random(1)):
        came = link.enough.wait(PATIENCE_SECONDS)

    assert came
    assert link.turns[:4] == ["down", "up", "down", "up"]
    assert link.is_up


def test_the_link_is_up_at_the_end_although_it_was_down():
    link = BookkeepingLink()
    with Flapping(down_seconds=60, up_seconds=60).inject(link, Random(1)):
        link.enough.wait(PATIENCE_SECONDS)

    assert link.turns == ["down", "up"]
    assert link.is_up


def test_the_link_is_up_even_when_the_run_breaks_in_mid_fault():
    link = BookkeepingLink()
    with pytest.raises(KeyError), Flapping(60, 60).inject(link, Random(1)):
        raise KeyError

    assert link.is_up


def test_a_switch_that_cannot_be_worked_is_an_error_at_the_end():
    link = BookkeepingLink(turns_awaited=2, breaks_at=2)
    with pytest.raises(FaultError, match="the proxy hangs"), FAST.inject(link, Random(1)):
        link.enough.wait(PATIENCE_SECONDS)


def test_no_switch_works_on_after_the_fault():
    with FAST.inject(BookkeepingLink(), Random(1)):
        pass

    assert "flapping" not in [thread.name for thread in threading.enumerate()]


def test_flapping_is_proved_by_a_refusal_and_an_answer():
    link = BookkeepingLink()
    with FAST.inject(link, Random(1)):
        landed, proof = Flapping(down_seconds=5, up_seconds=5).evidence(link)

    assert landed
    assert "answered" in proof
    assert "refused" in proof


@pytest.mark.parametrize("is_up", [True, False])
def test_a_link_that_stays_up_or_stays_down_does_not_flap(is_up):
    link = BookkeepingLink()
    link.is_up = is_up

    assert FAST.evidence(link)[0] is False


@pytest.mark.parametrize("arguments", [{"down_seconds": 0.01}, {"up_seconds": 61.0}])
def test_times_no_switch_can_follow_are_refused(arguments):
    with pytest.raises(ScenarioError, match="_seconds"):
        Flapping(**arguments)
