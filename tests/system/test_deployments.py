import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest
import requests
from elasticsearch import Elasticsearch

from harness.cleanup.leftovers import find_residue
from harness.deployments import BACKENDS
from harness.deployments.installed import SERVERS, find
from harness.deployments.service_set import ServiceSet
from harness.deployments.stack import LinkServers, StackDeployment
from harness.model.declarations import Part, Promises, Stack
from harness.processes import procfs
from harness.processes.clock import SystemClock
from harness.processes.scratch import OWNER_FILE, make_scratch, remove_scratch
from harness.targets.http_link import HttpLinkTarget
from harness.targets.interceptor_client import InterceptorClient
from harness.targets.link import LinkTarget
from harness.targets.toxiproxy_client import ToxiproxyClient

pytestmark = pytest.mark.alone

STACK = Stack(
    name="link-only",
    needs=("elasticsearch",),
    links={"to_store": "elasticsearch"},
    processes=(),
    intake=Part("python_logging"),
    acknowledged_by="return",
    archive=Part("elasticsearch"),
    promises=Promises(),
)

BACKEND_WORDS = ("embedded", pytest.param("local", marks=pytest.mark.servers))


def require_servers() -> None:
    missing = [name for name in SERVERS if find(name) is None]
    if missing and os.environ.get("LOGQUAKE_REQUIRE_SERVERS") == "1":
        pytest.fail(f"not installed: {', '.join(missing)}; run `make servers`")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; `make servers` installs them")


def processes_of(run_id: str, name: str = "") -> list[int]:
    return [
        pid
        for pid, variables in procfs.started_by_a_harness()
        if variables[procfs.RUN_ID_VARIABLE] == run_id
        and variables.get(procfs.PROCESS_VARIABLE, "").startswith(name)
    ]


@pytest.fixture
def run_id() -> str:
    return f"system-{uuid4().hex[:12]}"


@pytest.fixture
def scratch(run_id: str) -> Iterator[Path]:
    with whole_scratch(run_id) as folder:
        yield folder


@contextmanager
def whole_scratch(run_id: str) -> Iterator[Path]:
    """Yield a scratch folder, and see that neither it nor a process of its run stays."""
    folder = make_scratch(run_id)
    try:
        yield folder
    finally:
        remove_scratch(folder)
    assert processes_of(run_id) == []
    assert not folder.exists()


@pytest.fixture(scope="module", params=BACKEND_WORDS)
def services(request: pytest.FixtureRequest) -> Iterator[ServiceSet]:
    """The services of one backend, started once for all tests that take them, as a suite does."""
    if request.param == "local":
        require_servers()
    run_id = f"system-{uuid4().hex[:12]}"
    with whole_scratch(run_id) as scratch:
        deployment = deploy(request.param, scratch, run_id)
        try:
            deployment.start()
            deployment.wait_ready(90)
            yield deployment
        finally:
            deployment.stop()


BARE = Stack("bare", ("elasticsearch",), {}, (), Part("python_logging"), "return", Part("file"), Promises())


def deploy(backend: str, scratch: Path, run_id: str) -> ServiceSet:
    made: ServiceSet = BACKENDS.resolve(backend)(scratch, run_id, SystemClock(), BARE)
    return made


def test_killed_store_comes_back_with_what_it_acknowledged(services: ServiceSet) -> None:
    store = services.targets()["elasticsearch"]
    url = services.urls()["elasticsearch"]
    operations = [line for n in range(3) for line in ({"create": {"_id": str(n)}}, {"message": "kept"})]
    with closing(Elasticsearch(url)) as client:
        answer = client.bulk(index="kept", operations=operations)
        store.kill()
        state, orderly = store.describe_state(), store.stopped_orderly()
        gone = not store.alive()
        store.restart()
        client.indices.refresh(index="kept")
        kept = client.count(index="kept")["count"]

    assert not answer["errors"]
    assert (gone, orderly) == (True, False)
    assert "was killed (no clean shutdown)" in state
    assert kept == 3
    assert services.exited() == []


def test_fault_on_a_link_is_seen_from_outside_and_goes_again(
    services: ServiceSet, scratch: Path, run_id: str
) -> None:
    urls = services.urls()
    proxy, interceptor = ToxiproxyClient(urls["proxy"], 10), InterceptorClient(urls["interceptor"], 10)
    servers = LinkServers(proxy, interceptor)
    stack = StackDeployment(STACK, urls, servers, scratch, run_id, SystemClock())
    try:
        stack.start()
        stack.wait_ready(10)
        link = stack.targets()["to_store"]
        assert isinstance(link, LinkTarget)
        outcomes = [link.probe(10).outcome]
        for kind, seconds in (("timeout", 1), ("reset_peer", 10)):
            link.add_toxic("hurt", kind, "upstream", {"timeout": 0}, 1.0)
            outcomes.append(link.probe(seconds).outcome)
            link.remove_toxic("hurt")
            outcomes.append(link.probe(10).outcome)
        assert isinstance(link, HttpLinkTarget)
        link.add_rule("storm", "requests_refused", {"status": 429}, 1.0, 1)
        status = requests.post(f"{stack.values()['to_store.url']}/_bulk", data=b"", timeout=10).status_code
        counted = link.altered("storm", ["refused"])
        link.remove_rule("storm")
    finally:
        stack.stop()
    after = link.probe(10).outcome
    interceptors_left = interceptor.interceptors()

    assert outcomes == ["answered", "silent", "answered", "reset", "answered"]
    assert status == 429
    assert counted["refused"] == 1
    assert after == "refused"
    assert interceptors_left == []


@contextmanager
def linked(services: ServiceSet, scratch: Path, run_id: str) -> Iterator[StackDeployment]:
    """Yield one scenario's stack on shared services, with clients of its own, as scenarios have them."""
    urls = services.urls()
    proxy, interceptor = ToxiproxyClient(urls["proxy"], 10), InterceptorClient(urls["interceptor"], 10)
    stack = StackDeployment(STACK, urls, LinkServers(proxy, interceptor), scratch, run_id, SystemClock())
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def post(stack: StackDeployment) -> int:
    body = b'{"create": {"_index": "beside"}}\n{"message": "stored"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    url = f"{stack.values()['to_store.url']}/_bulk"
    return requests.post(url, data=body, headers=headers, timeout=10).status_code


def test_a_fault_on_one_scenarios_link_is_neither_felt_nor_counted_on_its_neighbours(
    services: ServiceSet, scratch: Path, run_id: str
) -> None:
    with (
        linked(services, scratch, f"{run_id}-01") as hurt,
        linked(services, scratch, f"{run_id}-02") as neighbour,
    ):
        link, beside = hurt.targets()["to_store"], neighbour.targets()["to_store"]
        assert isinstance(link, HttpLinkTarget)
        assert isinstance(beside, HttpLinkTarget)
        link.add_rule("storm", "requests_refused", {"status": 429}, 1.0, 1)
        statuses = (post(hurt), post(neighbour), post(neighbour))
        counted = link.altered("storm", ["refused"])
        counted_beside = beside.altered("storm", ["refused"], timeout_seconds=0)
        link.add_toxic("hurt", "reset_peer", "upstream", {"timeout": 0}, 1.0)
        outcomes = (link.probe(10).outcome, beside.probe(10).outcome)
        hurt.stop()
        after = (link.probe(10).outcome, beside.probe(10).outcome)

    assert statuses == (429, 200, 200)
    assert counted["refused"] == 1
    assert counted_beside == {}
    assert outcomes == ("reset", "answered")
    assert after == ("refused", "answered")


@pytest.mark.parametrize("backend", BACKEND_WORDS)
def test_services_that_are_not_ready_yet_are_stopped_whole(backend: str, scratch: Path, run_id: str) -> None:
    if backend == "local":
        require_servers()
    deployment = deploy(backend, scratch, run_id)
    deployment.start()
    begun = len(processes_of(run_id))

    deployment.stop()

    assert begun >= 2
    assert processes_of(run_id) == []


DYING_HARNESS = dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from harness.processes.clock import SystemClock
    from harness.deployments import BACKENDS
    from harness.model.declarations import Part, Promises, Stack
    backend, scratch, run_id = sys.argv[1:]
    parts = ({}, (), Part("python_logging"), "return", Part("file"), Promises())
    bare = Stack("bare", ("elasticsearch",), *parts)
    deployment = BACKENDS.resolve(backend)(Path(scratch), run_id, SystemClock(), bare)
    deployment.start()
    deployment.wait_ready(90)
    os.kill(os.getpid(), signal.SIGKILL)
    """
)


def ended_within(pid: int, seconds: float) -> bool:
    """Wait until a process has ended, at most `seconds`; tell whether it has."""
    try:
        grip = procfs.Grip(pid)
    except ProcessLookupError:
        return True
    try:
        return grip.ends_within(seconds)
    finally:
        grip.release()


def test_embedded_services_end_with_a_killed_harness(scratch: Path, run_id: str) -> None:
    subprocess.run(
        [sys.executable, "-c", DYING_HARNESS, "embedded", scratch, run_id], timeout=100, check=False
    )
    left = processes_of(run_id)
    try:
        gone = [ended_within(pid, 10) for pid in left]
    finally:
        killed = [procfs.kill(pid, 10) for pid in left]

    assert all(gone)
    assert all(killed)


@pytest.mark.servers
def test_real_servers_of_a_killed_harness_are_residue(scratch: Path, run_id: str) -> None:
    require_servers()
    installed = find("elasticsearch")
    assert installed is not None
    subprocess.run([sys.executable, "-c", DYING_HARNESS, "local", scratch, run_id], timeout=100, check=False)
    try:
        # The interceptor is a program of ours with a lifeline, on every backend: it ends by itself.
        interceptor_ended = all(ended_within(pid, 10) for pid in processes_of(run_id, "interceptor#"))
        named = {left.pid for left in find_residue() if left.run_id == run_id}
    finally:
        left = processes_of(run_id)
        killed = [procfs.kill(pid, 10) for pid in left]

    # The Toxiproxy server, the launcher of Elasticsearch and the server it launched.
    assert interceptor_ended
    assert len(left) == 3
    assert named == set(left)
    assert all(killed)
    began_ns = (scratch / OWNER_FILE).stat().st_mtime_ns
    written = [path for path in installed.folder.rglob("*") if path.stat().st_mtime_ns >= began_ns]
    assert written == []
