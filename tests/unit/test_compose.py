"""What docker-compose.yml promises of each service, read from the file as Compose renders it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.containers import compose
from tests.repository import REPOSITORY

_FILE = REPOSITORY / "docker-compose.yml"
_PROFILES = ("console", "harness")


def rendered() -> Mapping[str, Any]:
    """Return the file as Compose renders it; without it, the YAML with its anchors resolved."""
    command = compose()
    if command is None:
        return dict(yaml.safe_load(_FILE.read_text()))
    profiles = [word for profile in _PROFILES for word in ("--profile", profile)]
    done = subprocess.run(
        [*command, "--file", str(_FILE), "--env-file", os.devnull, *profiles, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


FILE = rendered()
SERVICES: Mapping[str, Mapping[str, Any]] = FILE["services"]
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def published(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (address of this machine, its port) of each port."""
    for port in service.get("ports", ()):
        if isinstance(port, str):
            address, _, rest = port.rpartition(":")[0].rpartition(":")
            yield address, rest
        else:
            yield str(port.get("host_ip", "")), str(port["published"])


def text_of(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def test_the_parts_that_the_page_names_are_all_there() -> None:
    assert set(SERVICES) == {
        *(
            "secrets",
            "elasticsearch",
            "toxiproxy",
            "gateway",
            "shipper",
            "watch",
            "console",
            "load",
            "harness",
        )
    }


@every_service
def test_a_port_is_published_to_this_machine_alone(service: Mapping[str, Any]) -> None:
    assert {address for address, _ in published(service)} <= {"127.0.0.1"}


@every_service
def test_a_service_shares_nothing_of_the_machine(service: Mapping[str, Any]) -> None:
    shared = {service.get(key) for key in ("network_mode", "pid", "ipc", "userns_mode")}

    assert shared <= {None, "none"}
    assert not service.get("privileged")
    assert not service.get("devices")
    assert not service.get("cap_add")
    assert "docker.sock" not in str(service.get("volumes"))


@every_service
def test_the_root_of_a_service_is_read_only(service: Mapping[str, Any]) -> None:
    assert service["read_only"] is True


@every_service
def test_a_service_drops_all_capabilities_and_gains_none(service: Mapping[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@every_service
def test_a_service_runs_as_a_user_other_than_root(service: Mapping[str, Any]) -> None:
    user = service["user"].partition(":")[0]

    assert user.isdecimal()
    assert int(user) > 0


@every_service
def test_memory_and_processes_of_a_service_are_bounded(service: Mapping[str, Any]) -> None:
    assert service["mem_limit"]
    assert 0 < service["pids_limit"] <= 2_048


@every_service
def test_the_log_of_a_service_is_bounded(service: Mapping[str, Any]) -> None:
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@every_service
def test_a_service_that_goes_on_has_a_health_check_with_bounds(service: Mapping[str, Any]) -> None:
    check = service["healthcheck"]
    if service.get("restart") == "no":
        assert check == {"disable": True}  # it ends, and its exit code is its word
        return

    assert check["test"][0] == "CMD"
    assert check["interval"] == "5s"
    assert check["timeout"] == "5s"
    assert check["retries"] == 12


@every_service
def test_folders_of_this_machine_are_mounted_read_only(service: Mapping[str, Any]) -> None:
    for volume in service.get("volumes", ()):
        if isinstance(volume, str):
            assert not volume.startswith((".", "/")) or volume.endswith(":ro")
        elif volume["type"] == "bind":
            assert volume["read_only"] is True


def test_no_token_or_password_stands_in_the_file() -> None:
    words = ("token", "password", "secret", "api_key")
    given = [
        (name, key, value)
        for name, service in SERVICES.items()
        for key, value in (service.get("environment") or {}).items()
        if any(word in key.lower() for word in words)
    ]
    flags = [
        (name, argument)
        for name, service in SERVICES.items()
        for argument in service.get("command") or ()
        if any(word in argument for word in words) and "/var/lib/logquake/secrets" not in argument
    ]

    assert given == []
    assert {flag for name, flag in flags if name != "secrets"} == set()


@pytest.mark.parametrize("name", ["gateway", "console"])
def test_what_listens_beyond_its_container_asks_for_a_token(name: str) -> None:
    command = text_of(SERVICES[name]["command"])

    assert "--open-to-all" not in command
    assert "token" in command


def test_the_store_is_reached_by_the_other_services_alone() -> None:
    assert list(published(SERVICES["elasticsearch"])) == []
    assert list(SERVICES["elasticsearch"]["networks"]) == ["inside"]
    assert FILE["networks"]["inside"]["internal"] is True


def test_no_image_floats_on_the_newest_version() -> None:
    images = [service["image"] for service in SERVICES.values()]

    assert [image for image in images if image.endswith(":latest") or ":" not in image] == []
