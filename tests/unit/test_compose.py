"""What docker-compose.yml promises of each service, read from the file as Compose renders it."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config.scenario import load_scenario
from harness.deployments.container_images import IMAGES
from harness.deployments.installed import SERVERS
from tests.containers import published, rendered
from tests.repository import REPOSITORY

_FILE = REPOSITORY / "docker-compose.yml"
_PROFILES = ("harness",)


FILE = rendered(_FILE, *_PROFILES)
SERVICES: Mapping[str, Mapping[str, Any]] = FILE["services"]
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


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


PAGE = (REPOSITORY / "docs" / "how-to" / "containers.md").read_text()


def test_the_page_names_every_address_of_this_machine_and_no_other() -> None:
    open_here = {f"127.0.0.1:{port}" for service in SERVICES.values() for _, port in published(service)}

    assert set(re.findall(r"127\.0\.0\.1:\d+", PAGE)) == open_here


def test_the_page_names_the_images_and_how_to_name_others() -> None:
    rows = [row.split("|") for row in PAGE.splitlines() if "`LOGQUAKE_IMAGE_" in row and row.startswith("|")]
    told = [tuple(re.findall(r"`([^`]+)`", "|".join(row))) for row in rows]

    expected = [
        tuple(filter(None, (kind.published, kind.made_here, kind.variable))) for kind in IMAGES.values()
    ]
    assert told == expected


def test_the_file_starts_the_images_that_the_backend_starts() -> None:
    text = _FILE.read_text()

    assert f"${{LOGQUAKE_IMAGE_ELASTICSEARCH:-{IMAGES['elasticsearch'].published}}}" in text
    assert f"${{LOGQUAKE_IMAGE_TOXIPROXY:-{IMAGES['toxiproxy'].made_here}}}" in text


def test_the_toxiproxy_that_is_built_is_the_one_that_is_installed() -> None:
    dockerfile = (REPOSITORY / "containers" / "toxiproxy.Dockerfile").read_text()

    assert f"/v2/cmd/server@v{SERVERS['toxiproxy'].version}" in dockerfile


def test_the_suite_of_the_harness_is_the_default_one_but_for_faults_on_the_store_itself() -> None:
    def names(path: Path) -> list[str]:
        return list(yaml.safe_load(path.read_text())["scenarios"])

    default = names(REPOSITORY / "scenarios" / "suites" / "default.yaml")
    on_the_store = {
        name
        for name in default
        for step in load_scenario(REPOSITORY / "scenarios" / f"{name}.yaml").steps
        if step.target == "elasticsearch"
    }

    assert names(REPOSITORY / "containers" / "attached_default.yaml") == [
        name for name in default if name not in on_the_store
    ]


def test_the_stack_of_the_harness_is_the_gateway_before_a_store_that_runs_already() -> None:
    shipped = yaml.safe_load((REPOSITORY / "scenarios" / "stacks" / "gateway.yaml").read_text())
    composed = yaml.safe_load((REPOSITORY / "containers" / "composed.yaml").read_text())
    own = {"name", "title", "services", "may_hurt"}

    assert {key: value for key, value in composed.items() if key not in own} == {
        key: value for key, value in shipped.items() if key not in own
    }
    assert composed["may_hurt"] == ["elasticsearch:9200"]


def test_tokens_are_made_once_long_and_for_their_owner_alone(tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "containers" / "make_secrets.py"), str(tmp_path), "a", "b"]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    first = {name: (tmp_path / name).read_text() for name in ("a", "b")}
    told = subprocess.run(command, check=True, timeout=30, capture_output=True, text=True).stdout

    assert {name: (tmp_path / name).read_text() for name in ("a", "b")} == first
    assert first["a"] != first["b"]
    assert min(len(token.strip()) for token in first.values()) >= 43  # 32 bytes in base64
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in first} == {0o600}
    assert first["a"].strip() not in told
