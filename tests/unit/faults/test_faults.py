"""Each fault on a target that keeps book: what it does, takes back, and takes for proof."""

from __future__ import annotations

from random import Random

import pytest

from harness.errors import FaultError, ScenarioError
from harness.faults.black_hole import BlackHole
from harness.faults.connection_reset import ConnectionReset
from harness.faults.killed import Killed
from harness.protocols import Undo
from harness.targets.capabilities import Killable, Probe, Severable


class BookkeepingLink:
    """A Severable that notes its toxics; `outcomes` are what its probes meet."""

    def __init__(self, *outcomes):
        self.toxics = {}
        self.outcomes = list(outcomes)

    def add_toxic(self, name, kind, stream, attributes, toxicity):
        self.toxics[name] = (kind, stream, dict(attributes), toxicity)

    def remove_toxic(self, name):
        del self.toxics[name]

    def undo_toxic(self, name):
        return Undo("remove_toxic", {"toxic": name})

    def probe(self, timeout_seconds=1.0):
        return Probe(self.outcomes.pop(0), 1.0)


class BookkeepingProcess:
    """A Killable that notes whether it lives."""

    def __init__(self, *, orderly=False, restarts=True):
        self.lives = True
        self.orderly = orderly
        self.restarts = restarts

    def kill(self):
        self.lives = False

    def restart(self):
        if not self.restarts:
            raise FaultError("it did not come back")
        self.lives = True

    def alive(self):
        return self.lives

    def stopped_orderly(self):
        return self.orderly

    def describe_state(self):
        return "pid 7 is gone"

    def undo_kill(self):
        return Undo("restart_process", {"process": "store"})


def test_the_stand_ins_have_the_capabilities():
    assert isinstance(BookkeepingLink(), Severable)
    assert isinstance(BookkeepingProcess(), Killable)


@pytest.mark.parametrize(
    ("fault", "toxic"),
    [
        (ConnectionReset(), ("reset_peer", "upstream", {"timeout": 0}, 1.0)),
        (ConnectionReset("downstream", 0.5), ("reset_peer", "downstream", {"timeout": 0}, 0.5)),
        (BlackHole(), ("timeout", "upstream", {"timeout": 0}, 1.0)),
        (BlackHole("downstream"), ("timeout", "downstream", {"timeout": 0}, 1.0)),
    ],
)
def test_a_link_carries_the_toxic_while_the_fault_is_on_and_its_undo_names_it(fault, toxic):
    link = BookkeepingLink()
    undo = fault.undo(link)
    with fault.inject(link, Random(1)):
        during = dict(link.toxics)

    assert during == {undo.arguments["toxic"]: toxic}
    assert link.toxics == {}


@pytest.mark.parametrize("fault", [ConnectionReset(), BlackHole()])
def test_a_toxic_goes_even_when_the_run_breaks_in_mid_fault(fault):
    link = BookkeepingLink()
    with pytest.raises(KeyError), fault.inject(link, Random(1)):
        raise KeyError

    assert link.toxics == {}


@pytest.mark.parametrize(
    ("outcomes", "landed"),
    [
        (["reset"] * 5, True),
        (["answered"] * 4 + ["reset"], True),
        (["answered"] * 5, False),
        (["closed"] * 5, False),
    ],
)
def test_a_reset_is_proved_by_a_reset_connection_of_our_own(outcomes, landed):
    seen, proof = ConnectionReset().evidence(BookkeepingLink(*outcomes))

    assert seen is landed
    assert f"{outcomes.count('reset')} of 5" in proof


@pytest.mark.parametrize(("outcome", "landed"), [("silent", True), ("answered", False), ("refused", False)])
def test_a_black_hole_is_proved_by_silence(outcome, landed):
    assert BlackHole().evidence(BookkeepingLink(outcome))[0] is landed


def test_a_killed_process_is_gone_while_the_fault_is_on_and_back_after_it():
    process = BookkeepingProcess()
    with Killed().inject(process, Random(1)):
        assert not process.lives
        assert Killed().evidence(process) == (True, "pid 7 is gone")

    assert process.lives


def test_a_process_that_stopped_in_good_order_was_not_killed():
    process = BookkeepingProcess(orderly=True)
    with Killed().inject(process, Random(1)):
        assert Killed().evidence(process)[0] is False


def test_a_process_that_does_not_come_back_is_an_error():
    with (
        pytest.raises(FaultError, match="did not come back"),
        Killed().inject(BookkeepingProcess(restarts=False), Random(1)),
    ):
        pass


@pytest.mark.parametrize("toxicity", [0, -0.1, 1.1])
def test_a_toxicity_that_is_no_share_is_refused(toxicity):
    with pytest.raises(ScenarioError, match="share of connections"):
        ConnectionReset(toxicity=toxicity)
