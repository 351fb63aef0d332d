"""A handler in the process from which uWSGI forks: no thread runs there, and nothing waits for one."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from logging_system.monitoring.events import FormatterUnused
from tests.unit.logging_system.forking import fork_by_c, in_a_child
from tests.unit.logging_system.handler.test_spool_handler import WAIT_SECONDS, logger_with, messages


@dataclass
class UWsgi:
    """What uWSGI tells an application of the process: in the master all of it is 0."""

    worker: int = 0
    mule: int = 0

    def worker_id(self) -> int:
        return self.worker

    def mule_id(self) -> int:
        return self.mule

    def i_am_the_spooler(self) -> None:
        return None


@pytest.fixture
def uwsgi(monkeypatch: pytest.MonkeyPatch) -> UWsgi:
    """The module that uWSGI adds to the interpreters in its processes."""
    module = UWsgi()
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    return module


def test_a_record_is_stored_by_the_call_and_no_thread_is_started(tmp_path: Path, uwsgi: UWsgi) -> None:
    before = set(threading.enumerate())
    with logger_with(tmp_path) as (logger, handler):
        handler.events.emit(FormatterUnused())
        logger.info("one")
        logger.info("two")

        assert set(threading.enumerate()) <= before
        assert messages(tmp_path) == ["one", "two"]
        assert handler.flush(WAIT_SECONDS)
        assert not handler.closed
        assert (handler.stats().offered, handler.stats().admitted) == (2, 2)


@pytest.mark.parametrize("kind", ["worker", "mule"])
def test_in_what_it_forked_a_thread_does_the_work(tmp_path: Path, uwsgi: UWsgi, kind: str) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("master")

        def child() -> int:
            setattr(uwsgi, kind, 1)
            logger.info("child")
            flushed = handler.flush(WAIT_SECONDS)
            running = any(each.name == "logging_system.worker" for each in threading.enumerate())
            return 0 if flushed and running else 1

        assert in_a_child(fork_by_c, child) == 0
        assert sorted(messages(tmp_path)) == ["child", "master"]


def test_a_process_that_becomes_the_worker_without_a_fork_starts_its_thread_then(
    tmp_path: Path, uwsgi: UWsgi
) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("loaded")
        uwsgi.worker = 1
        logger.info("request")
        logger.info("another")

        assert handler.flush(WAIT_SECONDS)
        assert messages(tmp_path) == ["loaded", "request", "another"]
        assert any(each.name == "logging_system.worker" for each in threading.enumerate())
