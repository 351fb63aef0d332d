"""Several processes as one target: hurt together, and back together."""

from typing import Any

from harness.targets.capabilities import Killable, Pausable, Stoppable
from harness.targets.processes import ProcessesTarget


class One:
    def __init__(self, name):
        self.name, self.runs, self.orderly = name, True, False

    def kill(self):
        self.runs, self.orderly = False, False

    def stop(self):
        self.runs, self.orderly = False, True

    def restart(self):
        self.runs = True

    def alive(self):
        return self.runs

    def stopped_orderly(self):
        return self.orderly

    def describe_state(self):
        return "runs" if self.runs else "is gone"


def two() -> list[Any]:
    return [One("a"), One("b")]


def test_all_are_killed_and_all_come_back():
    ones = two()
    target = ProcessesTarget(ones)

    target.kill()
    gone = target.alive(), target.stopped_orderly(), target.describe_state()
    target.restart()

    assert gone == (False, False, "a: is gone; b: is gone")
    assert all(one.alive() for one in ones)


def test_it_is_alive_while_one_of_them_is_and_stopped_orderly_once_all_are():
    ones = two()
    target = ProcessesTarget(ones)

    ones[0].stop()
    half = target.alive(), target.stopped_orderly()
    target.stop()

    assert half == (True, False)
    assert (target.alive(), target.stopped_orderly()) == (False, True)


def test_it_is_hurt_as_a_whole_and_its_undo_names_each():
    target = ProcessesTarget(two())

    assert isinstance(target, Killable)
    assert isinstance(target, Stoppable)
    assert not isinstance(target, Pausable)
    assert target.undo_kill().arguments == {"process": "a, b"}
