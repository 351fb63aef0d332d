"""Fields that are named reach nobody but the holder of the key; everything else stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from logging_system.config.loading import load_settings
from logging_system.config.settings import Settings, chain_of
from logging_system.encryption.encryption import Encryption
from logging_system.encryption.fernet import FernetKeys
from logging_system.encryption.fields import EncryptFields
from logging_system.encryption.reading import Reading, TamperedError
from logging_system.records.document import Record
from logging_system.records.processors import Drop, ProcessorError
from logging_system.spool.codec import KeyUnavailableError
from tests.unit.logging_system.encryption.sealed import Unreliable, encryption, key_file


def processor(made: Encryption, *fields: str, tokens: tuple[str, ...] = ()) -> EncryptFields:
    sealer = made.sealer("field")
    return EncryptFields(
        fields,
        lambda content: sealer.seal(content, b"field"),
        tokens=made.tokens() if tokens else None,
        token_fields=tokens,
    )


def as_line(document: dict[str, Any]) -> Record:
    line = orjson.dumps(document)
    return Record.of_line(line, orjson.loads(line))


DOCUMENT = {
    "@timestamp": "2026-11-30T00:00:00Z",
    "message": "paid",
    "log": {"level": "info"},
    "labels": {"card": "canary 4111", "user.email": "canary@example", "n": 7, "deep": {"x": [1, "canary"]}},
    "items": [{"secret": "canary 1", "name": "a"}, {"name": "b"}, {"secret": {"y": "canary 2"}}],
}
FIELDS = ("labels.card", "labels.user.email", "items.secret", "labels.deep.x", "no.such.field")


def encoded(outcome: Record | Drop) -> bytes:
    assert isinstance(outcome, Record)
    return outcome.encoded


@pytest.mark.parametrize("make", [Record.of_document, as_line], ids=["document", "line"])
def test_sealed_fields_are_gone_from_the_record_and_come_back_where_they_were(
    tmp_path: Path, make: Any
) -> None:
    made = encryption(tmp_path)
    record = processor(made, *FIELDS).process(make(DOCUMENT))
    assert isinstance(record, Record)
    document = orjson.loads(record.encoded)
    reading = Reading(made)

    assert b"canary" not in record.encoded
    assert len(document["encrypted"]) == 5
    assert document["message"] == "paid"
    assert document["items"] == [{"name": "a"}, {"name": "b"}, {}]
    assert reading.document(document) == DOCUMENT
    assert (reading.opened, reading.unopened) == (5, {})


def test_a_record_without_the_fields_is_left_as_it_is(tmp_path: Path) -> None:
    record = as_line({"message": "x", "labels": "none"})
    assert processor(encryption(tmp_path), *FIELDS).process(record) is record


def test_what_holds_a_sealed_field_is_sealed_as_one_whatever_the_order(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    for fields in (("labels", "labels.card"), ("labels.card", "labels")):
        document = orjson.loads(encoded(processor(made, *fields).process(as_line(DOCUMENT))))
        assert "labels" not in document
        assert len(document["encrypted"]) == 1
        assert Reading(made).document(document) == DOCUMENT


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Encryption:
    return encryption(tmp_path_factory.mktemp("shared"))


@given(value=st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_every_value_comes_back_as_it_was(shared: Encryption, value: object) -> None:
    made = shared
    document = orjson.loads(encoded(processor(made, "a.b").process(Record.of_document({"a": {"b": value}}))))
    assert Reading(made).document(document) == {"a": {"b": orjson.loads(orjson.dumps(value))}}


def test_an_application_s_own_field_of_that_name_is_not_lost(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    for own in (["x"], {"y": "canary"}, "z"):
        given_document = {"encrypted": own, "a": 1}
        document = orjson.loads(encoded(processor(made, "a").process(as_line(given_document))))
        restored = Reading(made).document(document)
        assert restored["a"] == 1
        assert restored["encrypted"] == own


def test_without_a_key_the_record_is_dropped_for_it_would_not_be_whole(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    made = encryption(tmp_path, provider=provider)
    provider.fail()

    outcome = processor(made, "labels.card", tokens=("labels.card",)).process(as_line(DOCUMENT))

    assert outcome == Drop("key_unavailable")


@pytest.mark.parametrize("there", [None, "own", ["own", 1]])
def test_without_a_key_only_the_fields_are_dropped_where_that_is_declared(
    tmp_path: Path, there: object
) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    made = encryption(tmp_path, provider=provider)
    sealer = made.sealer("field")
    drops = EncryptFields(
        FIELDS, lambda content: sealer.seal(content, b"field"), tokens=made.tokens(), drops_fields=True
    )
    provider.fail()
    document = DOCUMENT if there is None else {**DOCUMENT, "encrypted": there}
    kept = orjson.loads(encoded(drops.process(as_line(document))))
    reading = Reading(made)

    assert b"canary" not in orjson.dumps(kept)
    dropped = {"dropped": ["items.secret", "labels.card", "labels.deep.x", "labels.user.email"]}
    own = there if isinstance(there, list) else [] if there is None else [there]
    assert kept.pop("encrypted") == [*own, dropped]
    assert kept["message"] == "paid"
    assert kept["items"] == [{"name": "a"}, {"name": "b"}, {}]
    reading.document({"encrypted": [dropped]})
    assert reading.unopened == {("unknown", "dropped"): 1}


def test_equal_values_have_equal_tokens_by_which_they_are_found_and_other_fields_have_others(
    tmp_path: Path,
) -> None:
    made = encryption(tmp_path)
    sealing = processor(made, "labels.card", "labels.other", tokens=("labels.card", "labels.other"))
    other_process = processor(
        encryption(tmp_path, provider=key_file(tmp_path)), "labels.card", tokens=("labels.card",)
    )

    def token(by: EncryptFields, card: str, name: str = "card") -> str:
        document = orjson.loads(encoded(by.process(as_line({"labels": {name: card}}))))
        found: str = document["labels"][f"{name}.token"]
        return found

    first = token(sealing, "4111")
    assert token(sealing, "4111") == token(other_process, "4111") == first
    assert token(sealing, "4112") != first
    assert token(sealing, "4111", "other") != first
    tokens = made.tokens()
    tokens.rotate()
    assert tokens.token("labels.card", "4111") != first
    assert tokens.search_tokens("labels.card", "4111") == [tokens.token("labels.card", "4111"), first]


def test_tokens_stay_the_same_across_a_rotation_of_the_key(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    before = made.tokens().token("labels.card", "4111")
    made.rotator().begin("logs", "demand")
    assert made.rotator().run("logs", passes_over_all=True).rotation is None
    assert made.key_use.active_version() == 2
    assert encryption(tmp_path, provider=key_file(tmp_path)).tokens().token("labels.card", "4111") == before


def fernet_file(path: Path, *keys: bytes) -> FernetKeys:
    path.write_bytes(b"# newest first\n" + b"\n".join(keys) + b"\n")
    path.chmod(0o600)
    return FernetKeys(path)


def test_fernet_seals_with_the_first_key_of_the_file_and_opens_with_all(tmp_path: Path) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    keys = fernet_file(tmp_path / "fernet", old)
    sealing = EncryptFields(["labels.card"], keys.seal)
    first = orjson.loads(encoded(sealing.process(as_line(DOCUMENT))))
    fernet_file(tmp_path / "fernet", new, old)
    second = orjson.loads(encoded(sealing.process(as_line(DOCUMENT))))
    reading = Reading(None, keys)

    assert [reading.document(each) for each in (first, second)] == [DOCUMENT, DOCUMENT]
    assert Fernet(new).decrypt(second["encrypted"][0]) != b""
    only_old = Reading(None, fernet_file(tmp_path / "old", old))
    assert only_old.document(first) == DOCUMENT
    assert "card" not in str(only_old.document(second)["labels"])
    assert only_old.unopened == {("fernet", "tampered"): 1}


def test_a_file_of_fernet_keys_that_others_may_read_seals_nothing(tmp_path: Path) -> None:
    keys = fernet_file(tmp_path / "fernet", Fernet.generate_key())
    (tmp_path / "fernet").chmod(0o640)
    with pytest.raises(KeyUnavailableError, match="chmod 600"):
        keys.seal(b"x")
    (tmp_path / "fernet").chmod(0o600)
    (tmp_path / "fernet").write_text("no key")
    with pytest.raises(KeyUnavailableError, match="no Fernet key") as refused:
        FernetKeys(tmp_path / "fernet").seal(b"x")
    assert "no key\n" not in str(refused.value)


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_text("no key")], ids=["gone", "garbage"]
)
def test_fernet_keys_whose_file_is_away_serve_on_for_an_hour_and_no_longer(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    path, now = tmp_path / "fernet", [100.0]
    fernet_file(path, key := Fernet.generate_key())
    keys = FernetKeys(path, monotonic=lambda: now[0])
    now[0] = 5000
    keys.seal(b"seen whole again")
    spoil(path)
    now[0] += 3599
    assert keys.open(keys.seal(b"meanwhile")) == b"meanwhile"

    now[0] += 1
    with pytest.raises(KeyUnavailableError):
        keys.seal(b"too late")

    fernet_file(path, key)
    assert keys.open(keys.seal(b"after")) == b"after"


def test_a_process_that_has_sealed_nothing_yet_has_its_fernet_keys_all_the_same(tmp_path: Path) -> None:
    keys = fernet_file(tmp_path / "fernet", Fernet.generate_key())
    (tmp_path / "fernet").unlink()

    assert keys.open(keys.seal(b"first")) == b"first"


def test_what_was_changed_is_counted_or_stops_a_strict_reading_and_is_never_shown(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    document = orjson.loads(encoded(processor(made, "labels.card").process(as_line(DOCUMENT))))
    (whole,) = document["encrypted"]
    for wrong in (whole[:-8] + "AAAAAAAA", whole[:40], "!", "", "gAAAA"):
        changed = {**document, "encrypted": [wrong, whole]}
        reading = Reading(made)
        restored = reading.document(changed)
        assert restored["encrypted"] == [wrong]
        assert restored["labels"] == DOCUMENT["labels"]
        assert sum(reading.unopened.values()) == 1
    with pytest.raises(TamperedError) as stopped:
        Reading(made, is_strict=True).document({**document, "encrypted": [whole[:-8] + "AAAAAAAA"]})
    assert "4111" not in str(stopped.value)


def settings(tmp_path: Path, **more: Any) -> Settings:
    return load_settings({"service": "shop", "spool": tmp_path / "spool", **more}).settings


def test_the_settings_put_the_processor_behind_all_others(tmp_path: Path) -> None:
    key_file(tmp_path)
    loaded = settings(
        tmp_path,
        encryption={"provider": "file", "path": tmp_path / "keys.json"},
        encrypt_fields="labels.card,labels.env",
        token_fields=["labels.card"],
        labels="env=canary",
    )
    record = chain_of(loaded).run(as_line(DOCUMENT))
    assert isinstance(record, Record)
    document = orjson.loads(record.encoded)
    assert document["labels"].keys() == {"user.email", "n", "deep", "card.token"}
    assert b"canary 4111" not in record.encoded


@pytest.mark.parametrize(
    ("given_settings", "wrong"),
    [
        ({"encrypt_fields": ["a"]}, "needs the setting encryption"),
        ({"token_fields": ["a"]}, "names no field"),
        ({"encrypt_fields": ["log"], "encryption": "provider=file,path=x"}, "log cannot be encrypted"),
        (
            {"encrypt_fields": ["a"], "token_fields": ["b"], "encryption": "provider=file,path=x"},
            "b is not in encrypt_fields",
        ),
        ({"encrypt_fields": ["a"], "encryption": "provider=fil"}, "did you mean"),
        ({"encrypt_fields": ["a"], "fernet_keys": "x", "token_fields": ["a"]}, "Fernet makes no tokens"),
    ],
)
def test_a_mistake_in_the_settings_keeps_the_chain_from_being_made(
    tmp_path: Path, given_settings: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ProcessorError, match=wrong):
        chain_of(settings(tmp_path, **given_settings))
