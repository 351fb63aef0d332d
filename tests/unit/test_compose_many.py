"""What docker-compose.many.yml promises, read from its YAML: hardened services, and one part a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.containers import published, rendered
from tests.repository import REPOSITORY

FILE: Mapping[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.many.yml").read_text())
SERVICES: Mapping[str, Mapping[str, Any]] = FILE["services"]
SHIPPED = REPOSITORY / "scenarios" / "stacks" / "haproxy" / "gateways.cfg"
COMPOSED = REPOSITORY / "containers" / "many" / "haproxy.cfg"
NUMBERS = (1, 2, 3)
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def arguments(service: str, flag: str) -> list[str]:
    """Return the values that a service's command gives a flag."""
    return [
        word.removeprefix(f"{flag}=") for word in SERVICES[service]["command"] if word.startswith(f"{flag}=")
    ]


@every_service
def test_a_service_is_hardened_and_bounded(service: Mapping[str, Any]) -> None:
    user = service["user"].partition(":")[0]

    assert user.isdecimal()
    assert int(user) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert 0 < service["pids_limit"] <= 2_048
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert not {"privileged", "devices", "cap_add", "pid", "ipc"} & service.keys()
    assert service.get("network_mode") in (None, "none")
    assert not re.search(r":latest$|^[^:]+$", service["image"])


@every_service
def test_folders_of_this_machine_are_mounted_read_only(service: Mapping[str, Any]) -> None:
    for volume in service.get("volumes", ()):
        assert not volume.startswith((".", "/")) or volume.endswith(":ro")


@every_service
def test_a_service_that_goes_on_has_a_health_check(service: Mapping[str, Any]) -> None:
    if service["restart"] == "no":
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["healthcheck"]["test"][0] == "CMD"


def test_the_balancer_alone_has_a_port_on_this_machine_and_only_at_loopback() -> None:
    services = rendered(REPOSITORY / "docker-compose.many.yml")["services"]
    ports = {name: list(published(service)) for name, service in services.items() if service.get("ports")}

    assert ports == {"balancer": [("127.0.0.1", "4318")]}
    assert FILE["networks"]["inside"]["internal"] is True
    others = {name for name, service in SERVICES.items() if "outside" in service.get("networks", ())}
    assert others == {"balancer"}


def test_no_secret_stands_in_the_file() -> None:
    given = [
        str(value)
        for name, service in SERVICES.items()
        if name != "secrets"
        for value in (*service.get("environment", {}).values(), *service.get("command", ()))
        if re.search("token|password|secret|api_key", str(value), re.IGNORECASE)
    ]

    assert len(given) == 5  # the gateways' and Locust's
    assert all("/var/lib/logquake/secrets/gateway_token" in value for value in given)


def test_each_gateway_asks_for_a_token_and_has_a_spool_that_only_its_own_shipper_shares() -> None:
    users: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            users.setdefault(volume.partition(":")[0], set()).add(name)

    for number in NUMBERS:
        assert users[f"spool-{number}"] == {f"gateway-{number}", f"shipper-{number}"}
        assert arguments(f"gateway-{number}", "--token-file")
        assert "--open-to-all" not in SERVICES[f"gateway-{number}"]["command"]


def test_every_shipper_knows_every_node_and_every_node_the_others() -> None:
    nodes = [f"elasticsearch-{number}" for number in NUMBERS]
    for number in NUMBERS:
        urls = arguments(f"shipper-{number}", "--elasticsearch")
        settings = SERVICES[f"elasticsearch-{number}"]["environment"]

        assert urls == [f"http://{node}:9200" for node in nodes]
        assert settings["node.name"] == f"elasticsearch-{number}"
        assert settings["discovery.seed_hosts"].split(",") == nodes
        assert settings["cluster.initial_master_nodes"].split(",") == nodes
        assert (
            f"elasticsearch-{number}-data:/usr/share/elasticsearch/data"
            in (SERVICES[f"elasticsearch-{number}"]["volumes"])
        )


def balancing(path: Any) -> list[str]:
    """Return what decides which gateway gets a request, and when it gets it twice."""
    words = ("retries", "retry-on", "option", "http-check", "balance", "default-server check", "timeout")
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [line.removesuffix(" resolvers names") for line in lines if line.startswith(words)]


def test_the_balancer_of_the_file_decides_as_the_one_that_was_shaken_does_and_the_page_shows() -> None:
    assert balancing(COMPOSED) == balancing(SHIPPED)
    assert "retry-on conn-failure" in balancing(SHIPPED)
    page = (REPOSITORY / "docs" / "how-to" / "many-machines.md").read_text()
    shown = page.split("```haproxy\n")[1].split("```")[0].splitlines()
    assert {line.strip() for line in shown} <= set(balancing(SHIPPED))
