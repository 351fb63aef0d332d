"""What a harness that died by SIGKILL leaves: the watchdog ends it within seconds, `heal` undoes the rest."""

from __future__ import annotations

import json
import os
import signal
import time
from random import Random

import pytest

from harness.processes.procfs import kill
from tests.containers import image
from tests.system.machine import HERE, QUICK, TIMEOUT_SECONDS, Machine, wait_for

pytestmark = pytest.mark.alone

LINGERING = HERE / "stacks" / "lingering.yaml"
KILLS = int(os.environ.get("LOGQUAKE_HEAL_KILLS", "3"))
BACKEND = os.environ.get("LOGQUAKE_HEAL_BACKEND", "embedded")
# Containers where they are asked for, as `make containers-smoke` does: Elasticsearch takes its time to start.
BACKENDS = (
    *("embedded", pytest.param("local", marks=pytest.mark.servers)),
    *(["containers"] if BACKEND == "containers" else []),
)
SEED = 4
LATEST_SECONDS = {"embedded": 11.0, "local": 25.0, "containers": 40.0}


def _start(machine: Machine, backend: str = "embedded"):
    if backend == "containers":
        for server in ("elasticsearch", "toxiproxy"):
            image(server)  # skips without it
    return machine.start("run", QUICK, "--stack", LINGERING, "--backend", backend, "--out", machine.reports)


def _die(machine: Machine, process, *, with_watchdog: bool) -> None:
    """Kill the harness, and before it, where asked, the watchdog that would end what it leaves."""
    if with_watchdog and (watchdog := machine.process(process.pid, "watchdog")) is not None:
        kill(watchdog, 10)
    process.kill()
    process.communicate(timeout=TIMEOUT_SECONDS)


def _run_id(machine: Machine) -> str:
    """Return the id of the run that left something, "" where it died before there was anything to leave."""
    owners = [json.loads(path.read_text()) for path in machine.temporary.glob("*/owner.json")]
    return owners[0]["run_id"] if owners else ""


def _gone(machine: Machine, harness: int) -> bool:
    return machine.left_processes(harness) == [] == machine.containers(harness)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", BACKENDS)
def test_everything_ends_within_seconds_of_a_killed_harness(machine, backend):
    process = _start(machine, backend)
    wait_for(machine.open_faults, seconds=150)
    containers = machine.containers(process.pid)
    _die(machine, process, with_watchdog=False)
    wait_for(lambda: _gone(machine, process.pid), seconds=40)

    (log,) = machine.temporary.glob("*/watchdog.log")
    assert f"harness {process.pid}:" in log.read_text()
    assert "process ended: " in log.read_text()
    assert log.read_text().count("container removed: ") == len(containers)
    assert containers == (["elasticsearch", "proxy"] if backend == "containers" else [])


def test_the_guard_of_a_run_that_ends_in_good_order_ends_with_it(machine):
    process = _start(machine)
    wait_for(machine.open_faults)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 2, err
    assert _gone(machine, process.pid)


def test_doctor_names_heal_undoes_and_then_nothing_is_left(machine):
    process = _start(machine)
    wait_for(machine.open_faults)
    _die(machine, process, with_watchdog=True)
    run = _run_id(machine)
    wait_for(lambda: machine.process(process.pid, "oracle") is None)

    named_code, named, _ = machine.call("doctor")
    dry_code, dry, _ = machine.call("heal", "--dry-run", "--run", run)
    lingerer = machine.process(process.pid, "lingerer")
    healed_code, healed, _ = machine.call("heal", "--run", run)
    again = machine.call("heal", "--run", run)

    assert named_code == dry_code == 1
    for said in (named, dry):
        assert "step quick.0 may still be in effect: restart_process" in said
        assert f"process of run {run}-01" in said
        assert f"folder of run {run}" in said
    assert lingerer is not None
    assert healed_code == 0, healed
    assert f"process ended: {lingerer} " in healed
    assert "folder removed" in healed
    assert "journal removed" in healed
    assert _gone(machine, process.pid)
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []
    assert again == (0, "Earlier runs left nothing behind.\n", "")


def test_a_run_beside_a_dead_ones_leftovers_warns_and_is_not_disturbed(machine):
    process = _start(machine)
    wait_for(machine.open_faults)
    _die(machine, process, with_watchdog=False)

    after = machine.start("run", "no_fault", "--max-minutes", "0.05", "--out", machine.reports)
    _, err = after.communicate(timeout=TIMEOUT_SECONDS)

    assert "left by an earlier run: " in err
    assert "`logquake heal` undoes it" in err
    assert after.returncode == 6


def test_heal_leaves_a_running_harness_alone(machine):
    process = _start(machine)
    wait_for(machine.open_faults)
    run = _run_id(machine)

    code, said, _ = machine.call("heal", "--run", run)
    running = machine.processes(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT_SECONDS)

    assert (code, said) == (0, "Earlier runs left nothing behind.\n")
    assert {"watchdog", "proxy", "application", "lingerer"} <= set(running.values())


def test_an_undo_that_heal_does_not_know_is_said_with_what_to_do_by_hand(machine):
    machine.journals.mkdir(parents=True)
    journal = machine.journals / "foreign-01.jsonl"
    journal.write_text(
        '{"step": "a.0", "harness": "1:1", "action": "close_the_valve", "arguments": {"valve": "north"}}\n'
    )

    code, out, _ = machine.call("heal", "--run", "foreign")

    assert code == 1
    assert "still there: fault of run foreign-01" in out
    assert f"rm {journal}" in out


@pytest.mark.parametrize("number", range(KILLS))
@pytest.mark.timeout(180)
def test_nothing_is_left_after_heal_whenever_the_harness_was_killed(machine, number):
    rng = Random(f"{SEED}:{number}")
    moment_seconds, with_watchdog = rng.uniform(0.0, LATEST_SECONDS[BACKEND]), rng.random() < 0.5
    process = _start(machine, BACKEND)
    time.sleep(moment_seconds)
    _die(machine, process, with_watchdog=with_watchdog)
    run = _run_id(machine)
    if run:
        code, out, _ = machine.call("heal", "--run", run)
        assert code == 0, out
        assert out.endswith("Earlier runs left nothing behind.\n")

    kept = "with" if with_watchdog else "without"
    print(f"killed after {moment_seconds:.2f} s, {kept} its watchdog: run {run}")
    assert _gone(machine, process.pid)
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []
