"""When each record was first seen in the archive: at most one reading a second, a fact a range."""

from __future__ import annotations

from collections.abc import Iterable

from harness.evidence.sampling import ArchiveWatch
from harness.model.errors import StackError
from harness.model.facts import FirstSeen
from harness.testing import FakeClock

SECOND = 1_000_000_000


class Shown:
    """An archive that shows these sequences; a reading of it takes `seconds`."""

    def __init__(self, clock: FakeClock, seconds: float = 0.0) -> None:
        self.sequences: Iterable[int] | None = ()
        self.readings = 0
        self._clock, self._seconds = clock, seconds

    def read(self) -> Iterable[int]:
        self.readings += 1
        self._clock.sleep(self._seconds)
        if self.sequences is None:
            raise StackError("connection refused")
        return self.sequences


def watched(seconds: float = 0.0) -> tuple[FakeClock, Shown, ArchiveWatch]:
    clock = FakeClock()
    shown = Shown(clock, seconds)
    return clock, shown, ArchiveWatch(shown.read, clock.now_ns)


def test_what_was_not_there_before_is_told_as_ranges() -> None:
    clock, shown, watch = watched()
    shown.sequences = [2, 1, 0, 5, 6, 9]
    first = list(watch.read())
    clock.sleep(1.0)
    shown.sequences = range(10)
    second = list(watch.read())

    assert first == [FirstSeen(0, 0, 2), FirstSeen(0, 5, 6), FirstSeen(0, 9, 9)]
    assert second == [FirstSeen(SECOND, 3, 4), FirstSeen(SECOND, 7, 8)]


def test_there_is_at_most_one_reading_a_second() -> None:
    clock, shown, watch = watched()
    for _ in range(40):
        list(watch.read())
        clock.sleep(0.25)

    assert shown.readings == 10


def test_a_reading_that_takes_long_takes_at_most_a_tenth_of_the_time() -> None:
    clock, shown, watch = watched(seconds=0.5)
    for _ in range(200):
        list(watch.read())
        clock.sleep(0.25)

    assert 0.5 * shown.readings <= clock.now_ns() / SECOND / 10 + 0.5


def test_the_time_is_that_of_the_end_of_the_reading() -> None:
    _, shown, watch = watched(seconds=0.5)
    shown.sequences = [7]

    assert list(watch.read()) == [FirstSeen(SECOND // 2, 7, 7)]


def test_an_archive_that_cannot_be_read_is_asked_again_a_second_later() -> None:
    clock, shown, watch = watched()
    shown.sequences = None
    down = list(watch.read())
    clock.sleep(1.0)
    shown.sequences = [0]

    assert (down, list(watch.read())) == ([], [FirstSeen(SECOND, 0, 0)])


def test_what_another_reading_found_is_told_once() -> None:
    _, shown, watch = watched()
    noted = list(watch.note([3]))
    shown.sequences = [3, 4]

    assert (noted, list(watch.read())) == ([FirstSeen(0, 3, 3)], [FirstSeen(0, 4, 4)])
