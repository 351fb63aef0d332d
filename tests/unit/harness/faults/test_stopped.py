"""A stopped process had its time to end: only an end in good order is proof."""

import contextlib
import sys
from random import Random

import pytest

from harness.faults.stopped import Stopped
from harness.model.declarations import Ready
from harness.model.errors import FaultError
from harness.processes.clock import SystemClock
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.targets.capabilities import Stoppable
from harness.targets.process import ProcessTarget

ORDERLY = (
    "import sys, signal; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); sys.stdin.read()"
)


@pytest.fixture
def target(tmp_path):
    command = (sys.executable, "-c", ORDERLY)
    ready = Ready(output="up", timeout_seconds=20)
    spec = ProcessSpec("it", command, tmp_path, tmp_path / "it.log", lifeline=True, ready=ready)
    process = ManagedProcess(spec, "r-stopped", SystemClock())
    process.start()
    process.wait_ready(20)
    yield ProcessTarget("it", command, process, 20)
    process.kill()


def test_a_process_is_gone_while_the_fault_is_on_and_back_after_an_error(target):
    assert isinstance(target, Stoppable)
    seen = []
    with contextlib.suppress(RuntimeError), Stopped().inject(target, Random(1)):
        seen.append(Stopped().evidence(target)[0])
        raise RuntimeError

    assert seen == [True]
    assert target.alive()


def test_a_killed_process_is_no_proof(target):
    target.kill()

    assert Stopped().evidence(target)[0] is False


def test_what_does_not_run_cannot_be_stopped(target):
    target.kill()

    with pytest.raises(FaultError, match="it is not running, so there is nothing to stop"):
        target.stop()
