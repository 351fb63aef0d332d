"""Nothing beyond this machine is reached unless the stack file names it exactly; no name is looked up."""

import pytest

from harness.deployments.reach import refusal, refusals
from harness.model.declarations import Part, Promises, Stack, StackProcess


def stack(intake=None, processes=(), may_hurt=()):
    part = Part("python_logging", intake or {})
    needs, links = ("store",), {"to_store": "store"}
    return Stack("mine", needs, links, processes, part, "return", Part("file"), Promises(), may_hurt=may_hurt)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9200",
        "http://localhost:9200",
        "http://[::1]:9200",
        "127.8.9.1",
        "http://[::ffff:127.0.0.1]:1",
        "::1",
        "http://127.0.0.1:99999",
        "/dev/log",
        "unix:///run/collector.sock",
        "unix:/run/collector.sock",
        "http+unix://%2Frun%2Fcollector.sock/logs",
        "file:///var/log/app.log",
    ],
)
def test_loopback_sockets_and_paths_may_always_be_reached(address):
    assert refusal(address, ()) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.7:9200",
        "http://store.example:9200",
        "http://localhost.example:9200",
        "http://127.0.0.1.example:9200",
        "http://127.0.0.1@store.example:9200",
        "http://0.0.0.0:9200",
        "http://2130706433:9200",
        "http://127.1:9200",
        "http://[2001:db8::1]:9200",
        "http://[::ffff:192.0.2.7]:9200",
        "http://[broken",
        "store.example:514",
        "http://127.0.0.1:9200@store.example",
        "file://store.example/x",
        "unix.example:514",
    ],
)
def test_anything_else_is_refused_until_it_is_named(address):
    assert "may_hurt" in (refusal(address, ()) or "")


@pytest.mark.parametrize("named", ["store.example", "store.example:9200", "STORE.example:9200"])
def test_what_is_named_exactly_may_be_reached(named):
    assert refusal("http://Store.example:9200", (named,)) is None


@pytest.mark.parametrize("named", ["example", "*.example", "store.example:9201", "store", "*", ""])
def test_what_is_named_otherwise_stays_refused(named):
    assert refusal("http://store.example:9200", (named,)) is not None


def test_an_address_of_version_6_is_named_in_brackets_with_its_port():
    assert refusal("http://[2001:db8::1]:9200", ("[2001:db8::1]:9200",)) is None
    assert refusal("http://[2001:db8::1]:9200", ("2001:db8::1",)) is None


def test_the_refusal_says_what_to_write():
    assert 'may_hurt: ["store.example:9200"]' in str(refusal("http://store.example:9200", ()))


def test_addresses_are_found_in_the_intake_and_in_commands():
    processes = (StackProcess("shipper", ("ship", "--to=https://a.example/x"), {"URL": "http://b.example"}),)
    found = refusals(stack({"url": "http://c.example", "host": "d.example", "size": 5}, processes), {})

    assert [[word for word in ("a.ex", "b.ex", "c.ex", "d.ex") if word in problem] for problem in found] == [
        ["c.ex"],
        ["d.ex"],
        ["a.ex"],
        ["b.ex"],
    ]


@pytest.mark.parametrize(
    "intake",
    [
        {"url": "{to_store.url}/x", "other": "http://{store.host}:80/", "text": "a: //b"},
        {"host": "http://127.0.0.1:{to_store.port}"},
        {"host": "{to_store.host}:{to_store.port}"},
        {"address": "{run.folder}/devlog"},
        {"address": "{to_store.host}"},
        {"address": "unix://{run.folder}/devlog"},
    ],
)
def test_what_the_run_starts_itself_is_on_this_machine(intake):
    assert refusals(stack(intake), {}) == []


@pytest.mark.parametrize(
    "intake",
    [
        {"host": "{store.host}"},
        {"url": "{store.url}/logs"},
        {"url": "http://{store.host}:1"},
        {"options": "{store.host}:{store.port}"},
        {"url": "http://{to_store.host}.example"},
    ],
)
def test_a_running_service_beyond_this_machine_is_judged_by_its_own_address(intake):
    (problem,) = refusals(stack(intake), {"store": "http://store.example:9200"})

    assert "is beyond this machine" in problem


def test_a_process_is_not_handed_a_running_service_beyond_this_machine():
    processes = (StackProcess("shipper", ("ship", "--host", "{store.host}"), {}),)
    services = {"store": "http://store.example:9200"}

    assert len(refusals(stack({}, processes), services)) == 1
    assert refusals(stack({}, processes, may_hurt=("store.example",)), services) == []
    assert refusals(stack({"url": "{to_store.url}"}), services) == []
