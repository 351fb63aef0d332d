"""How a process notices that it is a forked child, and what it does about it once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from logging_system.spool.forks import FORKS, Forks
from logging_system.spool.process_mark import ProcessMark, ProcessNumber, new_mark
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from tests.unit.logging_system.forking import fork_by_c, fork_by_python, in_a_child
from tests.unit.logging_system.spooling import append, numbered, read_all, reading, writer

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.parametrize("fork", [fork_by_python, fork_by_c]),
]
Fork = Callable[[], int]


@pytest.mark.parametrize("make", [new_mark, ProcessNumber])
def test_a_mark_is_known_to_the_process_that_set_it_and_to_no_child(
    fork: Fork, make: Callable[[], ProcessMark]
) -> None:
    mark = make()
    mark[0] = 1

    def child() -> int:
        inherited, mark[0] = mark[0], 1
        return 10 * inherited + in_a_child(fork, lambda: mark[0]) + 1 - mark[0]

    assert in_a_child(fork, child) == 0
    assert mark[0] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the page is Linux's")
def test_on_linux_the_mark_is_a_page_that_forks_empty(fork: Fork) -> None:
    assert not isinstance(FORKS.mark, ProcessNumber)


def test_hooks_run_once_in_each_child_in_their_order(fork: Fork) -> None:
    forks, run = Forks(new_mark()), []
    for name in "abc":
        forks.register(after_in_child=lambda name=name: run.append(name))  # type: ignore[misc]
    forks.notice()
    assert run == []

    def grandchild() -> int:
        forks.notice()
        return int(run != [*"abcabc"])

    def child() -> int:
        forks.notice()
        forks.notice()
        return int(run != [*"abc"]) + in_a_child(fork, grandchild)

    assert in_a_child(fork, child) == 0


def test_a_hook_that_logs_does_not_begin_them_again(fork: Fork) -> None:
    forks, run = Forks(new_mark()), []

    def log() -> None:
        run.append("logged")
        forks.notice()

    forks.register(after_in_child=log)

    def child() -> int:
        forks.notice()
        return int(run != ["logged"])

    assert in_a_child(fork, child) == 0


def test_a_writer_goes_on_as_one_of_its_own_in_a_child(tmp_path: Path, fork: Fork) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)

    def child() -> int:
        append(spool_writer, 1, 3)
        spool_writer.seal()
        return 0

    assert in_a_child(fork, child) == 0
    append(spool_writer, 3, 4)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert sorted(read_all(reader)) == sorted(numbered(1, 4) + numbered(1, 3))


def test_a_reader_reads_nothing_in_a_child(tmp_path: Path, fork: Fork) -> None:
    reader = SpoolReader(tmp_path)

    def child() -> int:
        try:
            reader.read(1)
        except SpoolBusyError:
            return 0
        return 2

    assert in_a_child(fork, child) == 0
    reader.close()


def test_a_child_that_closed_what_it_inherited_keeps_what_it_opened_in_its_place(
    tmp_path: Path, fork: Fork
) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208

    def child() -> int:
        os.closerange(3, highest + 1)
        mine = [os.open(os.devnull, os.O_WRONLY) for _ in range(highest)]
        append(spool_writer, 1, 3)
        return sum(os.fstat(each).st_ino != os.stat(os.devnull).st_ino for each in mine)  # noqa: PTH116

    assert in_a_child(fork, child) == 0
