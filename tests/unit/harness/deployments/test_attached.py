"""The user's own services: never started, stopped or hurt, and refused beyond this machine."""

import socket
from pathlib import Path

import pytest

from harness.deployments.attached import AttachedServices
from harness.faults.black_hole import BlackHole
from harness.faults.killed import Killed
from harness.model.declarations import Part, Promises, Stack
from harness.model.errors import ScenarioError, UnavailableError
from harness.processes.clock import SystemClock
from harness.processes.ports import free_port
from harness.processes.readiness import answers
from harness.targets.capabilities import Untouchable


def stack(url: str | None, *may_hurt: str) -> Stack:
    return Stack(
        name="mine",
        needs=("elasticsearch",),
        links={},
        processes=(),
        intake=Part("http"),
        acknowledged_by="http_2xx",
        archive=Part("file"),
        promises=Promises(),
        source="mine.yaml",
        services={} if url is None else {"elasticsearch": url},
        may_hurt=may_hurt,
    )


def attach(scratch: Path, run_id: str, declared: Stack) -> AttachedServices:
    return AttachedServices(scratch, run_id, SystemClock(), declared)


def test_only_the_fault_proxy_is_started_and_stopped(scratch: Path, run_id: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store:
        url = f"http://127.0.0.1:{store.getsockname()[1]}"
        services = attach(scratch, run_id, stack(url))
        services.start()
        try:
            services.wait_ready(20)
            urls = services.urls()
            served = answers(f"{urls['proxy']}/version", 5)
        finally:
            services.stop()
            services.stop()
        socket.create_connection(store.getsockname(), timeout=5).close()

    assert served
    assert urls["elasticsearch"] == url
    assert not answers(f"{urls['proxy']}/version", 1)
    assert services.exited() == []


def test_no_fault_has_a_hold_on_a_service_that_was_not_started_here(scratch: Path, run_id: str) -> None:
    target = attach(scratch, run_id, stack("http://127.0.0.1:9200")).targets()["elasticsearch"]

    assert not any(isinstance(target, fault.needs) for fault in (Killed, BlackHole))
    assert isinstance(target, Untouchable)
    assert "did not start this process" in target.refusal


def test_a_store_beyond_this_machine_is_refused_before_anything_is_connected(
    scratch: Path, run_id: str
) -> None:
    with pytest.raises(ScenarioError, match=r'may_hurt: \["192\.0\.2\.7:9200"\]'):
        attach(scratch, run_id, stack("http://192.0.2.7:9200"))

    with pytest.raises(ScenarioError, match="beyond this machine"):
        attach(scratch, run_id, stack("http://store.invalid:9200", "other.invalid"))


def test_a_store_beyond_this_machine_that_is_named_is_taken(scratch: Path, run_id: str) -> None:
    services = attach(scratch, run_id, stack("http://store.invalid:9200", "store.invalid:9200"))

    assert services.urls()["elasticsearch"] == "http://store.invalid:9200"


def test_a_service_without_an_address_is_named_with_the_remedy(scratch: Path, run_id: str) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.yaml: services\.elasticsearch\.url: is missing"):
        attach(scratch, run_id, stack(None))


def test_a_store_that_does_not_run_makes_the_run_unavailable(scratch: Path, run_id: str) -> None:
    services = attach(scratch, run_id, stack(f"http://127.0.0.1:{free_port()}"))

    with pytest.raises(UnavailableError, match="takes no connection"):
        services.start()
