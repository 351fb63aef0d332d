"""Dead letters and the fallback file hold no document in the clear where encryption is on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from logging_system.cli import main
from logging_system.delivery.machine import BuryDeadLetter, Item
from logging_system.delivery.outcomes import Unknown
from logging_system.shipping.dead_letters import (
    NAME,
    DeadLetter,
    DeadLetterError,
    DeadLetterFile,
    read_letter,
    read_lines,
)
from logging_system.sinks.file import FileSink
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.reader import SpoolReader
from tests.unit.logging_system.encryption.sealed import Unreliable, encryption, key_file
from tests.unit.logging_system.spooling import read_all

EPOCH = bytes(15) + b"\1"
ID = f"{EPOCH.hex()}-7"
DOCUMENT = b'{"message":"canary 4111"}'
REASON = "failed to parse [canary 4111]"


ITEM = Item(EPOCH, 7, DOCUMENT)


def letter() -> BuryDeadLetter:
    return BuryDeadLetter(ITEM, 400, REASON)


def test_a_sealed_dead_letter_shows_its_id_alone_and_opens_whole(tmp_path: Path) -> None:
    lines = encryption(tmp_path).lines()
    file = DeadLetterFile(tmp_path, lines)
    file.bury([letter()])
    file.close()
    again = DeadLetterFile(tmp_path, lines)
    again.bury([letter()])
    again.close()
    content = (tmp_path / NAME).read_bytes()
    ((number, opened),) = read_lines(tmp_path / NAME, lines)

    assert isinstance(opened, DeadLetter)
    assert (number, opened.id, opened.status, opened.reason) == (1, ID, 400, REASON)
    assert opened.document == {"message": "canary 4111"}
    assert orjson.loads(content).keys() == {"id", "sealed"}
    assert b"canary" not in content


def test_a_sealed_dead_letter_is_no_other_ones(tmp_path: Path) -> None:
    lines = encryption(tmp_path).lines()
    file = DeadLetterFile(tmp_path, lines)
    file.bury([letter()])
    file.close()
    line = (tmp_path / NAME).read_bytes()
    for wrong, why in [
        (line.replace(ID.encode(), b"0" * 31 + b"2-7"), "cannot be opened"),
        (line.replace(b'"sealed":"', b'"sealed":"AA'), "cannot be opened"),
        (line.replace(b'"sealed":"', b'"sealed":"!'), "no base64"),
        (b'{"id":"x","sealed":7}', "sealed without an id"),
    ]:
        with pytest.raises(DeadLetterError, match=why) as refused:
            read_letter(wrong, lines)
        assert "canary" not in str(refused.value)
    with pytest.raises(DeadLetterError, match="--settings"):
        read_letter(line)


def test_a_letter_that_cannot_be_sealed_now_is_not_written_and_comes_again(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    file = DeadLetterFile(tmp_path, encryption(tmp_path, provider=provider).lines())
    provider.fail()
    with pytest.raises(KeyUnavailableError):
        file.bury([letter()])
    assert (tmp_path / NAME).read_bytes() == b""


def test_the_fallback_file_is_sealed_line_by_line_and_knows_what_it_has(tmp_path: Path) -> None:
    lines = encryption(tmp_path).lines()
    path = tmp_path / "fallback.ndjson"
    for _ in range(2):
        sink = FileSink(path, redirected=True, lines=lines)
        sink.send([ITEM])
        sink.close()
    (line,) = path.read_bytes().splitlines()
    content = orjson.loads(line)

    assert content.keys() == {"_id", "_sealed"}
    assert lines.open(content["_sealed"], ID) == DOCUMENT
    assert b"canary" not in line


def test_a_fallback_file_without_a_key_takes_nothing(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    sink = FileSink(tmp_path / "f.ndjson", lines=encryption(tmp_path, provider=provider).lines())
    provider.fail()

    assert isinstance(sink.send([ITEM]), Unknown)
    assert (tmp_path / "f.ndjson").read_bytes() == b""
    provider.mend()
    sink.close()


def test_sealed_letters_are_listed_and_replayed_with_the_settings_and_not_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = key_file(tmp_path)
    spool = tmp_path / "spool"
    spool.mkdir()
    made = encryption(tmp_path, provider=provider)
    file = DeadLetterFile(spool, made.lines())
    file.bury([letter()])
    file.close()
    settings = tmp_path / "settings.yaml"
    text = f"provider=file,path={tmp_path}/keys.json,keyring={tmp_path}/keyring"
    settings.write_bytes(orjson.dumps({"spool": str(spool), "encryption": text}))

    assert main(["spool", "dead-letters", "--spool", str(spool)]) == 1
    assert "give --settings" in capsys.readouterr().err
    assert main(["spool", "dead-letters", "--settings", str(settings)]) == 0
    assert REASON in capsys.readouterr().out
    assert main(["spool", "replay", "--all", "--settings", str(settings)]) == 0
    assert b"canary" not in b"".join(each.read_bytes() for each in spool.rglob("*.segment"))
    with closing(SpoolReader(spool, made.codecs())) as reader:
        assert [document for _, document in read_all(reader)] == [DOCUMENT]
