import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.history import HistoryFullError, Recorder, read_history
from harness.model.errors import InternalError, UnavailableError
from harness.model.facts import Broke, Due, Event, Found, PhaseChanged, Sent

FACTS: list[Event] = [
    PhaseChanged(5, "steady"),
    Due(0, 10, 1, "aa"),
    Due(1, 11, 0, "bb"),
    Sent(0, 12),
    Broke(13, "drain", 'said "no"\nand ⟨more⟩'),
    Found(None, "cc", "index/1", "x"),
]


def test_facts_come_back_as_they_were_recorded(tmp_path):
    recorder = Recorder(tmp_path / "a.jsonl")
    recorder.record(*FACTS)
    recorder.close()

    assert read_history(tmp_path) == FACTS


def test_files_of_several_processes_are_merged_by_time(tmp_path):
    for name, fact in (("a", Sent(0, 20)), ("b", Sent(1, 10)), ("c", Sent(2, 30))):
        recorder = Recorder(tmp_path / f"{name}.jsonl")
        recorder.record(fact)
        recorder.close()

    assert read_history(tmp_path) == [Sent(1, 10), Sent(0, 20), Sent(2, 30)]


def test_a_file_can_be_continued(tmp_path):
    for sequence in (0, 1):
        recorder = Recorder(tmp_path / "a.jsonl")
        recorder.record(Sent(sequence, sequence + 1))
        recorder.close()

    assert len(read_history(tmp_path)) == 2


@given(cut=st.integers(1, 40))
def test_a_line_cut_by_its_writers_death_is_left_out(tmp_path_factory, cut):
    """Wherever SIGKILL cuts the last line, all lines before it are read."""
    folder = tmp_path_factory.mktemp("history")
    recorder = Recorder(folder / "a.jsonl")
    recorder.record(Sent(0, 1))
    recorder.record(PhaseChanged(2, "a phase with a rather long name"))
    recorder.close()
    whole = (folder / "a.jsonl").read_bytes()
    (folder / "a.jsonl").write_bytes(whole[:-cut])

    assert read_history(folder) == [Sent(0, 1)]


@pytest.mark.parametrize(
    "line", [b"{}\n", b"nonsense\n", b'{"event":"Sent","rows":[[1,2,3,4]]}\n', b'{"event":"X","rows":[]}\n']
)
def test_a_damaged_line_elsewhere_is_an_error_that_names_it(tmp_path, line):
    (tmp_path / "a.jsonl").write_bytes(line)

    with pytest.raises(InternalError, match=r"a\.jsonl:1"):
        read_history(tmp_path)


def test_reaching_the_cap_is_an_error_with_a_remedy(tmp_path):
    recorder = Recorder(tmp_path / "a.jsonl", bytes_max=200)

    with pytest.raises(HistoryFullError, match="lower rate"):
        recorder.record_all(Sent(n, n) for n in range(1_000))


def test_the_history_is_readable_by_its_owner_only(tmp_path):
    Recorder(tmp_path / "a.jsonl").close()

    assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_error_of_the_machine_with_a_remedy():
    recorder = Recorder(Path("/dev/full"))

    with pytest.raises(UnavailableError, match="No space left on device; free space there"):
        recorder.record(Sent(0, 12))

    recorder.close()


def test_many_facts_are_written_and_read_without_being_in_memory_twice(tmp_path):
    """A run of a million records has as many facts of one sort, one after the other."""
    count, recorder = 20_000, Recorder(tmp_path / "a.jsonl")
    events = (Found(number, f"{number:016x}", f"index/{number}", "x" * 100) for number in range(count))

    tracemalloc.start()
    try:
        recorder.record_all(events)
        _, writing_bytes = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        found = read_history(tmp_path)
        kept_bytes, reading_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    recorder.close()

    assert len(found) == count
    file_bytes = (tmp_path / "a.jsonl").stat().st_size
    assert writing_bytes < file_bytes / 2
    assert reading_bytes - kept_bytes < file_bytes


def test_the_same_level_and_logger_of_many_records_are_in_memory_once(tmp_path):
    recorder = Recorder(tmp_path / "a.jsonl")
    recorder.record(*(Due(n, n, 0, "aa", level="ERROR", logger="shop.checkout") for n in range(3)))
    recorder.close()

    due = [event for event in read_history(tmp_path) if isinstance(event, Due)]

    assert len({id(each.level) for each in due}) == len({id(each.logger) for each in due}) == 1
    assert (due[2].level, due[2].logger) == ("ERROR", "shop.checkout")
