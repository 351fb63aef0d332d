"""Wrapped data keys of what is in the store are there too: on elastic_lite and on the real Elasticsearch."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.cli import main
from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import Delivered, Unknown
from logging_system.encryption.encryption import Encryption
from logging_system.encryption.named_keys import named_data_keys
from logging_system.encryption.reading import Reading
from logging_system.keys.data_keys import StoredDataKey
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.leases import LEASE_SECONDS
from logging_system.keys.provider import WrappedKey
from logging_system.keys.rotation import Rotator
from logging_system.monitoring.events import Event, StoreRemark
from logging_system.records.document import Record
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from logging_system.sinks.elasticsearch.key_index import KEYS_MAX, KeyIndex
from logging_system.sinks.elasticsearch.searching import StoreError, found_sources
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from logging_system.sinks.key_publishing import KeyPublishingSink
from tests.contract.elasticsearch_fixture import Store, eventually
from tests.outcomes import kinds
from tests.unit.logging_system.encryption.sealed import Clock, encryption
from tests.unit.logging_system.encryption.test_fields import as_line, processor

EPOCH = bytes(range(16))
STAMP = "2026-01-01T00:00:00Z"
NOBODY = "http://127.0.0.1:1"
WAIT_SECONDS = 20.0


def stored_key(number: int, version: int = 1, data: bytes = b"wrapped") -> StoredDataKey:
    wrapped = WrappedKey("logs", version, "provider", data)
    return StoredDataKey(number.to_bytes(16, "big"), "field", 1.5, wrapped)


@pytest.fixture
def index(store: Store) -> Iterator[KeyIndex]:
    with closing(ElasticsearchSink([store.url], "logs-none-default")) as sink:
        made = KeyIndex(sink.request, new_name(store))
        made.prepare()
        yield made


def new_name(store: Store) -> str:
    name = store.name("keys")
    store.used.append(f"logging-system-{name}")
    return name


class World:
    """An application's keyring and processor, and what ships its documents to a store."""

    def __init__(self, folder: Path, store: Store, url: str = "") -> None:
        self.folder = folder
        self.store = store
        self.made = encryption(folder)
        self.seals = processor(self.made, "labels.card", tokens=("labels.card",))
        self.stream, self.name = store.name("logs"), new_name(store)
        store.used.append(f"logging-system-{self.stream}")
        self.clock = Clock()
        self.told: list[Event] = []
        self.sink = self.publishing(url or store.url)
        self.sent = 0
        self.encoded: list[bytes] = []

    def publishing(self, url: str, keys_url: str = "") -> KeyPublishingSink:
        store = ElasticsearchSink([url], self.stream, request_timeout_seconds=5.0)
        index_store = ElasticsearchSink([keys_url or url], self.stream)
        return KeyPublishingSink(
            store,
            KeyIndex(index_store.request, self.name),
            self.made.data_keys,
            KeyringFile(self.made.keyring.folder),
            stream=self.stream,
            emit=self.told.append,
            monotonic=self.clock,
        )

    def items(self, count: int = 3) -> list[Item]:
        made = []
        for number in range(self.sent, self.sent + count):
            document = {"@timestamp": STAMP, "message": "paid", "labels": {"card": f"4111 {number}"}}
            record = self.seals.process(as_line(document))
            assert isinstance(record, Record)
            made.append(Item(EPOCH, number + 1, record.encoded))
            self.encoded.append(record.encoded + b"\n")
        self.sent += count
        return made

    def in_index(self) -> dict[str, Any]:
        self.store.ok("POST", f"/{self.name}/_refresh")
        hits = self.store.ok("POST", f"/{self.name}/_search", {"size": 100})["hits"]["hits"]
        return {hit["_id"]: hit["_source"] for hit in hits}

    def rotate(self) -> None:
        made = self.made
        later = Rotator(made.provider, made.keyring, wall_clock=lambda: 4e9 + LEASE_SECONDS)
        later.begin("logs", "demand")
        assert later.run("logs", passes_over_all=True).rotation is None


@pytest.fixture
def world(tmp_path: Path, store: Store) -> Iterator[World]:
    made = World(tmp_path, store)
    yield made
    made.sink.close()


def test_data_keys_are_kept_under_their_ids_and_nothing_of_them_is_indexed(
    index: KeyIndex, store: Store
) -> None:
    keys = [stored_key(number) for number in range(KEYS_MAX)]
    index.put(keys)
    index.put(keys)
    index.prepare()
    store.ok("POST", f"/{index.name}/_refresh")
    searched = {"query": {"term": {"key_id": "logs"}}}
    mapping = store.ok("GET", f"/{index.name}/_mapping")[index.name]["mappings"]
    settings = store.ok("GET", f"/{index.name}/_settings")[index.name]["settings"]["index"]

    assert index.get(keys[7].id) == keys[7]
    assert index.get(b"\xff" * 16) is None
    assert store.count(index.name) == KEYS_MAX
    assert store.ids(index.name, searched) == []
    assert not mapping.get("properties")
    assert str(mapping["dynamic"]) == "false"
    assert settings["hidden"] == "true"
    assert sorted(index.all(), key=lambda each: each.id) == keys


def test_a_data_key_that_was_wrapped_anew_takes_the_place_of_the_older_one_and_never_the_other_way_round(
    index: KeyIndex,
) -> None:
    for version in (2, 3, 1, 3):
        index.put([stored_key(1, version, b"of version %d" % version), stored_key(2)])

    assert index.get(stored_key(1).id) == stored_key(1, 3, b"of version 3")
    assert index.versions([stored_key(number).id for number in (1, 2, 3)]) == {
        stored_key(1).id: 3,
        stored_key(2).id: 1,
    }
    index.remove([stored_key(1).id, stored_key(3).id])
    assert index.get(stored_key(1).id) is None


def test_an_index_that_was_removed_comes_back_with_its_mapping(index: KeyIndex, store: Store) -> None:
    store.ok("DELETE", f"/{index.name}")
    index.put([stored_key(1)])

    assert not store.ok("GET", f"/{index.name}/_mapping")[index.name]["mappings"].get("properties")


def test_a_search_is_read_to_its_end_page_by_page(store: Store) -> None:
    name = store.index()
    store.fill(name, {str(number): {"n": number} for number in range(25)})
    with closing(ElasticsearchSink([store.url], name)) as sink:
        found = list(found_sources(sink.request, name, {"query": {"match_all": {}}}, size=10))
        with pytest.raises(StoreError, match="no such index"):
            list(found_sources(sink.request, f"{name}x", {}))

    assert sorted(orjson.loads(each)["n"] for each in found) == list(range(25))


def test_nothing_is_held_in_the_store_while_what_it_found_is_looked_at(store: Store) -> None:
    """Whoever looks may wait for a key server for longer than a store keeps a search."""
    name = store.index()
    store.fill(name, {str(number): {"n": number} for number in range(25)})
    asked: list[str] = []
    with closing(ElasticsearchSink([store.url], name)) as sink:

        def ask(method: str, target: str, body: bytes, kind: str) -> HttpAnswer | NoAnswer:
            asked.append(f"{method} {target}")
            return sink.request(method, target, body, kind)

        found = found_sources(ask, name, {"query": {"match_all": {}}}, size=10)
        next(found)
        before = list(asked)
        rest = list(found)

    assert (len(rest), asked) == (24, before)
    assert before[-1] == "DELETE /_search/scroll"


def test_documents_are_sent_once_the_data_keys_that_they_name_are_in_the_index(world: World) -> None:
    items = world.items()
    outcome = world.sink.send(items)
    (named,) = {each for item in items for each in named_data_keys(item.document)}
    stored = world.in_index()

    assert kinds(outcome, len(items)) == [Delivered] * 3
    assert stored[named.hex()] == orjson.loads(
        (world.made.keyring.folder / "data-keys" / f"{named.hex()}.json").read_bytes()
    )
    assert {each["purpose"] for each in stored.values()} == {"field"}
    assert world.told == []


def test_all_data_keys_that_documents_need_follow_and_do_so_again_after_a_rotation(world: World) -> None:
    world.items()
    world.made.sealer("block").seal(b"x", b"place")
    assert world.sink.follow()
    before = world.in_index()
    world.rotate()
    assert world.sink.follow()
    after = world.in_index()

    assert sorted(each["purpose"] for each in before.values()) == ["field", "token"]
    assert [{each["version"] for each in kept.values()} for kept in (before, after)] == [{1}, {2}]
    assert before.keys() == after.keys()


def test_commands_find_no_data_keys_where_there_is_no_index(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    world.made.sealer("block").seal(b"x", b"place")
    setting = f"provider=file,path={tmp_path}/keys.json,keyring={tmp_path}/keyring"
    flags = ["--encryption", setting, "--elasticsearch", world.store.url, "--key-index", world.name]
    said = []
    for words in (["prune"], ["restore"], ["rotate", "--pass-over-all"], ["shred", "--yes-destroy", "logs"]):
        assert main(["keys", *words, *flags]) == 0
        said.append(capsys.readouterr().out.splitlines()[0])

    assert said == [
        "removed: none",
        "logs: 0 data keys restored",
        "logs: version 2 is active",
        "logs: destroyed, and 1 data keys with it",
    ]
    assert world.store.call("GET", f"/{world.name}").status_code == 404


def test_an_index_that_somebody_removed_is_filled_again_within_the_hour(world: World) -> None:
    world.items()
    assert world.sink.follow()
    world.store.ok("DELETE", f"/{world.name}")
    world.clock.now_seconds += 3599
    assert world.sink.follow()
    assert world.store.call("GET", f"/{world.name}").status_code == 404
    world.clock.now_seconds += 2
    assert world.sink.follow()

    assert len(world.in_index()) == 2


def test_the_thread_follows_without_any_record(world: World) -> None:
    world.items()
    assert world.sink.prepare() is None

    assert eventually(WAIT_SECONDS, lambda: world.store.call("GET", f"/{world.name}").status_code == 200)
    assert eventually(WAIT_SECONDS, lambda: len(world.in_index()) == 2)


def test_a_key_index_out_of_reach_holds_nothing_up_and_gets_everything_later(world: World) -> None:
    with closing(world.publishing(world.store.url, NOBODY)) as sink:
        outcome = sink.send(items := world.items())
        assert not sink.follow()
    assert kinds(outcome, len(items)) == [Delivered] * 3
    assert world.sink.follow()
    assert len(world.in_index()) == 2


def test_a_store_out_of_reach_is_told_as_ever(world: World) -> None:
    with closing(world.publishing(NOBODY)) as sink:
        outcome = sink.send(world.items())
    assert isinstance(outcome, Unknown)
    assert not outcome.may_have_stored


def test_a_key_index_that_refuses_is_told_once_and_tried_again(world: World) -> None:
    world.store.ok("PUT", f"/{world.name}", {"settings": {"index": {"blocks": {"write": True}}}})
    for _ in range(3):
        outcome = world.sink.send(items := world.items())
        assert kinds(outcome, len(items)) == [Delivered] * 3
        world.clock.now_seconds += 31
    (told,) = world.told
    assert isinstance(told, StoreRemark)
    assert told.topic == "key_index"
    assert "does not take wrapped data keys" in told.remark
    world.store.ok("PUT", f"/{world.name}/_settings", {"index": {"blocks": {"write": False}}})
    assert world.sink.follow()
    assert len(world.in_index()) == 2


def test_documents_are_read_by_a_query_when_the_keyring_s_folder_is_gone(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.sink.send(world.items())
    world.rotate()
    assert world.sink.follow()
    for name in (world.name, world.stream):
        world.store.ok("POST", f"/{name}/_refresh")
    shutil.rmtree(world.made.keyring.folder)
    flags = [
        "decrypt",
        *("--elasticsearch", world.store.url, "--index", world.stream),
        *("--query", '{"match_all":{}}'),
        *("--encryption", f"provider=file,path={tmp_path}/keys.json"),
    ]
    code = main([*flags, "--key-index", world.name])
    shown = capsys.readouterr()
    exported = tmp_path / "exported.ndjson"
    exported.write_bytes(b"".join(world.encoded))
    with_index = [*flags[:3], *flags[7:], "--key-index", world.name]
    assert main([*with_index, str(exported)]) == 0
    assert capsys.readouterr().out.count("4111") == 3
    other = main([*flags, "--key-index", new_name(world.store)])
    not_shown = capsys.readouterr()

    assert (code, shown.err) == (0, "3 documents, 3 sealed parts opened\n")
    assert sorted(orjson.loads(line)["labels"]["card"] for line in shown.out.splitlines()) == [
        f"4111 {number}" for number in range(3)
    ]
    assert other == 1
    assert "4111" not in not_shown.out
    assert "not opened: 3 of key logs:1 (missing)" in not_shown.err
    assert not world.made.keyring.folder.exists()


def test_what_is_wrong_in_the_index_opens_nothing_and_is_counted(world: World, tmp_path: Path) -> None:
    world.sink.send(items := world.items(1))
    (named,) = set(named_data_keys(items[0].document))
    stored = world.made.data_keys.get(named)
    assert stored is not None
    with closing(ElasticsearchSink([world.store.url], world.stream)) as sink:
        index = KeyIndex(sink.request, world.name)
        index.put([replace(stored, wrapped=replace(stored.wrapped, version=9, data=b"x" * 60))])
        lost = Encryption(world.made.provider, tmp_path / "lost", "logs")
        lost.also_find_data_keys_in(index)
        reading = Reading(lost)
        document = reading.document(orjson.loads(items[0].document))

    assert b"4111" not in orjson.dumps(document)
    assert reading.unopened == {("logs:1", "missing"): 1}


def test_data_keys_are_restored_from_the_index_pruned_there_and_shredded_there(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def keys(*words: str) -> tuple[int, str]:
        setting = f"provider=file,path={tmp_path}/keys.json,keyring={tmp_path}/keyring"
        more = ["--encryption", f"{setting},index_retention_seconds=1", "--elasticsearch", world.store.url]
        code = main(["keys", *words, *more, "--key-index", world.name])
        world.store.ok("POST", f"/{world.name}/_refresh")
        return code, capsys.readouterr().out

    (tmp_path / "spool").mkdir()
    world.sink.send(world.items())
    assert world.sink.follow()
    world.store.ok("POST", f"/{world.name}/_refresh")
    shutil.rmtree(tmp_path / "keyring")
    assert keys("restore") == (0, "logs: 2 data keys restored\n")
    assert keys("restore") == (0, "logs: 0 data keys restored\n")
    assert len(list(world.made.data_keys.ids())) == 2
    ours = replace(stored_key(1), keyring=world.made.keyring.read().id)
    theirs = replace(stored_key(2), keyring="of another machine")
    with closing(ElasticsearchSink([world.store.url], world.stream)) as sink:
        KeyIndex(sink.request, world.name).put([ours, theirs])
    world.store.ok("POST", f"/{world.name}/_refresh")
    assert keys("restore")[1].endswith(
        "2 are wrapped with another key of that name, or a version that is retired or destroyed\n"
    )
    assert keys("prune", "--dry-run") == (
        0,
        "would be removed: 1 field\nneeded, or not certain: 1 field, 1 token\n",
    )
    assert keys("prune")[1].startswith("removed: 1 field\n")
    assert world.in_index().keys() >= {theirs.id.hex()}
    assert ours.id.hex() not in world.in_index()
    code, said = keys("shred", "--yes-destroy", "logs")
    assert (code, f"2 data keys were removed from index {world.name}" in said) == (0, True)
    assert world.in_index().keys() == {theirs.id.hex()}


def test_a_version_is_destroyed_once_the_index_has_what_was_wrapped_anew(world: World) -> None:
    world.sink.send(world.items())
    assert world.sink.follow()
    rotator = world.made.rotator()
    rotator.begin("logs", "suspicion", destroys_old=True)
    for _ in range(20):
        progress = rotator.run("logs")
        if progress.waits_for and progress.waits_for[0].startswith("publisher"):
            break
        world.items(1)  # the writer looks, and switches
        time.sleep(0.1)
    before = {each["version"] for each in world.in_index().values()}
    states = world.made.keyring.read().keys["logs"].versions
    assert (before, states[1].state.value) == ({1}, "retired")
    assert world.sink.follow()

    assert {each["version"] for each in world.in_index().values()} == {2}
    assert rotator.run("logs").rotation is None
    assert world.made.keyring.read().keys["logs"].versions[1].state.value == "destroyed"


def test_revoking_by_command_waits_for_an_index_that_takes_no_data_keys(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    setting = f"provider=file,path={tmp_path}/keys.json,keyring={tmp_path}/keyring"
    flags = ["--encryption", setting, "--elasticsearch", world.store.url, "--key-index", world.name]
    world.sink.send(world.items())
    world.store.ok("PUT", f"/{world.name}/_settings", {"index": {"blocks": {"write": True}}})
    world.made.rotator().begin("logs", "suspicion", destroys_old=True)
    assert world.made.rotator().run("logs", passes_over_all=False).waits_for  # the writer here, which is idle
    code = main(["keys", "revoke", "--wait", "0", *flags])
    assert (code, "waits for writer" in capsys.readouterr().err) == (1, True)
    world.items(1)
    time.sleep(0.6)
    world.items(1)
    code = main(["keys", "revoke", "--wait", "0", *flags])
    said = capsys.readouterr().err
    assert (code, "waits for the key index has not got the data keys" in said) == (1, True)
    world.store.ok("PUT", f"/{world.name}/_settings", {"index": {"blocks": {"write": False}}})
    assert main(["keys", "revoke", "--wait", "5", *flags]) == 0

    assert {each["version"] for each in world.in_index().values()} == {2}
