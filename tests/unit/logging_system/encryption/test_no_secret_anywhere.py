"""Keys and sealed values are in no file, message, repr or log, in no usual spelling."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import traceback
import urllib.parse
from pathlib import Path

import orjson
import pytest

from logging_system.encryption.envelope import SealError
from logging_system.handler.handler import SpoolHandler
from logging_system.records.processors import Chain
from logging_system.spool.codec import KeyUnavailableError
from tests.unit.logging_system.encryption.sealed import Unreliable, encryption, key_file
from tests.unit.logging_system.encryption.test_fields import processor

CANARY = "canary-4111-1111-\N{SNOWMAN}"
WAIT_SECONDS = 20.0


def spellings(secret: bytes) -> dict[str, bytes]:
    return {
        "clear": secret,
        "base64": base64.b64encode(secret)[:-4],
        "base64 url": base64.urlsafe_b64encode(secret)[:-4],
        "hex": secret.hex().encode(),
        "url": urllib.parse.quote_from_bytes(secret).encode(),
        "json": json.dumps(secret.decode("latin-1"))[1:-1].encode(),
        "repr": repr(secret)[2:-1].encode(),
    }


def everything(folder: Path, *but: str) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in but:
            content = path.read_bytes()
            found[str(path)] = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return found


def assert_nowhere(secret: bytes, places: dict[str, bytes]) -> None:
    leaks = [
        (name, how)
        for name, content in places.items()
        for how, form in spellings(secret).items()
        if form in content
    ]
    assert leaks == []


def test_no_secret_is_on_the_disk_or_in_what_is_said_whatever_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    provider = Unreliable(key_file(tmp_path))
    made = encryption(tmp_path, provider=provider)
    handler = SpoolHandler(
        spool=tmp_path / "spool",
        service="shop",
        durability="write",
        codecs=made.codecs(),
        chain=Chain([processor(made, "labels.card", tokens=("labels.card",))]),
        close_seconds=0.5,
    )
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for failing in (False, True, False):
        provider.fail() if failing else provider.mend()
        try:
            int(CANARY)
        except ValueError:
            logger.exception("failed %s", CANARY, extra={"card": CANARY, "other": {"deep": [CANARY]}})
        handler.flush(WAIT_SECONDS)
    made.rotator().begin("logs", "demand")
    made.rotator().run("logs", passes_over_all=True)
    handler.close()
    said = [caplog.text, *capfd.readouterr(), repr(handler.stats()), repr(vars(made))]
    for wrong in (b"\x01\x01\x04logs" + bytes(200), b""):
        try:
            made.opener("block").open(wrong, b"")
        except (SealError, KeyUnavailableError) as error:
            said.append("".join(traceback.format_exception(error)))
    places = everything(tmp_path, "keys.json") | {f"said {n}": text.encode() for n, text in enumerate(said)}

    assert handler.stats().admitted == 3
    assert any(name.endswith(".segment") for name in places)
    assert_nowhere(CANARY.encode(), places)
    secrets = orjson.loads((tmp_path / "keys.json").read_bytes())["keys"]["logs"]["secrets"]
    for secret in secrets.values():
        assert_nowhere(base64.b64decode(secret), places)


def test_the_search_for_secrets_finds_them_in_every_spelling(tmp_path: Path) -> None:
    for how, form in spellings(b"\x01secret value\xff").items():
        (tmp_path / "x").write_bytes(b"before " + form + b" after")
        with pytest.raises(AssertionError):
            assert_nowhere(b"\x01secret value\xff", everything(tmp_path))
        assert how
