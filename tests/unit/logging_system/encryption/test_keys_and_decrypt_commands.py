"""`keys` and `decrypt` as a person uses them: through the command line, on a real keyring."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import orjson
import pytest

from logging_system.cli import main
from logging_system.delivery.machine import BuryDeadLetter, Item
from logging_system.encryption.nonces import listed, sealed_in_spool
from logging_system.encryption.reading import Reading
from logging_system.encryption.spool_reading import spooled_documents
from logging_system.keys.leases import LeaseFile, leases
from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyProviderError,
    KeyRetiredError,
    ProviderRefusedError,
    ProviderUnavailableError,
    WrapInvalidError,
)
from logging_system.shipping.dead_letters import NAME, DeadLetterFile
from logging_system.spool.frame import FileHeader, encode_file_header
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter
from tests.toy_codec import NUMBER, toy_codecs
from tests.unit.logging_system.encryption.sealed import Unreliable, encryption, key_file
from tests.unit.logging_system.encryption.test_fields import as_line, encoded, processor

DOCUMENTS = [b'{"message":"canary 1"}', b'{"message":"canary 2"}']


class Place:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.flags = ["--encryption", f"provider=file,path={folder}/keys.json,keyring={folder}/keyring"]
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str, str]:
        try:
            code = main([*words, *self.flags])
        except SystemExit as ended:
            code = int(ended.code or 0)
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Place:
    return Place(tmp_path, capsys)


def spool(folder: Path, living: list[object] | None = None) -> Path:
    """Write a spool; its writer's lease stands as long as what is put into `living`."""
    made = encryption(folder, provider=key_file(folder))
    writer = SpoolWriter(folder / "spool", spool_bytes_max=1 << 20, sync=False, codecs=made.codecs())
    for document in DOCUMENTS:
        writer.append([document])
    writer.seal()
    if living is not None:
        living.append(made)
    return folder / "spool"


def test_a_key_is_made_shown_rotated_and_audited(place: Place) -> None:
    assert place.run("keys", "create")[:2] == (0, "logs: versions 1 to 1\n")
    living: list[object] = []
    spool(place.folder, living)
    code, out, _ = place.run("keys", "status", "--json")
    status = orjson.loads(out)
    assert (code, status["data_keys"], status["keys"]["logs"]["versions"]["1"]["state"]) == (
        0,
        {"logs:1": 1},
        "active",
    )
    assert place.run("keys", "rotate", "--if-due")[:2] == (0, "logs: no rotation is due\n")
    code, _, err = place.run("keys", "rotate", "--wait", "0")
    assert code == 1
    assert "waits for writer" in err
    assert place.run("keys", "rotate", "--pass-over-all")[:2] == (0, "logs: version 2 is active\n")
    _, out, _ = place.run("keys", "status")
    assert "version 1  retired" in out
    assert "version 2  active  1 data keys" in out
    assert place.run("decrypt", str(place.folder / "spool"))[0] == 0
    _, out, _ = place.run("keys", "audit")
    assert [orjson.loads(line)["event"] for line in out.splitlines()][-1] == "rotated"
    code, out, _ = place.run("keys", "audit", "--verify")
    assert (code, out.partition(" digest ")[0]) == (0, "9 events, whole; last")
    audit = place.folder / "keyring" / "audit.ndjson"
    audit.write_bytes(audit.read_bytes().replace(b"demand", b"schedule"))
    code, _, err = place.run("keys", "audit", "--verify")
    assert (code, "was changed" in err) == (1, True)


def test_revoking_destroys_the_old_version_and_what_it_protected_stays_readable(place: Place) -> None:
    spool(place.folder)
    assert place.run("keys", "revoke", "--pass-over-all")[:2] == (0, "logs: version 2 is active\n")
    assert "version 1  destroyed" in place.run("keys", "status")[1]
    assert place.run("decrypt", str(place.folder / "spool"))[0] == 0


def test_shredding_asks_for_the_key_s_name_and_leaves_nothing_readable(place: Place) -> None:
    spool(place.folder)
    assert place.run("keys", "shred", "--yes-destroy", "other")[0] == 1
    code, out, _ = place.run("keys", "shred", "--yes-destroy", "logs")
    assert (code, "1 of them were tried afterwards" in out) == (0, True)
    code, out, err = place.run("decrypt", str(place.folder / "spool"))
    assert (code, out) == (1, "")
    assert "not opened: 2 of key logs:1 (destroyed)" in err


def test_decrypt_shows_spools_dead_letters_and_what_comes_in_and_counts_what_stays_shut(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = spool(place.folder)
    file = DeadLetterFile(folder, encryption(place.folder, provider=key_file(place.folder)).lines())
    file.bury([BuryDeadLetter(Item(bytes(16), 1, b'{"message":"dead"}'), 400, "no")])
    file.close()
    code, out, err = place.run("decrypt", str(folder), str(folder / NAME))
    assert code == 0
    assert out.splitlines() == [*map(bytes.decode, DOCUMENTS), '{"message":"dead"}']
    assert "3 documents" in err
    lines = b'{"message":"plain"}\n\nnonsense\n{"_id":"1","_source":{"message":"hit"}}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    code, out, err = place.run("decrypt")
    assert (code, out.splitlines()) == (1, ['{"message":"plain"}', '{"message":"hit"}'])
    assert "not opened: 1 of key unknown (no JSON object)" in err


def test_nonces_lists_what_is_sealed_in_the_spool_and_in_documents_and_opens_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = spool(place.folder)
    made = encryption(place.folder, provider=key_file(place.folder))
    fields = [urlsafe_b64encode(made.sealer("field").seal(b"x", b"field")).decode() for _ in range(2)]
    line = made.sealer("line").seal(b"x", b"id")
    given = [
        {"message": "m", "encrypted": fields},
        {"_id": "1", "_source": {"encrypted": fields[:1]}},
        {"id": "2", "sealed": b64encode(line).decode()},
        {"message": "plain"},
    ]
    text = "\n".join(map(json.dumps, given)) + "\nno JSON\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    (place.folder / "keys.json").unlink()

    code, out, _ = place.run("keys", "nonces", "--spool", str(folder))
    listed = [tuple(each.split()) for each in out.splitlines()]

    assert code == 0
    assert len(listed) == 6
    assert len(set(listed)) == 5  # one field is stored twice
    assert len({(key, nonce) for key, nonce, _ in listed}) == 5


def test_nonces_refuses_what_it_cannot_list(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list with gaps would be taken for the proof that no nonce is used twice."""

    def refused(command: str, given: bytes = b"") -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        code, _, err = place.run("keys", "nonces", "--spool", str(folder))
        assert (command, code) == (command, 1)
        return err

    folder = place.folder / "other"
    folder.mkdir()
    newer = urlsafe_b64encode(b"\x02\x01" + bytes(100)).decode()
    assert "format 2" in refused("field", json.dumps({"encrypted": [newer]}).encode())
    assert "format 2" in refused("line", json.dumps({"id": "1", "sealed": newer}).encode())
    simple = urlsafe_b64encode(b"\x80" + bytes(100)).decode()
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps({"encrypted": [simple]}).encode()))
    )
    assert place.run("keys", "nonces", "--spool", str(folder))[0] == 0

    toy = SpoolWriter(folder, spool_bytes_max=1 << 20, sync=False, codecs=toy_codecs())
    toy.append([b'{"message":"of another codec"}'])
    toy.seal()
    assert f"codec {NUMBER}" in refused("block")
    for path in folder.glob("*.segment"):
        path.unlink()
    segment = newer_segment(folder)
    assert f"{segment}: written by a newer version" in refused("segment")


def test_what_is_sealed_in_a_segment_whose_header_is_damaged_is_listed_and_decrypted(place: Place) -> None:
    folder = spool(place.folder)
    (segment,) = folder.glob("*.segment")
    before = [*listed(sealed_in_spool(folder))]
    content = bytearray(segment.read_bytes())
    content[10] ^= 1
    segment.write_bytes(bytes(content))

    assert [*listed(sealed_in_spool(folder))] == before
    assert place.run("decrypt", str(folder))[1].splitlines() == [*map(bytes.decode, DOCUMENTS)]


def test_decrypt_tells_a_segment_of_a_newer_version_and_shows_the_rest(place: Place) -> None:
    folder = spool(place.folder)
    newer_segment(folder)

    code, out, err = place.run("decrypt", str(folder))

    assert (code, out.splitlines()) == (1, [*map(bytes.decode, DOCUMENTS)])
    assert "not opened: 1 of key unknown (of a newer version)" in err


def newer_segment(folder: Path) -> Path:
    epoch = b"newer-version-00"
    path = segment_path(folder, epoch, 0, "segment")
    path.write_bytes(encode_file_header(FileHeader(epoch, 0, 1, version=99)) + b"unknown")
    return path


def test_decrypt_goes_on_behind_what_was_damaged_and_a_missing_key_unless_it_is_to_be_strict(
    place: Place,
) -> None:
    folder = spool(place.folder)
    (segment,) = folder.glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[44 + 32 + 90] ^= 1
    segment.write_bytes(bytes(content))
    code, out, err = place.run("decrypt", str(folder))
    assert (code, out) == (1, DOCUMENTS[1].decode() + "\n")
    assert "not opened: 1 of key unknown (damaged)" in err
    assert place.run("decrypt", "--strict", str(folder))[0] == 1
    for path in (place.folder / "keyring" / "data-keys").iterdir():
        path.unlink()
    code, out, err = place.run("decrypt", str(folder))
    assert (code, out) == (1, "")
    assert "not opened: 1 of key logs:1 (missing)" in err


def test_a_command_reads_its_settings_once(place: Place) -> None:
    """A file that changes meanwhile must not name one key and another store."""
    spool(place.folder)
    told = place.folder / "settings.yaml"
    _, setting = place.flags
    told.write_text(json.dumps({"encryption": setting}))
    arguments = ["keys", "revoke", "--pass-over-all", "--settings", str(told)]

    done = subprocess.run(
        [sys.executable, "-c", COUNTS_READS, *arguments], capture_output=True, timeout=60, check=True
    )

    assert done.stdout.splitlines()[-1] == b"0 1"


COUNTS_READS = """
import sys
from logging_system.cli import main
reads = []
def note(event, given):
    if given and str(given[0]) == sys.argv[-1]:
        reads.append(event)
sys.addaudithook(note)
code = main(sys.argv[1:])
print(code, reads.count("open"))
"""


def test_mistakes_are_told_with_their_remedy(place: Place) -> None:
    code, _, err = place.run("keys", "status", "--key", "NO")
    assert (code, "a key id has lower case letters" in err) == (4, True)
    place.flags = []
    assert place.run("keys", "status")[0] == 4
    assert "give --settings" in place.run("decrypt")[2]
    place.flags = ["--encryption", "provider=file,path=x"]
    code, _, err = place.run("keys", "status")
    assert (code, "keyring=DIR" in err) == (4, True)


def test_a_lease_of_a_dead_process_is_shown_as_expired(place: Place) -> None:
    key_file(place.folder)
    old = LeaseFile(place.folder / "keyring", "reader", wall_clock=lambda: time.time() - 60)
    new = LeaseFile(place.folder / "keyring", "writer")
    old.renew("logs", 1)
    new.renew("logs", 2)
    _, out, _ = place.run("keys", "status")
    dead, living = out.splitlines()
    assert (dead.partition(": ")[2], living.partition(": ")[2]) == ("logs:1, lease expired", "logs:2")


def test_a_process_that_has_ended_is_not_waited_for(place: Place) -> None:
    """`decrypt` opens for a moment; its lease would hold every rotation up until it runs out."""
    place.run("keys", "create")
    folder = spool(place.folder)
    command = [sys.executable, "-m", "logging_system", "decrypt", str(folder), *place.flags]

    shown = subprocess.run(command, capture_output=True, timeout=60, check=True)

    assert shown.stdout.splitlines() == DOCUMENTS
    readers = [lease for lease in leases(place.folder / "keyring", time.time()) if lease.role == "reader"]
    assert readers == []


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ProviderUnavailableError, "unavailable"),
        (ProviderRefusedError, "refused"),
        (KeyRetiredError, "retired"),
        (KeyMissingError, "missing"),
        (WrapInvalidError, "invalid"),
        (KeyDestroyedError, "destroyed"),
    ],
)
def test_what_stays_shut_is_counted_by_key_and_by_why(
    tmp_path: Path, failure: type[KeyProviderError], reason: str
) -> None:
    folder = spool(tmp_path)
    provider = Unreliable(key_file(tmp_path))
    made = encryption(tmp_path, provider=provider)
    field = processor(made, "labels.card").process(as_line({"labels": {"card": "canary"}}))
    provider.fail(lambda: failure("no"))
    reading = Reading(made)
    shown = [*spooled_documents(folder, made.codecs(), reading.count)]
    (document,) = reading.documents([encoded(field)])

    assert shown == []
    assert b"canary" not in orjson.dumps(document)
    assert reading.unopened == {("logs:1", reason): 3}


def test_tokens_are_shown_for_a_value_and_rotated_by_command(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tokens_of(value: str) -> list[str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))
        code, out, _ = place.run("keys", "tokens", "--field", "labels.card")
        assert code == 0
        return out.splitlines()

    place.run("keys", "create")
    made = encryption(place.folder, provider=key_file(place.folder))
    old = made.tokens().token("labels.card", "4111")
    assert tokens_of("4111") == [old]
    assert place.run("keys", "tokens", "--rotate")[0] == 0
    new = encryption(place.folder, provider=key_file(place.folder)).tokens().token("labels.card", "4111")
    assert tokens_of("4111") == [new, old]
    assert old != new
    assert place.run("keys", "audit")[1].count("token_key_made") == 2
