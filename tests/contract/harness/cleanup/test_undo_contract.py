"""What a target writes into the undo journal is carried out by a later process, while its proxy lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from harness.cleanup.undo_actions import carry_out
from harness.model.protocols import Undo
from harness.targets.interceptor_client import InterceptorClient, Rule
from harness.targets.toxiproxy_client import Toxic, ToxiproxyClient
from tests.contract.elasticsearch_fixture import interceptor_program
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import client, proxy_url

__all__ = ["client", "proxy_url"]

FREE = "127.0.0.1:0"
UPSTREAM = "127.0.0.1:1"


@pytest.fixture
def interceptor() -> Iterator[InterceptorClient]:
    with interceptor_program("--lifeline") as (_, url):
        yield InterceptorClient(url)


def test_a_toxic_of_a_dead_run_is_removed_once(client: ToxiproxyClient) -> None:
    client.create("run-1-to_store", FREE, UPSTREAM)
    client.add_toxic("run-1-to_store", Toxic("black_hole", "timeout", attributes={"timeout": 0}))
    undo = Undo("remove_toxic", {"proxy_url": client.url, "proxy": "run-1-to_store", "toxic": "black_hole"})

    said, again = carry_out(undo), carry_out(undo)

    assert client.get("run-1-to_store").toxics == ()
    assert "was removed" in said
    assert "no longer" in again


def test_a_link_that_a_dead_run_cut_is_enabled_once(client: ToxiproxyClient) -> None:
    client.create("run-1-to_store", FREE, UPSTREAM)
    client.set_enabled("run-1-to_store", False)
    undo = Undo("enable_proxy", {"proxy_url": client.url, "proxy": "run-1-to_store"})

    said, again = carry_out(undo), carry_out(undo)

    assert client.get("run-1-to_store").enabled
    assert "was enabled" in said
    assert "no longer" in again


def test_a_link_that_is_not_there_has_nothing_to_undo(client: ToxiproxyClient) -> None:
    arguments = {"proxy_url": client.url, "proxy": "gone", "toxic": "t"}

    assert "no longer" in carry_out(Undo("remove_toxic", arguments))
    assert "no longer" in carry_out(Undo("enable_proxy", arguments))


def test_a_rule_of_a_dead_run_is_removed_once(interceptor: InterceptorClient) -> None:
    interceptor.create("run-1-to_store", FREE, UPSTREAM)
    interceptor.put_rule("run-1-to_store", "storm", Rule("requests_refused", {"status": 429}))
    undo = Undo(
        "remove_rule", {"interceptor_url": interceptor.url, "interceptor": "run-1-to_store", "rule": "storm"}
    )

    said, again = carry_out(undo), carry_out(undo)

    shown = requests.get(f"{interceptor.url}/interceptors/run-1-to_store", timeout=5).json()
    assert shown["rules"] == {}
    assert "was removed" in said
    assert "no longer" in again
