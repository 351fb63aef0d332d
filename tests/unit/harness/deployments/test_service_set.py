import os
import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest

from harness.deployments import BACKENDS
from harness.deployments.service_set import Program, ServiceSet
from harness.model.declarations import Part, Promises, Ready, Stack
from harness.model.errors import FaultError, ScenarioError, StackError, UnavailableError
from harness.processes.clock import SystemClock
from harness.processes.managed import ProcessSpec
from harness.processes.readiness import answers

SERVER = dedent(
    """
    import http.server, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(sys.argv[2].encode())
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """
)


STACK = Stack(
    "bare", ("elasticsearch",), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises()
)


def server(name: str, scratch: Path, port: int) -> ProcessSpec:
    return serving("here", name, scratch, port)


def serving(content: str, name: str, scratch: Path, port: int) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-c", SERVER, str(port), content),
        folder=scratch,
        log=scratch / f"{name}.log",
        ready=Ready(http=f"http://127.0.0.1:{port}/"),
    )


PROGRAMS: Mapping[str, Program] = {"proxy": server, "interceptor": server, "store": server}


def program_that_is_missing(name: str, scratch: Path, port: int) -> ProcessSpec:
    raise UnavailableError("store: not installed")


def services(
    scratch: Path, run_id: str, programs: Mapping[str, Program], needs: tuple[str, ...] = ("store",)
) -> ServiceSet:
    return ServiceSet(programs, scratch, run_id, SystemClock(), needs)


def test_services_answer_at_their_urls_until_they_are_stopped(scratch: Path, run_id: str) -> None:
    deployment = services(scratch, run_id, PROGRAMS)
    urls = deployment.urls()
    try:
        deployment.start()
        deployment.wait_ready(20)
        served = {name: answers(url, 5) for name, url in urls.items()}
    finally:
        deployment.stop()
        deployment.stop()

    assert served == {"proxy": True, "interceptor": True, "store": True}
    assert not answers(urls["store"], 5)
    assert deployment.exited() == []


def test_a_service_has_the_other_word_by_which_scenarios_know_it(scratch: Path, run_id: str) -> None:
    aliases = {"key_server": "store"}
    deployment = ServiceSet(PROGRAMS, scratch, run_id, SystemClock(), ("store",), aliases)
    try:
        deployment.start()
        targets = deployment.targets()
    finally:
        deployment.stop()

    assert targets.keys() == {"store", "key_server"}
    assert targets["key_server"] is targets["store"]


def test_a_server_that_answers_nobody_is_ready_once_it_listens(scratch: Path, run_id: str) -> None:
    def silent(name: str, folder: Path, port: int) -> ProcessSpec:
        listening = (
            "import socket, signal, sys, time; time.sleep(0.3); "
            "s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); signal.pause()"
        )
        command = (sys.executable, "-c", listening, str(port))
        ready = Ready(listens=f"127.0.0.1:{port}")
        return ProcessSpec(name, command, folder, folder / f"{name}.log", ready=ready)

    deployment = services(scratch, run_id, {**PROGRAMS, "store": silent})
    try:
        deployment.start()
        deployment.wait_ready(20)
        port = int(deployment.urls()["store"].rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    finally:
        deployment.stop()


def test_killed_service_comes_back_at_the_same_url(scratch: Path, run_id: str) -> None:
    deployment = services(scratch, run_id, PROGRAMS)
    try:
        deployment.start()
        deployment.wait_ready(20)
        store = deployment.targets()["store"]
        store.kill()
        gone = not answers(deployment.urls()["store"], 5)
        store.restart()
        back = answers(deployment.urls()["store"], 5)
    finally:
        deployment.stop()

    assert gone
    assert back


def test_fault_proxy_and_interceptor_come_always_and_are_no_targets(scratch: Path, run_id: str) -> None:
    deployment = services(scratch, run_id, PROGRAMS, needs=())

    assert list(deployment.urls()) == ["proxy", "interceptor"]
    assert list(deployment.targets()) == []


def test_service_that_the_backend_lacks_is_named_with_a_suggestion(scratch: Path, run_id: str) -> None:
    with pytest.raises(ScenarioError, match='no service "stor"'):
        services(scratch, run_id, PROGRAMS, needs=("stor",))


def test_a_further_node_on_a_backend_of_one_is_refused_with_the_backend_that_has_it(
    scratch: Path, run_id: str
) -> None:
    needs = ("elasticsearch", "elasticsearch_2")
    with pytest.raises(
        ScenarioError, match=r'one node of elasticsearch, and no "elasticsearch_2"\. Use --backend local'
    ):
        services(scratch, run_id, {**PROGRAMS, "elasticsearch": server}, needs=needs)


def test_the_elected_master_is_the_node_that_the_nodes_name_when_a_fault_begins(
    scratch: Path, run_id: str
) -> None:
    """The nodes are stand-ins that answer as `_cat/master` does; `make prove-many` kills a real one."""
    node: Program = partial(serving, '[{"id": "x", "node": "elasticsearch_2"}]')
    programs = {**PROGRAMS, "elasticsearch": node, "elasticsearch_2": node}
    deployment = services(scratch, run_id, programs, needs=("elasticsearch", "elasticsearch_2"))
    try:
        deployment.start()
        deployment.wait_ready(20)
        targets = deployment.targets()
        master = targets["elected_master"]
        undo = master.undo_kill()
        master.kill()
        state = master.describe_state()
        alive = targets["elasticsearch"].alive(), targets["elasticsearch_2"].alive()
        master.restart()
        back = targets["elasticsearch_2"].alive()
    finally:
        deployment.stop()

    assert undo.arguments["process"] == "elasticsearch_2"
    assert alive == (True, False)
    assert state.startswith("elasticsearch_2, the elected master when the fault began: pid ")
    assert state.endswith("was killed (no clean shutdown)")
    assert back


def test_a_cluster_without_an_elected_master_says_what_its_nodes_answer(scratch: Path, run_id: str) -> None:
    programs = {**PROGRAMS, "elasticsearch": server, "elasticsearch_2": server}
    deployment = services(scratch, run_id, programs, needs=("elasticsearch", "elasticsearch_2"))
    try:
        deployment.start()
        deployment.wait_ready(20)
        with pytest.raises(FaultError, match=r"has none now \(no answer \(JSONDecodeError\), no answer"):
            deployment.targets()["elected_master"].undo_kill()
    finally:
        deployment.stop()


def test_failed_start_stops_what_was_started_before(scratch: Path, run_id: str) -> None:
    deployment = services(scratch, run_id, {**PROGRAMS, "store": program_that_is_missing})

    with pytest.raises(UnavailableError, match="not installed"):
        deployment.start()

    # That no process of the run is left is what the scratch fixture asserts.
    assert not answers(deployment.urls()["proxy"], 1)


def test_service_that_ends_by_itself_is_told_with_its_exit_code(scratch: Path, run_id: str) -> None:
    def crashing(name: str, scratch: Path, port: int) -> ProcessSpec:
        command = (sys.executable, "-c", "raise SystemExit(6)")
        log, never = scratch / "crash.log", Ready(output="never")
        return ProcessSpec(name=name, command=command, folder=scratch, log=log, ready=never)

    deployment = services(scratch, run_id, {**PROGRAMS, "store": crashing})
    try:
        deployment.start()
        with pytest.raises(StackError, match='"store" ended with exit code 6'):
            deployment.wait_ready(20)
        exited = deployment.exited()
    finally:
        deployment.stop()

    assert exited == [("store", 6)]


def test_service_that_is_too_slow_is_the_machines_fault_and_not_a_stacks(scratch: Path, run_id: str) -> None:
    def never_ready(name: str, scratch: Path, port: int) -> ProcessSpec:
        command = (sys.executable, "-c", "import time; print('starting', flush=True); time.sleep(60)")
        log, late = scratch / "slow.log", Ready(output="never", timeout_seconds=0.1)
        return ProcessSpec(name=name, command=command, folder=scratch, log=log, ready=late)

    deployment = services(scratch, run_id, {**PROGRAMS, "store": never_ready})
    try:
        deployment.start()
        with pytest.raises(UnavailableError, match=r'(?s)too busy.*"store" is not ready after') as caught:
            deployment.wait_ready(20)
    finally:
        deployment.stop()

    assert caught.value.exit_code == 7
    assert "Run again when less runs beside it, or use --backend embedded." in str(caught.value)


def test_only_the_embedded_backend_is_not_advised_to_be_used_instead() -> None:
    resolved = {word: BACKENDS.resolve(word) for word in BACKENDS.kinds}

    assert [word for word, each in resolved.items() if getattr(each, "is_lightest", False)] == ["embedded"]


def test_every_backend_resolves() -> None:
    resolved = [BACKENDS.resolve(word) for word in BACKENDS.kinds]

    assert all(hasattr(backend, "urls") for backend in resolved)


def test_local_backend_without_servers_says_how_to_install_them(
    scratch: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGQUAKE_CACHE", os.fspath(scratch / "empty"))
    deployment = BACKENDS.resolve("local")(scratch, run_id, SystemClock(), STACK)

    with pytest.raises(UnavailableError, match="logquake servers install"):
        deployment.start()
