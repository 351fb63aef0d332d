"""Cores taken by the run's own processes and by others, on processes that burn a core for a moment."""

import os
import subprocess
import sys
import time

from harness.model.facts import CORES_OTHERS, CORES_RUN
from harness.processes import procfs
from harness.processes.cores import Cores

# It still runs when it is looked at: what an orphan ran for is gone with it.
BURN = """
import time
until = time.process_time() + 0.4
while time.process_time() < until:
    pass
print(flush=True)
time.sleep(1)
"""
# A child in a session of its own, whose parent does not wait for it: what a daemon does.
DAEMON = "import os, sys; os.setsid(); os.fork() and os._exit(0); exec(sys.argv[1])"


def _cpu_seconds(name, code, environment):
    """Return what a program is seen to burn, in seconds of one core."""
    cores = Cores()
    cores.usage()
    began = time.monotonic()
    command = [sys.executable, "-c", DAEMON, code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return cores.usage()[name] * (time.monotonic() - began)


def test_what_a_process_of_the_run_burns_is_the_runs_even_where_it_left_its_parent():
    own = {procfs.RUN_ID_VARIABLE: "r", procfs.HARNESS_VARIABLE: procfs.mark(os.getpid())}

    assert _cpu_seconds(CORES_RUN, BURN, {**os.environ, **own}) >= 0.2


def test_what_a_stranger_burns_is_the_others():
    assert _cpu_seconds(CORES_OTHERS, BURN, dict(os.environ)) >= 0.2


def test_the_first_look_has_nothing_to_compare_with():
    assert Cores().usage() == {}
