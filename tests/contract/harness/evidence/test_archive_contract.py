"""The Elasticsearch archive reads the same from elastic_lite and from the real Elasticsearch."""

from __future__ import annotations

import json

import pytest

from harness.evidence.archives.elasticsearch import ElasticsearchArchive
from harness.model.errors import StackError
from harness.model.protocols import Sighting
from harness.processes.ports import free_port


@pytest.fixture
def archive_of(store):
    opened = []

    def open_archive(index: str) -> ElasticsearchArchive:
        opened.append(ElasticsearchArchive(index, store.url))
        return opened[-1]

    yield open_archive
    for archive in opened:
        archive.close()


def test_an_index_that_does_not_exist_yet_is_empty(store, archive_of):
    archive = archive_of(store.name())
    archive.refresh()

    assert archive.count() == 0
    assert list(archive.read()) == []


def test_an_index_that_does_not_exist_is_told_from_an_empty_one(store, archive_of):
    empty = store.index()
    wrong = f"{empty}1"
    told = archive_of(wrong).absent()

    assert archive_of(empty).absent() == ""
    assert told.startswith(f'no index or data stream "{wrong}" exists at {store.url}: check `archive.index`')
    assert empty in told


def test_a_data_stream_without_documents_exists(store, archive_of):
    stream = store.stream()
    missing = archive_of(stream).absent()
    store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": 1}])

    assert f'"{stream}"' in missing
    assert archive_of(stream).absent() == ""


@pytest.mark.parametrize("mapping", [{"message": {"type": "text"}}, {"message": {"type": "keyword"}}, {}])
def test_a_word_is_found_in_another_field_and_in_another_index(store, archive_of, mapping):
    word = "kmzqvt"
    index, other = store.index(mapping), store.index(mapping)
    store.fill(index, {"a": {"message": "", "log": {"text": f"one {word}-x"}}})
    store.fill(other, {"b": {"message": f"two {word}-y", "log": {"text": "nothing"}}})

    found = list(archive_of(index).elsewhere(word, ""))

    assert Sighting(f"{index}/a", f"one {word}-x", {"field": "log.text"}) in found
    assert Sighting(f"{other}/b", f"two {word}-y", {"index": other}) in found
    assert all(word in sighting.text for sighting in found)


def test_a_word_in_a_data_stream_is_found_under_the_streams_name(store, archive_of):
    stream = store.stream()
    store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": 1, "message": "gxqzrt-z"}])

    archive_of(stream).refresh()

    found = list(archive_of(store.name()).elsewhere("gxqzrt", ""))

    assert ("gxqzrt-z", {"index": stream}) in [(sighting.text, sighting.changes) for sighting in found]


def test_every_document_is_read_over_several_pages(store, archive_of):
    index = store.index({"message": {"type": "text"}})
    store.fill(index, {f"id-{n}": {"message": f"line {n}"} for n in range(4_500)})

    documents = list(archive_of(index).read())

    assert len(documents) == 4_500
    assert {document.line for document in documents} == {f"line {n}" for n in range(4_500)}
    assert {document.copy for document in documents} == {f"{index}/id-{n}" for n in range(4_500)}


def test_both_copies_of_an_id_in_two_indices_are_read(store, archive_of):
    first, second = store.index(), store.index()
    for index in (first, second):
        store.fill(index, {"same": {"message": "twice"}})

    documents = list(archive_of(f"{first},{second}").read())

    assert sorted(document.copy for document in documents) == sorted([f"{first}/same", f"{second}/same"])


def _lines(follower):
    return sorted(document.line for document in follower.read())


def test_what_is_new_is_read_without_what_was_read_long_ago(store, archive_of):
    index = store.index({"message": {"type": "text"}})
    store.fill(index, {f"id-{n}": {"message": f"line {n}"} for n in range(4_500)})
    archive = archive_of(index)
    follower, late = archive.follow(), archive.follow(from_now=True)
    first = _lines(follower)
    written = [
        {"index": {"_id": "new"}},
        {"message": "new"},
        {"index": {"_id": "id-7"}},
        {"message": "changed"},
    ]
    store.items(f"/{index}", written)
    archive.refresh()
    then = _lines(follower)

    assert first == sorted(f"line {n}" for n in range(4_500))
    assert {"new", "changed"} <= set(then)
    assert len(then) < 1_000
    assert {"new", "changed"} <= set(_lines(late))


def test_a_data_stream_is_followed_and_what_does_not_exist_yet_is_empty(store, archive_of):
    stream = store.stream()
    archive = archive_of(stream)
    follower = archive.follow(from_now=True)
    before = _lines(follower)
    store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": 1, "message": "x"}])
    archive.refresh()

    assert (before, _lines(follower)) == ([], ["x"])


def test_an_index_of_several_shards_is_followed_by_reading_it_whole(store, archive_of):
    index = store.name()
    store.call("PUT", f"/{index}", {"settings": {"number_of_shards": 3}})
    store.used.append(index)
    store.fill(index, {f"id-{n}": {"message": f"line {n}"} for n in range(20)})
    archive = archive_of(index)
    follower = archive.follow()
    first = _lines(follower)
    store.fill(index, {"new": {"message": "new"}})
    archive.refresh()

    assert first == sorted(f"line {n}" for n in range(20))
    assert "new" in _lines(follower)


def test_indices_of_like_names_are_neighbours(store, archive_of):
    index = store.index()
    beside = f"{index}-2"
    store.used.append(beside)
    store.fill(beside, {"a": {"message": "x"}})

    name, archive = archive_of(index).neighbours()[0]
    lines = [document.line for document in archive.read()]
    archive.close()
    assert (name, lines) == (f'the index "{beside}"', ["x"])


def test_a_store_that_does_not_answer_cannot_be_followed():
    archive = ElasticsearchArchive("logs", f"http://127.0.0.1:{free_port()}", timeout_seconds=2.0)

    with pytest.raises(StackError, match="cannot be followed"):
        list(archive.follow().read())
    with pytest.raises(StackError, match="cannot be followed"):
        archive.follow(from_now=True)
    archive.close()


def test_a_text_comes_back_byte_for_byte(store, archive_of):
    index = store.index({"message": {"type": "text"}})
    text = 'tab\t newline\n quote" back\\slash ünïcödé ⟨☃⟩ \U0001f600   trailing  '
    store.fill(index, {"a": {"message": text}})

    assert [document.line for document in archive_of(index).read()] == [text]


def test_other_fields_come_along_by_their_dotted_paths(store, archive_of):
    index = store.index()
    store.fill(
        index,
        {
            "a": {"message": "x", "process": {"entity_id": "ab"}, "event": {"sequence": 7}},
            "b": {"message": "y", "event.sequence": 8},
        },
    )

    documents = archive_of(index).read(["process.entity_id", "event.sequence"])

    assert {document.line: document.values for document in documents} == {"x": ("ab", 7), "y": (None, 8)}


def test_a_field_with_dots_is_found_nested_and_flat(store):
    index = store.index({"log": {"properties": {"original": {"type": "text"}}}})
    store.fill(index, {"a": {"log": {"original": "nested"}}, "b": {"log.original": "flat"}})
    archive = ElasticsearchArchive(index, store.url, field="log.original")
    lines = sorted(document.line for document in archive.read())
    archive.close()

    assert lines == ["flat", "nested"]


def test_a_document_is_shown_raw_as_it_was_stored(store, archive_of):
    index = store.index()
    store.fill(index, {"a": {"message": "x", "sealed": {"key": 7, "text": "abc"}}})

    (document,) = archive_of(index).raw()
    assert document.copy == f"{index}/a"
    assert json.loads(document.body) == {"message": "x", "sealed": {"key": 7, "text": "abc"}}


def test_a_runs_index_is_removed_and_its_neighbours_stay(store, archive_of):
    index = store.index()
    neighbour = f"{index}x"
    store.used.append(neighbour)
    for name in (index, neighbour):
        store.fill(name, {"a": {"message": "x"}})
    archive = archive_of(index)
    archive.remove(store.suffix)
    archive.remove(store.suffix)

    assert archive.count() == 0
    assert store.count(neighbour) == 1


@pytest.mark.parametrize("name", ["{}*", "{},other", "*", "_all", "-{}", "other"])
def test_a_name_that_may_stand_for_anything_else_is_never_deleted(store, archive_of, name):
    index = store.index()
    store.fill(index, {"a": {"message": "x"}})

    with pytest.raises(StackError, match="is not deleted"):
        archive_of(name.format(index)).remove(store.suffix)
    assert store.count(index) == 1


def test_what_is_not_refreshed_is_seen_after_a_refresh(store, archive_of):
    index = store.index()
    store.items(f"/{index}", [{"create": {"_id": "a"}}, {"message": "x"}])
    archive = archive_of(index)
    before = archive.count()
    archive.refresh()

    assert (before, archive.count()) == (0, 1)


def test_a_data_stream_is_read_whole(store, archive_of):
    stream = store.stream({"message": {"type": "text"}})
    store.items(
        f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": "2026-01-01T00:00:00Z", "message": "x"}]
    )
    archive = archive_of(stream)
    archive.refresh()

    (document,) = archive.read()
    assert document.line == "x"
    assert document.copy.startswith(f".ds-{stream}-")


def test_a_store_that_is_not_there_is_an_error_never_an_empty_archive():
    archive = ElasticsearchArchive("logs", f"http://127.0.0.1:{free_port()}")
    try:
        for ask in (archive.count, archive.refresh, archive.absent, lambda: list(archive.read())):
            with pytest.raises(StackError, match="cannot be read"):
                ask()
    finally:
        archive.close()
