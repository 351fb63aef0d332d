import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.deployments.stack import LinkServers, SmallDisks, StackDeployment
from harness.model.declarations import Keys, Part, Promises, Ready, Stack, StackProcess
from harness.model.errors import OwnPartError, ScenarioError, StackError
from harness.model.protocols import Undo
from harness.processes.clock import SystemClock
from harness.targets.capabilities import (
    Fillable,
    Interceptable,
    KeyProviding,
    KeyRevocable,
    KeyRotatable,
    Killable,
    Severable,
    Untouchable,
)
from harness.targets.interceptor_client import InterceptorError, Rule, Traffic
from harness.targets.key_link import KeyLinkTarget
from harness.targets.toxiproxy_client import Toxic
from harness.targets.wall_clock import WallClockTarget

URLS = {
    "proxy": "http://127.0.0.1:8474",
    "interceptor": "http://127.0.0.1:8475",
    "elasticsearch": "http://127.0.0.1:9200",
    "database": "http://127.0.0.1:5432",
    "smtp": "http://127.0.0.1:1025",
    "webhook_receiver": "http://127.0.0.1:8099",
}
INTERCEPTED = "127.0.0.1:40001"
FOREVER = "import signal; print('serving'); signal.pause()"

STACK = Stack(
    name="tiny",
    needs=("elasticsearch",),
    links={"to_store": "elasticsearch"},
    processes=(),
    intake=Part("python_logging"),
    acknowledged_by="return",
    archive=Part("elasticsearch"),
    promises=Promises(),
)


class FakeProxy:
    """Keeps links by name as a fault proxy does; can refuse to delete."""

    def __init__(self, refuses_to_delete: bool = False) -> None:
        self.links: dict[str, tuple[str, str]] = {}
        self._refuses_to_delete = refuses_to_delete

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> None:
        if name in self.links:
            raise StackError("proxy already exists")
        self.links[name] = (listen, upstream)

    def delete(self, name: str) -> None:
        if self._refuses_to_delete or name not in self.links:
            raise StackError(f"proxy {name} cannot be deleted")
        del self.links[name]

    def add_toxic(self, proxy_name: str, toxic: Toxic) -> None:
        raise NotImplementedError

    def remove_toxic(self, proxy_name: str, toxic_name: str) -> None:
        raise NotImplementedError

    def set_enabled(self, name: str, enabled: bool) -> None:
        raise NotImplementedError


class FakeInterceptors:
    """Keeps interceptors by name as the interceptor program does."""

    def __init__(self) -> None:
        self.interceptors: dict[str, tuple[str, str]] = {}
        self.records: dict[str, str] = {}
        self.carried: Traffic | None = None

    def create(self, name: str, listen: str, upstream: str, record: str = "") -> str:
        self.interceptors[name] = (listen, upstream)
        self.records[name] = record
        return INTERCEPTED

    def delete(self, name: str) -> None:
        del self.interceptors[name]

    def put_rule(self, interceptor_name: str, rule_name: str, rule: Rule) -> None:
        raise NotImplementedError

    def remove_rule(self, interceptor_name: str, rule_name: str) -> None:
        raise NotImplementedError

    def counters(self, interceptor_name: str, rule_name: str) -> Mapping[str, int]:
        raise NotImplementedError

    def traffic(self, interceptor_name: str) -> Traffic:
        if self.carried is None:
            raise InterceptorError("no answer")
        return self.carried


def process(name: str, program: str, *arguments: str, output: str = "") -> StackProcess:
    return StackProcess(name, ("{python}", "-c", program, *arguments), ready=Ready(output=output))


def deploy(
    scratch: Path,
    run_id: str,
    *processes: StackProcess,
    proxy: FakeProxy | None = None,
    interceptors: FakeInterceptors | None = None,
    stack: Stack = STACK,
    small_disks: SmallDisks | None = None,
) -> StackDeployment:
    servers = LinkServers(proxy or FakeProxy(), interceptors or FakeInterceptors())
    declared = replace(stack, processes=processes)
    return StackDeployment(declared, URLS, servers, scratch, run_id, SystemClock(), 42, small_disks)


def test_values_tell_addresses_of_links_and_services_apart(scratch: Path, run_id: str) -> None:
    values = deploy(scratch, run_id).values()

    port = values["to_store.port"]
    assert values["elasticsearch.url"] == "http://127.0.0.1:9200"
    assert values["to_store.url"] == f"http://127.0.0.1:{port}"
    assert values["to_store.host"] == "127.0.0.1"
    assert port != "9200"
    assert values["run.id"] == run_id
    assert values["run.seed"] == "42"
    assert Path(values["run.folder"]).is_dir()
    assert values["python"] == sys.executable


def test_http_link_goes_through_proxy_and_interceptor_while_the_stack_runs(
    scratch: Path, run_id: str
) -> None:
    proxy, interceptors = FakeProxy(), FakeInterceptors()
    deployment = deploy(scratch, run_id, proxy=proxy, interceptors=interceptors)
    deployment.start()
    proxied, intercepted = dict(proxy.links), dict(interceptors.interceptors)

    deployment.stop()

    port = deployment.values()["to_store.port"]
    assert proxied == {f"{run_id}-to_store": (f"127.0.0.1:{port}", INTERCEPTED)}
    assert intercepted == {f"{run_id}-to_store": ("127.0.0.1:0", "127.0.0.1:9200")}
    assert proxy.links == {}
    assert interceptors.interceptors == {}


def test_link_to_a_service_that_speaks_no_http_goes_through_the_proxy_alone(
    scratch: Path, run_id: str
) -> None:
    proxy, interceptors = FakeProxy(), FakeInterceptors()
    stack = replace(STACK, links={"to_database": "database"})
    deployment = deploy(scratch, run_id, proxy=proxy, interceptors=interceptors, stack=stack)
    deployment.start()
    upstreams = [upstream for _, upstream in proxy.links.values()]
    intercepted = dict(interceptors.interceptors)
    target = deployment.targets()["to_database"]
    deployment.stop()

    assert upstreams == ["127.0.0.1:5432"]
    assert intercepted == {}
    assert not isinstance(target, Interceptable)


def test_what_the_links_carry_is_told_each_time_and_a_connection_once(scratch: Path, run_id: str) -> None:
    interceptors = FakeInterceptors()
    deployment = deploy(scratch, run_id, interceptors=interceptors)
    deployment.start()
    interceptors.carried = Traffic(connections=2, connected_ns=7, answers=5)
    rounds = [deployment.traffic() for _ in range(2)]
    interceptors.carried = None
    rounds.append(deployment.traffic())
    deployment.stop()

    assert [[(each.name, each.value) for each in samples] for samples in rounds] == [
        [("answers.to_store", 5), ("connections.to_store", 2), ("own_connections.to_store", 0)],
        [("answers.to_store", 5), ("own_connections.to_store", 0)],
        [],
    ]
    assert rounds[0][1].at_ns == 7
    assert rounds[0][0].at_ns < rounds[1][0].at_ns


def test_where_one_link_cannot_be_looked_into_none_is_told(scratch: Path, run_id: str) -> None:
    interceptors = FakeInterceptors()
    interceptors.carried = Traffic(connections=2, connected_ns=7, answers=5)
    stack = replace(STACK, links={"to_store": "elasticsearch", "to_database": "database"})
    deployment = deploy(scratch, run_id, interceptors=interceptors, stack=stack)
    deployment.start()
    told = deployment.traffic()
    deployment.stop()

    assert told == []


def test_a_link_to_a_receiver_of_alerts_carries_no_records_and_is_not_asked(
    scratch: Path, run_id: str
) -> None:
    interceptors = FakeInterceptors()
    interceptors.carried = Traffic(connections=2, connected_ns=7, answers=5)
    links = {"to_store": "elasticsearch", "to_mail": "smtp", "to_webhook": "webhook_receiver"}
    deployment = deploy(scratch, run_id, interceptors=interceptors, stack=replace(STACK, links=links))
    deployment.start()
    told = deployment.traffic()
    deployment.stop()

    assert {each.name for each in told} == {
        "answers.to_store",
        "connections.to_store",
        "own_connections.to_store",
    }


def test_interceptor_goes_where_the_proxy_refuses_the_link(scratch: Path, run_id: str) -> None:
    proxy, interceptors = FakeProxy(), FakeInterceptors()
    proxy.links[f"{run_id}-to_store"] = ("", "")
    deployment = deploy(scratch, run_id, proxy=proxy, interceptors=interceptors)

    with pytest.raises(OwnPartError, match="cannot be made"):
        deployment.start()

    assert interceptors.interceptors == {}


def test_commands_and_variables_get_their_values(scratch: Path, run_id: str) -> None:
    program = "import os, sys, signal; print(sys.argv[1], os.environ['STORE'], 'end'); signal.pause()"
    shipper = replace(
        process("shipper", program, "{run.seed}", output="end"), environment={"STORE": "{elasticsearch.url}"}
    )
    deployment = deploy(scratch, run_id, shipper)
    try:
        deployment.start()
        deployment.wait_ready(10)
    finally:
        deployment.stop()

    output = (Path(deployment.values()["run.folder"]) / "shipper.log").read_text()
    assert output == "42 http://127.0.0.1:9200 end\n"


def test_http_links_can_be_severed_and_intercepted_and_processes_killed(scratch: Path, run_id: str) -> None:
    deployment = deploy(scratch, run_id, process("shipper", FOREVER, output="serving"))
    try:
        deployment.start()
        deployment.wait_ready(10)
        targets = deployment.targets()
    finally:
        deployment.stop()

    assert set(targets) == {"to_store", "shipper", "clock"}
    assert isinstance(targets["to_store"], Severable)
    assert isinstance(targets["to_store"], Interceptable)
    assert isinstance(targets["shipper"], Killable)


def test_process_that_crashes_is_told_and_a_killed_one_is_not(scratch: Path, run_id: str) -> None:
    deployment = deploy(
        scratch,
        run_id,
        process("crashing", "raise SystemExit(3)"),
        process("killed", FOREVER, output="serving"),
    )
    try:
        deployment.start()
        with pytest.raises(StackError, match='"crashing" ended with exit code 3'):
            deployment.wait_ready(10)
        killed = deployment.targets()["killed"]
        assert isinstance(killed, Killable)
        killed.kill()
        exited = deployment.exited()
    finally:
        deployment.stop()

    assert exited == [("crashing", 3)]


def test_failed_start_leaves_neither_process_nor_link(scratch: Path, run_id: str) -> None:
    proxy = FakeProxy()
    missing = StackProcess("missing", ("no-such-program",))
    deployment = deploy(scratch, run_id, process("shipper", FOREVER), missing, proxy=proxy)

    with pytest.raises(StackError, match="no-such-program"):
        deployment.start()

    # That no process of the run is left is what the scratch fixture asserts.
    assert proxy.links == {}


def test_failed_start_is_told_first_where_its_clean_up_fails_too(scratch: Path, run_id: str) -> None:
    missing = StackProcess("missing", ("no-such-program",))
    deployment = deploy(scratch, run_id, missing, proxy=FakeProxy(refuses_to_delete=True))

    with pytest.raises(StackError, match="no-such-program") as caught:
        deployment.start()

    assert "cannot be deleted" in "".join(caught.value.__notes__)


def test_processes_end_even_where_the_proxy_does_not_delete_a_link(scratch: Path, run_id: str) -> None:
    proxy = FakeProxy(refuses_to_delete=True)
    deployment = deploy(scratch, run_id, process("shipper", FOREVER, output="serving"), proxy=proxy)
    deployment.start()
    deployment.wait_ready(10)

    with pytest.raises(StackError, match="cannot be deleted"):
        deployment.stop()

    shipper = deployment.targets()["shipper"]
    assert isinstance(shipper, Killable)
    assert not shipper.alive()


def test_stopping_twice_or_without_a_start_is_no_error(scratch: Path, run_id: str) -> None:
    deployment = deploy(scratch, run_id)

    deployment.stop()
    deployment.start()
    deployment.stop()
    deployment.stop()

    assert deployment.exited() == []


def test_link_to_an_unknown_service_is_a_mistake_of_the_file(scratch: Path, run_id: str) -> None:
    stack = replace(STACK, links={"to_store": "elastcsearch"})

    with pytest.raises(ScenarioError, match='Did you mean "elasticsearch"'):
        deploy(scratch, run_id, stack=stack)


def test_unknown_placeholder_is_a_mistake_of_the_file(scratch: Path, run_id: str) -> None:
    proxy = FakeProxy()
    deployment = deploy(scratch, run_id, process("shipper", FOREVER, "{to_stor.url}"), proxy=proxy)

    with pytest.raises(ScenarioError, match=r"to_store\.url"):
        deployment.start()

    assert proxy.links == {}


class Notes:
    """Notes of how to take something back, and whether there was a disk when they were made."""

    def __init__(self) -> None:
        self.open: dict[str, Undo] = {}
        self.mounted_before: list[bool] = []

    def before(self, step: str, undo: Undo) -> None:
        self.mounted_before.append(Path(str(undo.arguments["folder"])).is_mount())
        self.open[step] = undo

    def done(self, step: str) -> None:
        del self.open[step]


def test_a_small_disk_is_noted_before_it_is_mounted_and_taken_away_when_the_stack_stops(
    scratch: Path, run_id: str
) -> None:
    notes = Notes()
    stack = replace(STACK, files={"spool": ("{run.folder}/spool/*",)})
    deployment = deploy(scratch, run_id, stack=stack, small_disks=SmallDisks({"spool": 1}, notes))
    spool = Path(deployment.values()["run.folder"]) / "spool"
    deployment.start()
    target, noted = deployment.targets()["spool"], dict(notes.open)
    if not isinstance(target, Fillable):
        assert isinstance(target, Untouchable)
        assert notes.open == {}
        pytest.skip(target.refusal)
    mounted = spool.is_mount()

    deployment.stop()

    assert mounted
    assert notes.mounted_before == [False]
    assert noted == {"disk.spool": Undo("unmount_disk", {"folder": str(spool)})}
    assert notes.open == {}
    assert not spool.is_mount()


def test_files_that_lie_in_the_folder_of_the_run_itself_get_no_small_disk_and_say_why(
    scratch: Path, run_id: str
) -> None:
    stack = replace(STACK, files={"log": ("{run.folder}/app.log",)})
    deployment = deploy(scratch, run_id, stack=stack, small_disks=SmallDisks({"log": 1}, Notes()))
    deployment.start()

    target = deployment.targets()["log"]

    deployment.stop()
    assert isinstance(target, Untouchable)
    assert "need a folder of their own below {run.folder}" in target.refusal


def test_requests_are_recorded_where_a_folder_is_given_for_them(scratch: Path, run_id: str) -> None:
    interceptors = FakeInterceptors()
    servers = LinkServers(FakeProxy(), interceptors)
    folder = scratch / "wire"
    stack = StackDeployment(STACK, URLS, servers, scratch, run_id, SystemClock(), recordings=folder)
    stack.start()
    stack.stop()

    assert list(interceptors.records.values()) == [str(folder / "to_store")]


def test_keys_are_targets_and_their_commands_get_their_values(scratch: Path, run_id: str) -> None:
    program = "import json, sys; print(json.dumps(dict(version=len(sys.argv[1]))))"
    keys = Keys(
        rotate=("{python}", "-c", "pass"),
        status=("{python}", "-c", program, "{run.id}"),
        provider=("{run.folder}/keys/*",),
    )
    stack = deploy(scratch, run_id, stack=replace(STACK, keys=keys))
    targets = stack.targets()

    assert isinstance(targets["keys"], KeyRotatable)
    assert not isinstance(targets["keys"], KeyRevocable)
    assert isinstance(targets["key_provider"], KeyProviding)
    assert targets["keys"].key_version().number == len(run_id)
    assert stack.targets()["key_provider"] is targets["key_provider"]


def test_keys_that_come_over_a_link_have_it_for_their_provider(scratch: Path, run_id: str) -> None:
    keys = Keys(rotate=("rotate",), status=("status",), provider_link="to_store")
    stack = deploy(scratch, run_id, stack=replace(STACK, keys=keys))
    stack.start()
    try:
        provider = stack.targets()["key_provider"]
        again = stack.targets()["key_provider"]
    finally:
        stack.stop()

    assert isinstance(provider, KeyLinkTarget)
    assert again is provider
    assert replace(STACK, keys=keys).aliases == {"key_server": "elasticsearch"}


def test_its_processes_and_key_commands_follow_a_clock_that_is_moved(
    scratch: Path, run_id: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "clock")
    clock = WallClockTarget("clock", path, Path("/no-such-library.so"), SystemClock())
    told = "import json, os; told = os.environ['LOGQUAKE_WALL_CLOCK'] + os.environ['LD_PRELOAD']; "
    keys = Keys(("x",), ("{python}", "-c", told + "print(json.dumps(dict(version=int('no-such' in told))))"))
    shown = told + "import signal; print(told); signal.pause()"
    process = StackProcess(
        "shipper", ("{python}", "-c", shown), ready=Ready(output=f"{path}/no-such-library.so")
    )
    declared = replace(STACK, keys=keys, processes=(process,))
    servers = LinkServers(FakeProxy(), FakeInterceptors())
    stack = StackDeployment(declared, URLS, servers, scratch, run_id, SystemClock(), wall_clock=clock)
    stack.start()
    try:
        stack.wait_ready(20)
        targets = stack.targets()
        assert isinstance(targets["keys"], KeyRotatable)
        version = targets["keys"].key_version().number
    finally:
        stack.stop()

    assert targets["clock"] is clock
    assert version == 1


def test_a_clock_that_no_step_moves_is_a_target_that_says_so(scratch: Path, run_id: str) -> None:
    clock = deploy(scratch, run_id).targets()["clock"]

    assert isinstance(clock, Untouchable)
    assert "only where the scenario's file has a step that does" in clock.refusal


def test_variables_of_a_stack_reach_its_processes_and_key_commands(scratch: Path, run_id: str) -> None:
    program = "import json, os; print(json.dumps(dict(version=len(os.environ['WHERE']))))"
    keys = Keys(rotate=("x",), status=("{python}", "-c", program))
    shown = "import os, signal; print(os.environ['WHERE'], os.environ['OWN']); signal.pause()"
    process = StackProcess(
        "shipper",
        ("{python}", "-c", shown),
        {"OWN": "mine"},
        Ready(output=f"{run_id} mine"),
    )
    declared = replace(STACK, keys=keys, processes=(process,), environment={"WHERE": "{run.id}"})
    stack = deploy(scratch, run_id, stack=declared)
    stack.start()
    try:
        stack.wait_ready(20)
        keys_target = stack.targets()["keys"]
        assert isinstance(keys_target, KeyRotatable)
        version = keys_target.key_version().number
    finally:
        stack.stop()

    assert version == len(run_id)
