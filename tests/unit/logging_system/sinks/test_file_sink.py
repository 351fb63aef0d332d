from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    Conflict,
    Delivered,
    DocumentOutcome,
    Found,
    Redirected,
    Refused,
    Retry,
    SameForAll,
    Unknown,
)
from logging_system.sinks.file import FileSink
from tests.outcomes import each_outcome, kinds

EPOCH = bytes(range(16))


def item(sequence: int, size_bytes: int = 0) -> Item:
    return Item(EPOCH, sequence, orjson.dumps({"message": f"line {sequence}", "fill": "x" * size_bytes}))


def lines(path: Path) -> list[tuple[str, str]]:
    hits = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return [(hit["_id"], hit["_source"]["message"]) for hit in hits]


def stored(*sequences: int) -> list[tuple[str, str]]:
    return [(f"{EPOCH.hex()}-{sequence}", f"line {sequence}") for sequence in sequences]


def sent(sink: FileSink, *items: Item) -> list[type[DocumentOutcome]]:
    return kinds(sink.send(items), len(items))


@contextmanager
def file_size_limited(size_bytes: int) -> Iterator[None]:
    """Writes beyond `size_bytes` of any file fail as on a full disk: in part, then with an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_documents_stand_in_the_file_beside_their_ids_and_count_as_delivered(tmp_path: Path) -> None:
    path = tmp_path / "made" / "app.ndjson"
    with closing(FileSink(path)) as sink:
        assert sink.prepare() is None
        assert sent(sink, item(1), item(2)) == [Delivered, Delivered]

    assert lines(path) == stored(1, 2)
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_all_was_written_one_outcome_stands_for_all(tmp_path: Path) -> None:
    for redirected, outcome in ((False, Delivered()), (True, Redirected())):
        path = tmp_path / f"{redirected}.ndjson"
        with closing(FileSink(path, rotate_bytes=4096, redirected=redirected)) as sink:
            assert sink.send([item(number, 1500) for number in range(1, 8)]) == SameForAll(outcome)


def test_what_was_written_before_a_restart_is_recognised_when_it_is_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path)) as before:
        sent(before, item(1), item(2))
    with closing(FileSink(path)) as sink:
        assert sent(sink, item(2), item(3)) == [Conflict, Delivered]

    assert lines(path) == stored(1, 2, 3)


def test_ids_in_rotated_files_are_recognised_too(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path, rotate_bytes=4096)) as before:
        sent(before, item(1, 3000), item(2, 3000))
    with closing(FileSink(path, rotate_bytes=4096)) as sink:
        assert sent(sink, item(1, 3000)) == [Conflict]


def test_a_line_torn_by_a_crash_is_cut_off_and_sent_again_whole(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path)) as before:
        sent(before, item(1))
    with path.open("ab") as file:
        file.write(b'{"_id":"%b-2","_source":{"mess' % EPOCH.hex().encode())
    with closing(FileSink(path)) as sink:
        assert sent(sink, item(2)) == [Delivered]

    assert lines(path) == stored(1, 2)


def test_files_stay_within_their_number_and_size_and_the_oldest_lines_go(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path, rotate_bytes=4096, rotate_files=3)) as sink:
        for sequence in range(1, 21):
            assert sent(sink, item(sequence, 1200)) == [Delivered]
        removed = sink.removed_files
    files = sorted(each for each in tmp_path.iterdir() if each.suffix != ".lock")
    kept = [
        line for name in ("app.ndjson.5", "app.ndjson.6", "app.ndjson") for line in lines(tmp_path / name)
    ]

    assert [each.name for each in files] == ["app.ndjson", "app.ndjson.5", "app.ndjson.6"]
    assert all(each.stat().st_size <= 4096 for each in files)
    assert kept == stored(*range(13, 21))
    assert removed == 4


def test_one_request_may_span_several_files(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path, rotate_bytes=4096, rotate_files=9)) as sink:
        assert set(sent(sink, *(item(number, 1500) for number in range(1, 8)))) == {Delivered}

    assert [len(lines(tmp_path / name)) for name in ("app.ndjson.1", "app.ndjson.2", "app.ndjson.3")] == [
        2,
        2,
        2,
    ]
    assert lines(path) == stored(7)


def test_a_full_disk_acknowledges_nothing_and_leaves_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path)) as sink:
        sent(sink, item(1))
        with file_size_limited(path.stat().st_size + 20):
            refused = sink.send([item(2), item(3)])
        after_refusal = lines(path)
        assert sent(sink, item(2), item(3)) == [Delivered, Delivered]

    assert isinstance(refused, Unknown)
    assert "app.ndjson" in refused.reason
    assert after_refusal == stored(1)
    assert lines(path) == stored(1, 2, 3)


def test_of_a_request_cut_short_by_a_full_disk_the_durable_part_is_delivered(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path, rotate_bytes=4096)) as sink:
        sent(sink, item(1))
        with file_size_limited(3500):
            stored, again = each_outcome(sink.send([item(2, 3000), item(3, 3600)]), 2)

    assert stored == Delivered()
    assert isinstance(again, Retry)
    assert again.is_pushed_back
    assert "app.ndjson" in again.reason


def test_documents_that_can_never_be_a_line_of_a_file_are_rejected_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path, rotate_bytes=4096)) as sink:
        told = each_outcome(sink.send([item(1, 5000), Item(EPOCH, 2, b'{"a":\n1}'), item(3)]), 3)

    assert told == (
        Refused("the document is larger than a file of 4096 bytes"),
        Refused("the document has more than one line"),
        Delivered(),
    )
    assert lines(path) == stored(3)


def test_a_file_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path)) as sink:
        sent(sink, item(1))
        path.unlink()
        sent(sink, item(2))

    assert lines(path) == stored(2)


def test_a_second_sink_on_the_same_file_is_told_so_until_the_first_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    first, second = FileSink(path), FileSink(path)
    first.prepare()
    trouble, answer = second.prepare(), second.send([item(1)])
    first.close()
    later = second.prepare()
    second.close()

    assert trouble is not None
    assert "another process writes to this file" in trouble
    assert isinstance(answer, Unknown)
    assert later is None


def test_a_folder_that_cannot_be_made_is_trouble_and_no_exception(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sink = FileSink(tmp_path / "file" / "app.ndjson")

    assert f"{tmp_path / 'file'}: File exists" in (sink.prepare() or "")
    assert isinstance(sink.send([item(1)]), Unknown)


@pytest.mark.parametrize("bounds", [{"rotate_bytes": 100}, {"rotate_files": 0}])
def test_bounds_that_hold_nothing_are_refused(tmp_path: Path, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least"):
        FileSink(tmp_path / "app.ndjson", **bounds)


def test_ids_of_an_earlier_run_are_found_and_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with closing(FileSink(path)) as before:
        sent(before, item(1))
    with closing(FileSink(path)) as sink:
        sink.prepare()
        outcome = sink.look_up([item(1).id, item(2).id], [])

    assert outcome == Found(frozenset([item(1).id]))


@given(cut=st.integers(0, 400), tail=st.binary(max_size=40))
def test_whatever_a_crash_leaves_of_the_last_lines_each_document_is_there_once_in_the_end(
    cut: int, tail: bytes
) -> None:
    """After a file is cut anywhere and garbage without a newline follows, sending all again completes it."""
    documents = [item(number) for number in range(1, 6)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.ndjson"
        with closing(FileSink(path)) as before:
            sent(before, *documents)
        path.write_bytes(path.read_bytes()[:cut] + tail.replace(b"\n", b""))
        with closing(FileSink(path)) as sink:
            again = sent(sink, *documents)

        assert set(again) <= {Delivered, Conflict}
        assert sorted(lines(path)) == stored(1, 2, 3, 4, 5)


WRITER = """
import sys
import tempfile
from pathlib import Path
from logging_system.delivery.machine import Item
from logging_system.sinks.file import FileSink
sink = FileSink(Path(sys.argv[1]), rotate_bytes=20_000, rotate_files=1000)
for number in range(100_000):
    answer = sink.send([Item(bytes(16), 3 * number + place, b'{"message":"m"}') for place in range(3)])
    print(3 * number + 2, flush=True)
"""


def test_what_was_acknowledged_before_sigkill_is_in_the_files_once(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        acknowledged = -1
        while acknowledged < 600:
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    again = [Item(bytes(16), sequence, b'{"message":"m"}') for sequence in range(acknowledged + 10)]
    with closing(FileSink(path, rotate_bytes=20_000, rotate_files=1000)) as sink:
        sent(sink, *again)
    found = [name for file in tmp_path.glob("app.ndjson*") for name, _ in _hits(file)]

    assert sorted(found, key=lambda name: int(name[33:])) == [each.id for each in again]


def _hits(path: Path) -> list[tuple[str, str]]:
    return [] if path.suffix == ".lock" else lines(path)
