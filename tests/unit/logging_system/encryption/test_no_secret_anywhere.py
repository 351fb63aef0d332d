"""Keys and sealed values are in no file, message, repr or log, in no usual spelling."""

from __future__ import annotations

import base64
import logging
import traceback
from pathlib import Path

import orjson
import pytest

from logging_system.encryption.envelope import SealError
from logging_system.handler.handler import SpoolHandler
from logging_system.records.processors import Chain
from logging_system.spool.codec import KeyUnavailableError
from tests.secret_search import KeyNeedles, leaks, text_needles
from tests.unit.logging_system.encryption.sealed import Unreliable, encryption, key_file
from tests.unit.logging_system.encryption.test_fields import processor

CANARY = "canary-4111-1111-\N{SNOWMAN}"
WAIT_SECONDS = 20.0


def everything(folder: Path, *but: str) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    return {str(path): path.read_bytes() for path in files}


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
    held = orjson.loads((tmp_path / "keys.json").read_bytes())["keys"]["logs"]["secrets"]
    keys = {version: base64.b64decode(secret) for version, secret in held.items()}
    assert leaks(places, text_needles({"canary": CANARY}), KeyNeedles(keys)) == []
