"""Who closes the handler, and what becomes of the records that are logged after that."""

from __future__ import annotations

import logging
import logging.config
import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from logging_system.handler.attachment import Attachment
from logging_system.handler.handler import SpoolHandler
from logging_system.monitoring.events import Event
from tests.unit.logging_system.handler.test_spool_handler import WAIT_SECONDS, logger_with, messages


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    found = logging.getLogger()
    handlers, level = list(found.handlers), found.level
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


def counters(folder: Path) -> dict[str, object]:
    (path,) = folder.glob("status-handler-*.json")
    content: dict[str, object] = orjson.loads(path.read_bytes())
    return content


def test_a_record_after_close_opens_the_handler_again(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        for number in range(3):
            logger.info("line %d", number)
            handler.close()
            assert handler.closed
        logger.info("line 3")

        assert handler.flush(WAIT_SECONDS)
        assert not handler.closed
        assert messages(tmp_path) == [f"line {number}" for number in range(4)]
        assert handler.stats().admitted == 4
        handler.close()
    assert (counters(tmp_path)["admitted"], counters(tmp_path)["balanced"]) == (4, True)


def test_a_configuration_that_closes_all_handlers_costs_no_record(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"console": {"class": "logging.StreamHandler"}},
                "loggers": {"uvicorn": {"handlers": ["console"]}},
            }
        )
        logger.error("kept")

        assert handler.flush(WAIT_SECONDS)
        assert messages(tmp_path) == ["kept"]
        assert handler.stats().dropped == {}


def test_after_end_records_are_dropped_counted_on_disk_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("kept")
        handler.end()
        for _ in range(3):
            logger.info("too late")

        assert handler.stats().dropped == {"closed": 3}
        assert messages(tmp_path) == ["kept"]
    assert counters(tmp_path)["dropped"] == {"closed": 3}
    assert caplog.text.count("dropped in the last second: the handler is closed.") == 1


def test_what_is_logged_at_the_end_of_the_process_is_stored_in_the_call(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("before")
        handler.end_with_process()
        for number in range(3):
            logger.info("late %d", number)
            assert messages(tmp_path)[-1] == f"late {number}"

        assert handler.stats().dropped == {}
    assert counters(tmp_path)["admitted"] == 4


def test_a_handler_taken_off_the_root_logger_is_told_once(tmp_path: Path, root: logging.Logger) -> None:
    told: list[Event] = []
    handler = SpoolHandler(spool=tmp_path, service="s")
    root.addHandler(handler)
    attachment = Attachment(handler, told.append)
    attachment.look()
    root.removeHandler(handler)
    attachment.look()
    root.addHandler(handler)  # what logging.config does within a moment
    attachment.look()
    assert told == []

    root.removeHandler(handler)
    for _ in range(5):
        attachment.look()
    handler.close()

    assert [event.kind for event in told] == ["handler_detached"]


def test_a_handler_that_another_logger_has_is_not_missing(tmp_path: Path) -> None:
    told: list[Event] = []
    handler = SpoolHandler(spool=tmp_path, service="s")
    logging.getLogger("shop.of.this.test").addHandler(handler)
    Attachment(handler, told.append).look(for_the_last_time=True)
    logging.getLogger("shop.of.this.test").removeHandler(handler)
    handler.close()

    assert told == []


def test_a_formatter_is_said_not_to_be_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with logger_with(tmp_path) as (logger, handler):
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger.info("m")
        handler.close()

        assert messages(tmp_path) == ["m"]
    assert "The handler does not use the formatter that it was given" in caplog.text


def test_a_child_of_a_closed_handler_logs_for_itself(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("parent")
        handler.close()
        child = os.fork()
        if not child:
            logger.info("child")
            handler.close()
            os._exit(0)
        os.waitpid(child, 0)

        assert sorted(messages(tmp_path)) == ["child", "parent"]
