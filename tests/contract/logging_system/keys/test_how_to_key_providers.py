"""The how-to page on key providers is true: its settings work on each server that is here."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from logging_system.keys.provider import KeyProvider
from logging_system.keys.providers import open_provider
from logging_system.keys.providers.key_server import KeyServer, ServerAnswer
from logging_system.keys.providers.vault import VaultProvider, VaultToken
from logging_system.keys.secret import Secret
from tests.contract.logging_system.keys.kept_by_aws_kms import CREDENTIALS, REGION, local_kms
from tests.contract.logging_system.keys.kept_by_vault import ROOT_TOKEN, transit, transit_lite
from tests.key_servers.installed import need_softhsm
from tests.repository import DOCS

PAGE = (DOCS / "how-to" / "key-providers.md").read_text()
SECONDS_MAX = 120.0
PROGRAM = """
import logging
from logging_system import install

installation = install(settings="settings.yaml", shipper="none")
logging.getLogger("shop").info("paid for 3 apples")
installation.close()
"""


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def block(title: str, language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    return str(found)


def followed(folder: Path, settings: str, environment: Mapping[str, str]) -> None:
    """Do with a section's settings what whoever reads it would do: make the key, log, rotate, read back."""
    heading = "service: checkout\nspool: spool\nelasticsearch: []\n"
    (folder / "settings.yaml").write_text(heading + settings)
    tool = [sys.executable, "-m", "logging_system"]
    flags = ["--settings", "settings.yaml"]

    def ran(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    ran(*tool, "keys", "create", *flags)
    ran(sys.executable, "-c", PROGRAM)
    ran(*tool, "keys", "rotate", *flags, "--pass-over-all")
    assert "version 2  active" in ran(*tool, "keys", "status", *flags)
    assert "paid for 3 apples" in ran(*tool, "decrypt", *flags, "spool")
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"paid for 3 apples" not in stored


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def secret_file(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.touch(0o600)
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("server", [transit_lite, transit], ids=["transit_lite", "transit"])
def test_the_settings_for_vault_work(server, tmp_path: Path) -> None:
    url = server().url
    settings = changed(
        block("Vault", "yaml"),
        ("https://vault.example:8200", url),
        ("/run/vault/token", secret_file(tmp_path, ROOT_TOKEN)),
        ("checkout_", f"h{uuid4().hex[:8]}_"),
    )

    followed(tmp_path, settings, {})


def test_the_settings_for_aws_kms_work(tmp_path: Path) -> None:
    server = local_kms()
    settings = changed(
        block("AWS KMS", "yaml"),
        ("eu-central-1", REGION),
        ("/run/aws/credentials", secret_file(tmp_path, CREDENTIALS)),
    )

    followed(tmp_path, f"{settings}  url: {server.url}\n  prefix: h{uuid4().hex[:8]}/\n", {})


def test_the_settings_for_an_hsm_work_with_the_token_that_the_page_makes(tmp_path: Path) -> None:
    library = need_softhsm()
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    environment = {"SOFTHSM2_CONF": str(configuration)}
    command = shlex.split(block("A hardware security module", "console").removeprefix("$ "))
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, timeout=60)
    pin = command[command.index("--pin") + 1]
    settings = changed(
        block("A hardware security module", "yaml"),
        ("/usr/lib/softhsm/libsofthsm2.so", str(library)),
        ("/etc/checkout/pin", secret_file(tmp_path, pin)),
    )

    followed(tmp_path, settings, environment)


@pytest.mark.parametrize(
    ("word", "title"),
    [("vault", "Vault"), ("pkcs11", "A hardware security module"), ("aws_kms", "AWS KMS")],
)
def test_each_table_has_the_keys_that_the_provider_takes(word: str, title: str) -> None:
    with pytest.raises(ValueError, match=f"the provider {word} has ") as refused:
        open_provider(word, {"no_such_key": "x"})
    taken = set(str(refused.value).rpartition(" has ")[2].split(", "))
    first_cells = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    told = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}

    assert told == taken


class RecordingServer(KeyServer):
    """A key server whose requests are noted as Vault's policies see them."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout_seconds=30)
        self.asked: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> ServerAnswer:
        answer = super().ask(method, path, headers, body)
        capability = {"GET": "read", "LIST": "list", "DELETE": "delete"}.get(method, "update")
        self.asked.append((capability, path.removeprefix("/v1/")))
        return answer


def _allowed(policy: str) -> dict[str, set[str]]:
    rules = re.findall(r'path "(.*?)"\s*\{ capabilities = \[(.*?)\]', policy)
    return {path: set(re.findall(r'"(\w+)"', words)) for path, words in rules}


def _beyond(
    policy: Mapping[str, set[str]], asked: list[tuple[str, str]], prefix: str
) -> list[tuple[str, str]]:
    return [
        (capability, path)
        for capability, path in asked
        if not any(
            capability in words and fnmatch.fnmatchcase(path, glob.replace("checkout_", prefix))
            for glob, words in policy.items()
        )
    ]


def _worked_by_a_writer(provider: KeyProvider) -> None:
    wrapped = provider.wrap("logs", provider.versions("logs").newest, Secret(bytes(32)), b"context")
    provider.unwrap(wrapped, b"context")
    provider.public_key("logs", 1)


def _worked_by_an_operator(provider: KeyProvider) -> None:
    provider.create("logs")
    provider.rotate("logs", newest=1)
    provider.raise_minimum("logs", 2)
    provider.destroy("logs", through_version=1)
    provider.destroy("logs")


def test_vaults_policies_allow_what_is_asked_and_a_writers_makes_no_key(tmp_path: Path) -> None:
    """The first half is a writer's; both together are what rotating needs."""
    writer, operator = (_allowed(part) for part in block("Vault", "hcl").split("\n\n"))
    prefix, token = f"h{uuid4().hex[:8]}_", VaultToken(Path(secret_file(tmp_path, ROOT_TOKEN)))
    server = RecordingServer(transit_lite().url)
    provider = VaultProvider(server, token, prefix=prefix)
    provider.create("logs")
    server.asked.clear()
    _worked_by_a_writer(provider)
    by_writer = list(server.asked)
    _worked_by_an_operator(provider)
    provider.close()

    assert _beyond(writer, by_writer, prefix) == []
    assert (
        _beyond(
            operator | {path: words for path, words in writer.items() if path not in operator},
            server.asked,
            prefix,
        )
        == []
    )
    assert _beyond(writer, server.asked, prefix)
    assert not any("create" in words for words in writer.values())
