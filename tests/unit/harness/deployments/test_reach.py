"""Nothing beyond this machine is reached unless the stack file names it exactly; no name is looked up."""

import pytest

from harness.deployments.reach import refusal, refusals
from harness.model.declarations import Part, Promises, Stack, StackProcess


def stack(intake=None, processes=(), may_hurt=()):
    part = Part("python_logging", intake or {})
    return Stack("mine", (), {}, processes, part, "return", Part("file"), Promises(), may_hurt=may_hurt)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9200",
        "http://localhost:9200",
        "http://[::1]:9200",
        "127.8.9.1",
        "http://[::ffff:127.0.0.1]:1",
    ],
)
def test_loopback_may_always_be_reached(address):
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
        "http://{store.host}.example:9200",
        "http://{store.host}@store.example",
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
    found = refusals(stack({"url": "http://c.example", "host": "d.example", "size": 5}, processes))

    assert [[word for word in ("a.ex", "b.ex", "c.ex", "d.ex") if word in problem] for problem in found] == [
        ["c.ex"],
        ["d.ex"],
        ["a.ex"],
        ["b.ex"],
    ]


def test_placeholders_of_services_and_plain_text_are_no_addresses():
    assert (
        refusals(stack({"url": "{to_store.url}/x", "other": "http://{store.host}:80/", "text": "a: //b"}))
        == []
    )
