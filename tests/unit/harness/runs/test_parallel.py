import threading
import time

import pytest

from harness.model.errors import InternalError, InterruptedRunError, TimeIsUpError, UnavailableError
from harness.processes.clock import SystemClock
from harness.runs.parallel import SideBySide

SECONDS_MAX = 20
ENDED = UnavailableError("the disk is full")


class Task:
    """A task that waits in good order until something ends its wait, and notes what that was."""

    def __init__(self):
        self.begun = threading.Event()
        self.ended_by = None

    def __call__(self, clock):
        self.begun.set()
        try:
            clock.sleep(3600)
        except (InterruptedRunError, TimeIsUpError) as error:
            self.ended_by = error
            clock.sleep(0)  # its cleaning up
            return error
        return None


def test_all_tasks_run_and_never_more_at_a_time_than_asked_for():
    lock, now, most, done = threading.Lock(), [], [], []
    pair = threading.Barrier(2, timeout=SECONDS_MAX)

    def task(clock):
        with lock:
            now.append(task)
            most.append(len(now))
        pair.wait()
        with lock:
            now.pop()
            done.append(task)

    ended_by = SideBySide(2, SystemClock()).run([task] * 6)

    assert ended_by is None
    assert len(done) == 6
    assert max(most) == 2


def test_what_ends_the_run_in_one_task_ends_the_waits_of_the_others():
    neighbour = Task()

    def ends(clock):
        assert neighbour.begun.wait(SECONDS_MAX)
        return ENDED

    ended_by = SideBySide(2, SystemClock()).run([neighbour, ends])

    assert ended_by is ENDED
    assert isinstance(neighbour.ended_by, InterruptedRunError)
    assert "the disk is full" in str(neighbour.ended_by)


def test_once_the_run_has_ended_no_other_task_begins():
    begun: list[object] = []

    ended_by = SideBySide(1, SystemClock()).run([lambda clock: ENDED, begun.append])

    assert ended_by is ENDED
    assert begun == []


def test_a_signal_ends_one_wait_of_each_task_and_none_of_the_cleaning_up():
    signals: list[object] = []
    tasks = [Task(), Task()]
    clock = SystemClock(signals=lambda: len(signals))

    def asks_to_end(clock):
        assert all(task.begun.wait(SECONDS_MAX) for task in tasks)
        signals.append("SIGTERM")

    ended_by = SideBySide(3, clock).run([*tasks, asks_to_end])
    clock.sleep(0)

    assert isinstance(ended_by, InterruptedRunError)
    assert [type(task.ended_by) for task in tasks] == [InterruptedRunError] * 2
    assert {str(task.ended_by) for task in tasks} == {"the run was asked to end by a signal"}


def test_the_end_of_the_runs_time_ends_one_wait_of_each_task_and_none_of_the_cleaning_up():
    tasks = [Task(), Task()]
    # Long enough for both to begin before it.
    clock = SystemClock(deadline_ns=time.monotonic_ns() + 1_000_000_000)

    ended_by = SideBySide(2, clock).run(tasks)
    clock.sleep(0)

    assert isinstance(ended_by, TimeIsUpError)
    assert [type(task.ended_by) for task in tasks] == [TimeIsUpError] * 2


@pytest.mark.parametrize("defect", [KeyError("no such part"), SystemExit("no such part")])
def test_a_task_that_breaks_ends_the_run_as_a_defect_of_ours(defect):
    neighbour = Task()

    def breaks(clock):
        assert neighbour.begun.wait(SECONDS_MAX)
        raise defect

    ended_by = SideBySide(2, SystemClock()).run([neighbour, breaks])

    assert isinstance(ended_by, InternalError)
    assert "no such part" in str(ended_by)
    assert neighbour.ended_by is not None


def test_whatever_else_ends_the_wait_for_them_ends_the_tasks_too():
    neighbour = Task()

    def presses_control_c():
        if neighbour.begun.is_set() and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return 0

    with pytest.raises(KeyboardInterrupt):
        SideBySide(1, SystemClock(signals=presses_control_c)).run([neighbour])
    assert neighbour.ended_by is not None
