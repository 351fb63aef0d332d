"""Containers of a run on a real Docker daemon, with the smallest servers that have an image.

They are skipped where no daemon answers or an image is missing.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from textwrap import dedent
from uuid import uuid4

import pytest

from harness.cleanup.healing import heal
from harness.cleanup.leftovers import find_residue, left_of_run
from harness.cleanup.undo_actions import carry_out
from harness.deployments import container_specs
from harness.deployments.alert_server_specs import api_url
from harness.deployments.container_images import TOXIPROXY
from harness.deployments.image_builds import BASE_IMAGE, build_image
from harness.deployments.installed import find
from harness.faults.frozen import Frozen
from harness.faults.killed import Killed
from harness.faults.mail_refused import MailRefused
from harness.faults.stopped import Stopped
from harness.model.declarations import Ready
from harness.model.errors import FaultError, SlowStartError, StackError
from harness.processes import docker_daemon
from harness.processes.clock import SystemClock
from harness.processes.container import ContainerSpec, ManagedContainer
from harness.processes.ports import free_port
from harness.processes.readiness import answers
from harness.targets.container import ContainerTarget
from harness.targets.mail_server import MailContainerTarget
from harness.targets.toxiproxy_client import ToxiproxyClient
from tests.containers import image

READY_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _daemon():
    image("toxiproxy")


@pytest.fixture
def run_id() -> Iterator[str]:
    name = f"container-{uuid4().hex[:12]}"
    yield name
    for left in docker_daemon.labelled():
        if left.run_id == name:
            docker_daemon.remove(left.id)


@pytest.fixture
def mailpit(tmp_path: Path) -> ContainerSpec:
    return container_specs.mailpit("smtp", tmp_path, free_port(), image("mailpit"))


@pytest.fixture
def started(run_id: str) -> Iterator[Callable[[ContainerSpec], ManagedContainer]]:
    made = []

    def start(spec: ContainerSpec) -> ManagedContainer:
        container = ManagedContainer(spec, run_id, SystemClock())
        made.append(container)
        container.start()
        container.wait_ready(READY_SECONDS)
        return container

    yield start
    for container in made:
        container.terminate(10)


def target_of(container: ManagedContainer) -> ContainerTarget:
    return ContainerTarget("smtp", container, READY_SECONDS)


def test_a_killed_container_is_gone_and_comes_back_at_the_same_address(mailpit, started):
    target, url = target_of(started(mailpit)), mailpit.ready.http

    with Killed().inject(target, Random(1)):
        proved, told = Killed().evidence(target)
        answered = answers(url, 2)
    back = answers(url, 2)

    assert proved, told
    assert "exited (exit code 137)" in told
    assert not answered
    assert back


def test_a_stopped_container_shuts_down_in_good_order_and_comes_back(mailpit, started):
    target = target_of(started(mailpit))

    with Stopped().inject(target, Random(1)):
        proved, told = Stopped().evidence(target)

    assert proved, told
    assert answers(mailpit.ready.http, 2)


def test_a_frozen_container_answers_nobody_until_it_goes_on(mailpit, started):
    target, url = target_of(started(mailpit)), mailpit.ready.http

    with Frozen().inject(target, Random(1)):
        proved, told = Frozen().evidence(target)
        answered = answers(url, 0.5)
    back = answers(url, 5)

    assert proved, told
    assert "paused" in told
    assert target.alive()
    assert not answered
    assert back


def test_a_frozen_container_can_be_killed(mailpit, started):
    target = target_of(started(mailpit))
    target.pause()

    target.kill()

    assert not target.alive()
    assert not target.stopped_orderly()


def test_what_is_not_running_cannot_be_hurt(mailpit, started):
    target = target_of(started(mailpit))
    target.kill()

    for hurt in (target.kill, target.stop, target.pause):
        with pytest.raises(FaultError, match="it is not running"):
            hurt()


def test_a_later_process_lets_a_frozen_container_go_on(mailpit, started):
    target = target_of(started(mailpit))
    target.pause()

    said = [carry_out(target.undo_pause()), carry_out(target.undo_pause())]

    assert not target.paused()
    assert said[0].endswith("(smtp) was resumed")
    assert said[1].endswith("(smtp) is not frozen any more")


def test_a_container_that_ends_by_itself_is_told_with_its_exit_code(mailpit, started):
    container = started(mailpit)
    with docker_daemon.connected() as client:
        client.kill(container.id, "SIGKILL")
        client.wait(container.id)

    assert container.ended_by_itself() == 137


def test_one_that_we_ended_did_not_end_by_itself(mailpit, started):
    container = started(mailpit)
    container.kill()

    assert container.ended_by_itself() is None


def test_every_port_is_published_to_loopback_alone(mailpit, started):
    container = started(mailpit)

    with docker_daemon.connected() as client:
        published = client.inspect_container(container.id)["NetworkSettings"]["Ports"]

    bound = {binding["HostIp"] for bindings in published.values() for binding in bindings or ()}
    assert bound == {"127.0.0.1"}


def test_a_container_may_gain_no_rights(mailpit, started):
    container = started(mailpit)

    with docker_daemon.connected() as client:
        host = client.inspect_container(container.id)["HostConfig"]

    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]
    assert host["Memory"] == mailpit.memory_mib << 20


def test_toxiproxy_shares_the_machines_network_and_binds_loopback_alone(tmp_path, started):
    port, link = free_port(), free_port()
    started(container_specs.toxiproxy("proxy", tmp_path, port, image("toxiproxy")))

    ToxiproxyClient(f"http://127.0.0.1:{port}").create("a", f"127.0.0.1:{link}", "127.0.0.1:1")

    # local_address of each listening socket (proc(5)): 0100007F is 127.0.0.1.
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    ours = {local for local in listening if int(local.rpartition(":")[2], 16) in {port, link}}
    assert ours == {f"0100007F:{port:04X}", f"0100007F:{link:04X}"}


def test_a_container_that_never_serves_is_given_up_with_the_end_of_its_log(mailpit, run_id):
    unasked = f"http://127.0.0.1:{free_port()}/"
    container = ManagedContainer(replace(mailpit, ready=Ready(http=unasked)), run_id, SystemClock())
    try:
        container.start()
        with pytest.raises(SlowStartError, match=rf"is not ready after 0\.5 s: {unasked}"):
            container.wait_ready(0.5)
    finally:
        container.terminate(10)


def test_a_container_whose_server_ends_at_once_is_told_with_the_end_of_its_log(mailpit, run_id):
    container = ManagedContainer(replace(mailpit, arguments=("--no-such-flag",)), run_id, SystemClock())
    try:
        container.start()
        with pytest.raises(StackError, match=r"(?s)ended with exit code 1\..*mailpit"):
            container.wait_ready(READY_SECONDS)
    finally:
        container.terminate(10)


def test_a_mail_server_in_a_container_refuses_mail_while_it_is_told_to(mailpit, started, tmp_path):
    container = started(mailpit)
    (smtp_port, _) = mailpit.ports.values()
    url = api_url("smtp", tmp_path)
    target = MailContainerTarget(
        "smtp", container, READY_SECONDS, address=("127.0.0.1", smtp_port), api_url=url
    )

    with MailRefused(451).inject(target, Random(1)):
        refused = target.mail_answer()

    assert refused == 451
    assert target.mail_answer() == 250


def test_a_container_that_cannot_start_leaves_nothing(mailpit, run_id, started):
    started(mailpit)
    second = ManagedContainer(mailpit, f"{run_id}-2", SystemClock())

    with pytest.raises(StackError, match=r'container "smtp".*(?i:port)'):
        second.start()

    assert left_of_run(f"{run_id}-2") == []


def test_nothing_is_left_of_a_run_once_its_containers_are_terminated(mailpit, run_id, started):
    container = started(mailpit)
    before = left_of_run(run_id)
    container.terminate(10)
    container.terminate(10)

    assert [line.split()[0] for line in before] == ["container"]
    assert left_of_run(run_id) == []


def test_what_a_killed_harness_left_is_found_and_removed(run_id, tmp_path):
    program = dedent(
        """
        import sys, time
        from pathlib import Path
        from harness.deployments import container_specs
        from harness.processes.clock import SystemClock
        from harness.processes.container import ManagedContainer
        from harness.processes.ports import free_port
        spec = container_specs.toxiproxy("proxy", Path(sys.argv[1]), free_port(), sys.argv[2])
        ManagedContainer(spec, sys.argv[3], SystemClock()).start()
        print("started", flush=True)
        time.sleep(60)
        """
    )
    command = [sys.executable, "-c", program, str(tmp_path), image("toxiproxy"), run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
        try:
            assert harness.stdout is not None
            assert harness.stdout.readline() == "started\n"
            while_it_lives = containers(run_id, tmp_path)
        finally:
            harness.kill()
    after = containers(run_id, tmp_path)
    said: list[str] = []

    heal(said.append, tmp_path, tmp_path / "journals", run_id)

    assert while_it_lives == []
    assert [one.remedy.split()[:2] for one in after] == [["docker", "rm"]]
    assert [line for line in said if "container removed" in line]
    assert containers(run_id, tmp_path) == []


def containers(run_id: str, folder: Path) -> list:
    found = find_residue(folder, folder / "journals", run_id)
    return [one for one in found if one.sort == "container"]


def test_the_age_of_a_container_is_told(mailpit, started, run_id):
    started(mailpit)

    (found,) = [one for one in docker_daemon.labelled() if one.run_id == run_id]

    assert abs(time.time() - found.created_seconds) < 120
    assert found.service == "smtp"


def test_an_image_made_here_runs_its_server_as_a_user_other_than_root(tmp_path, started):
    if not docker_daemon.has_image(BASE_IMAGE) or (toxiproxy := find("toxiproxy")) is None:
        pytest.skip(f"needs {BASE_IMAGE} and an installed Toxiproxy; `make servers images` makes both")
    name = f"logquake-toxiproxy:test-{uuid4().hex[:12]}"
    try:
        build_image(replace(TOXIPROXY, made_here=name), toxiproxy)
        container = started(container_specs.toxiproxy("proxy", tmp_path, free_port(), name))
        with docker_daemon.connected() as client:
            processes = client.top(container.id, "-eo pid,uid")["Processes"]
        container.terminate(10)
    finally:
        with docker_daemon.connected() as client:
            client.remove_image(name, force=True)

    assert {uid for _, uid in processes} == {"65534"}


def test_one_that_we_end_and_start_again_is_never_said_to_have_ended_by_itself(mailpit, started):
    """A run looks round on another thread while a fault is under way."""
    container = started(mailpit)
    seen: list[int | None] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(container.ended_by_itself())

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            for _ in range(3):
                container.kill()
                container.start()
        finally:
            over.set()
        looking.result(timeout=60)

    assert len(seen) > 3
    assert set(seen) == {None}
