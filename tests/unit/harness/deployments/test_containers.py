"""The backend `containers` where no container can be started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.cleanup.leftovers import find_residue
from harness.deployments.containers import ContainerServices
from harness.model.declarations import Part, Promises, Stack
from harness.model.errors import ScenarioError, UnavailableError
from harness.processes import docker_daemon
from harness.processes.clock import SystemClock

pytest.importorskip("docker", reason="the extra containers is not installed")


def stack(*needs: str) -> Stack:
    return Stack("bare", needs, {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())


def test_without_a_daemon_the_check_before_a_run_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    (look,) = ContainerServices.requirements.more
    check = look()

    assert check.name == "docker"
    assert f"unix://{tmp_path}/none.sock" in check.seen
    assert "start it" in check.remedy
    assert "--backend local" in check.remedy


def test_a_daemon_of_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://build.example:2375")

    with pytest.raises(UnavailableError, match=r"tcp://build\.example:2375 is no socket of this machine"):
        docker_daemon.version()


def test_a_daemon_that_hangs_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")

        with (
            pytest.raises(UnavailableError, match="timed out"),
            docker_daemon.connected(timeout_seconds=0.2),
        ):
            pytest.fail("it answered")


def test_without_a_daemon_nothing_is_asked_what_earlier_runs_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    assert [one for one in find_residue(tmp_path, tmp_path / "journals") if one.sort == "container"] == []


def test_a_failed_start_leaves_no_process(
    scratch: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{scratch}/none.sock")
    services = ContainerServices(scratch, run_id, SystemClock(), stack("elasticsearch"))

    with pytest.raises(UnavailableError, match=f"the daemon at unix://{scratch}/none.sock"):
        services.start()


def test_a_service_that_the_backend_lacks_is_named_with_a_suggestion(scratch: Path, run_id: str) -> None:
    with pytest.raises(ScenarioError, match='Did you mean "elasticsearch"'):
        ContainerServices(scratch, run_id, SystemClock(), stack("elasticsearh"))


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"OperatingSystem": "Docker Desktop", "SecurityOptions": []}, "Docker Desktop's"),
        ({"OperatingSystem": "Debian", "SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
        ({"OperatingSystem": "Debian GNU/Linux 12", "SecurityOptions": ["name=seccomp,profile=default"]}, ""),
        ({"OperatingSystem": "Debian GNU/Linux 12", "SecurityOptions": None}, ""),
    ],
)
def test_a_daemon_in_another_network_does_not_suffice(info: dict[str, object], told: str) -> None:
    problem = docker_daemon.another_network(info)

    assert (told in problem) if told else problem == ""
