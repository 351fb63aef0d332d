"""A lease counts until it runs out, or until its process has ended for certain, whichever is sooner."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from logging_system.keys.leases import LEASE_SECONDS, Lease, LeaseFile, leases
from logging_system.keys.process_life import ProcessIdentity, has_ended, own_identity

NOW = 1_000.0
RENEWING = """
import os, signal, sys
from pathlib import Path
from logging_system.keys.leases import LeaseFile
lease = LeaseFile(Path(sys.argv[1]), "reader", wall_clock=lambda: 1000.0)
lease.renew("logs", 3)
print("renewed", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def only(folder: Path) -> Lease:
    (lease,) = leases(folder, NOW)
    return lease


def own() -> ProcessIdentity:
    identity = own_identity()
    assert identity is not None
    return identity


def test_a_lease_ends_with_a_process_that_was_killed_though_nobody_has_waited_for_it_yet(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", RENEWING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"renewed\n"

        assert only(tmp_path).lapse(NOW) == ""

        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert only(tmp_path).lapse(NOW) == "process ended"

    assert only(tmp_path).lapse(NOW) == "process ended"
    assert only(tmp_path).versions == {"logs": 3}


def test_a_lease_of_a_process_that_lives_counts_until_it_runs_out(tmp_path: Path) -> None:
    lease_file = LeaseFile(tmp_path, "reader", wall_clock=lambda: NOW)
    lease_file.renew("logs", 3)

    assert only(tmp_path).lapse(NOW + LEASE_SECONDS - 1) == ""
    assert only(tmp_path).lapse(NOW + LEASE_SECONDS) == "lease expired"


@pytest.mark.parametrize(
    ("change", "ended"),
    [
        ({}, False),
        ({"started_ticks": 1}, True),  # its number was given to another process
        ({"system": "another boot, or another container"}, False),
        ({"pid": 2**22 + 1}, True),  # Linux has no higher one than 2^22
        ({"pid": 2**22 + 1, "system": "another boot, or another container"}, False),
        ({"pid": 2**70}, False),  # no number of a process: nothing is known
    ],
)
def test_a_process_is_gone_only_where_that_is_certain(change: dict[str, object], ended: bool) -> None:
    assert has_ended(replace(own(), **change)) is ended  # type: ignore[arg-type]


def test_a_lease_without_an_identity_counts_until_it_runs_out() -> None:
    lease = Lease("writer", "elsewhere:1", NOW + 1, {"logs": 1})

    assert lease.lapse(NOW) == ""
    assert lease.lapse(NOW + 1) == "lease expired"


def test_a_forked_child_has_an_identity_of_its_own(tmp_path: Path) -> None:
    lease_file = LeaseFile(tmp_path, "writer", wall_clock=lambda: NOW)
    lease_file.renew("logs", 1)
    child = os.fork()
    if child == 0:
        lease_file.renew("logs", 1)
        os._exit(0)
    os.waitpid(child, 0)
    found = {lease.identity.pid: lease.lapse(NOW) for lease in leases(tmp_path, NOW) if lease.identity}

    assert found == {os.getpid(): "", child: "process ended"}
