from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    CannotLookUp,
    Delivered,
    DocumentOutcome,
    Found,
    Redirected,
    Unknown,
)
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from logging_system.sinks.fallback import PROBE_SECONDS, FallbackSink
from logging_system.sinks.file import FileSink
from tests.outcomes import outcome_of_one
from tests.unit.logging_system.store_server import ITEMS, StoreServer, http

AFTER_SECONDS = 60.0
EPOCH = bytes(range(16))


def item(sequence: int) -> Item:
    return Item(EPOCH, sequence, orjson.dumps({"message": f"line {sequence}"}))


@dataclass
class Place:
    """A store that is there or not, the files beside it, and the time.

    The store is a file itself: it has a real store's two ways to fail, not being there and not answering.
    """

    folder: Path
    now_seconds: float = 1_000.0

    @property
    def files(self) -> Path:
        return self.folder / "fallback.ndjson"

    def lose_store(self) -> None:
        store = self.folder / "store"
        if store.exists():
            store.rename(self.folder / "kept")
        store.touch()

    def bring_store_back(self) -> None:
        (self.folder / "store").unlink()
        if (self.folder / "kept").exists():
            (self.folder / "kept").rename(self.folder / "store")

    def sink(self) -> FallbackSink:
        return FallbackSink(
            FileSink(self.folder / "store" / "store.ndjson"),
            FileSink(self.files, redirected=True),
            self.files,
            after_seconds=AFTER_SECONDS,
            monotonic=lambda: self.now_seconds,
        )

    def stored(self) -> list[str]:
        return lines(self.folder / "store" / "store.ndjson")

    def in_files(self) -> list[str]:
        return lines(self.files)


def lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [orjson.loads(line)["_source"]["message"] for line in path.read_bytes().splitlines()]


def sent(sink: FallbackSink, each: Item) -> type[DocumentOutcome] | None:
    """What became of an item; None where it is not known."""
    outcome = sink.send([each])
    return None if isinstance(outcome, Unknown) else type(outcome_of_one(outcome))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def fail_for_long(place: Place, sink: FallbackSink) -> None:
    place.lose_store()
    sink.send([item(100)])
    place.now_seconds += AFTER_SECONDS
    sink.send([item(100)])


def test_while_the_store_can_be_used_there_are_no_files(place: Place) -> None:
    with closing(place.sink()) as sink:
        assert sink.prepare() is None
        assert sent(sink, item(1)) is Delivered

    assert place.stored() == ["line 1"]
    assert list(place.folder.iterdir()) == [place.folder / "store"]


def test_a_store_that_fails_for_less_than_was_declared_is_waited_for(place: Place) -> None:
    with closing(place.sink()) as sink:
        place.lose_store()
        outcomes = [sent(sink, item(1))]
        place.now_seconds += AFTER_SECONDS - 1.0
        outcomes.append(sent(sink, item(1)))

        assert outcomes == [None, None]
        assert not sink.standing_in
    assert place.in_files() == []


def test_a_store_that_fails_for_longer_is_stood_in_for_and_what_goes_there_is_redirected(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)

        assert sink.standing_in
        assert sent(sink, item(2)) is Redirected
    assert place.in_files() == ["line 2"]
    assert "The store was not available for 60 s" in caplog.text
    assert f"records go to {place.files} until it is available" in caplog.text


def test_the_time_counts_from_the_first_failure_after_the_store_settled_something(place: Place) -> None:
    with closing(place.sink()) as sink:
        place.lose_store()
        sink.send([item(1)])
        place.bring_store_back()
        sent(sink, item(1))
        place.now_seconds += 10 * AFTER_SECONDS  # nothing to send: nobody misses the store
        place.lose_store()

        assert sent(sink, item(2)) is None
        assert not sink.standing_in


def test_a_store_that_is_back_gets_the_records_after_it_and_none_of_those_before(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)
        sent(sink, item(1))
        place.bring_store_back()
        sent(sink, item(2))  # before the next probe
        place.now_seconds += PROBE_SECONDS
        sent(sink, item(3))

    assert place.in_files() == ["line 1", "line 2"]
    assert place.stored() == ["line 3"]
    assert "The store is available again" in caplog.text


def test_a_store_that_stays_away_is_asked_again_and_the_files_go_on(place: Place) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)
        for sequence in range(1, 4):
            place.now_seconds += PROBE_SECONDS
            assert sent(sink, item(sequence)) is Redirected

    assert place.in_files() == ["line 1", "line 2", "line 3"]


def test_without_a_store_from_the_start_the_files_are_ready_when_the_time_has_passed(place: Place) -> None:
    place.lose_store()
    with closing(place.sink()) as sink:
        first = sink.prepare()
        place.now_seconds += AFTER_SECONDS

        assert first is not None
        assert sink.prepare() is None
        assert sent(sink, item(1)) is Redirected


def test_look_ups_that_fail_count_too_for_after_a_restart_nothing_else_is_sent(place: Place) -> None:
    with store_that_pushes_back(place, b"") as sink:
        sink.look_up(["a-1"], [])
        place.now_seconds += AFTER_SECONDS
        sink.look_up(["a-1"], [])

        assert sink.standing_in


def test_a_look_up_is_skipped_while_the_files_stand_in(place: Place) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)
        outcome = sink.look_up([item(1).id], [])

    assert isinstance(outcome, CannotLookUp)


def test_what_the_files_took_just_before_a_crash_is_found_and_not_sent_to_the_store(place: Place) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)
        sent(sink, item(1))
    place.bring_store_back()
    with closing(place.sink()) as sink:
        sink.prepare()
        ids = [item(1).id, item(2).id]
        outcome = sink.look_up(ids, [])

    assert outcome == Found(frozenset([item(1).id]))


def test_what_the_files_took_before_a_crash_is_redirected_when_it_is_sent_again(place: Place) -> None:
    for _ in range(2):
        with closing(place.sink()) as sink:
            fail_for_long(place, sink)
            assert sent(sink, item(1)) is Redirected

    assert place.in_files() == ["line 1"]


@contextmanager
def store_that_pushes_back(place: Place, answer: bytes) -> Iterator[FallbackSink]:
    server = StoreServer(answer)
    sink = FallbackSink(
        ElasticsearchSink([server.url], "logs-x-y", monotonic=lambda: place.now_seconds),
        FileSink(place.files, redirected=True),
        place.files,
        after_seconds=AFTER_SECONDS,
        monotonic=lambda: place.now_seconds,
    )
    with closing(sink):
        try:
            yield sink
        finally:
            server.close()


PUSHED_BACK = http(
    b'{"errors":true,"items":[{"create":{"status":429,"error":{"type":"x","reason":"y"}}},'
    b'{"create":{"status":503,"error":{"type":"x","reason":"y"}}}]}'
)
REFUSED_ONE = http(
    b'{"errors":true,"items":[{"create":{"status":429,"error":{"type":"x","reason":"y"}}},'
    b'{"create":{"status":400,"error":{"type":"x","reason":"y"}}}]}'
)


@pytest.mark.parametrize(
    ("answer", "stands_in"),
    [
        pytest.param(PUSHED_BACK, True, id="pushes everything back"),
        pytest.param(http(b"", b"503 Service Unavailable"), True, id="503"),
        pytest.param(http(b"<html>welcome</html>"), True, id="a 200 that is no answer"),
        pytest.param(REFUSED_ONE, False, id="refuses one for good"),
        pytest.param(http(b'{"error":{}}', b"413 Too Large"), False, id="refuses the size"),
    ],
)
def test_a_store_that_settles_nothing_cannot_be_used_whatever_it_answers(
    place: Place, answer: bytes, stands_in: bool
) -> None:
    with store_that_pushes_back(place, answer) as sink:
        sink.send(ITEMS)
        place.now_seconds += AFTER_SECONDS
        sink.send(ITEMS)

        assert sink.standing_in is stands_in


def test_files_that_cannot_be_written_acknowledge_nothing(place: Place) -> None:
    with closing(place.sink()) as sink:
        fail_for_long(place, sink)
        place.files.mkdir()

        assert isinstance(sink.send([item(1)]), Unknown)


def test_by_order_the_files_stand_in_for_a_store_that_answers_and_it_is_asked_again_afterwards(
    place: Place,
) -> None:
    with closing(place.sink()) as sink:
        assert sink.prepare() is None
        outcomes = [sent(sink, item(1))]
        sink.use_files(True)
        outcomes.append(sent(sink, item(2)))
        place.now_seconds += PROBE_SECONDS + 1.0
        outcomes.append(sent(sink, item(3)))
        sink.use_files(False)
        outcomes.append(sent(sink, item(4)))

    assert outcomes == [Delivered, Redirected, Redirected, Delivered]
    assert place.in_files() == ["line 2", "line 3"]


def test_an_order_that_ends_while_the_store_is_away_leaves_the_files_standing_in(place: Place) -> None:
    with closing(place.sink()) as sink:
        sink.use_files(True)
        place.lose_store()
        sink.use_files(False)

        assert sent(sink, item(1)) is Redirected
