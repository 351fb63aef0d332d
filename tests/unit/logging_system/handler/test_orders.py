from __future__ import annotations

import logging
import uuid
from pathlib import Path

import pytest

from logging_system.coordination.control_orders import give, take_back
from logging_system.handler.orders import HandlerOrders
from logging_system.spool.control import ControlFile, QuarantineTemplate, SetLevel, SetSampling

NOW = 1_800_000_000.0


class Place:
    """A handler that keeps what it gets, and the orders to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, NOW
        self.handler = Kept()
        control = ControlFile(folder, wall_clock=lambda: self.now, monotonic=lambda: self.now)
        self.orders = HandlerOrders(self.handler, folder, control)
        self.logger = logging.getLogger(f"orders_{uuid.uuid4().hex}")
        self.logger.propagate = False
        self.logger.addHandler(self.handler)

    def look(self) -> None:
        self.now += 1
        self.orders.look()


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def level(place: Place, name: str, level: str, order_id: str = "1") -> None:
    give(place.folder, SetLevel(order_id, place.now + 60, name, level), place.now)


def test_a_level_is_raised_and_put_back_when_the_order_is_taken_back(place: Place) -> None:
    place.logger.setLevel(logging.INFO)
    level(place, place.logger.name, "ERROR")
    place.look()
    assert place.logger.level == logging.ERROR

    take_back(place.folder, "1", place.now)
    place.look()
    assert place.logger.level == logging.INFO


def test_a_level_is_put_back_when_the_order_has_ended(place: Place) -> None:
    level(place, place.logger.name, "ERROR")
    place.look()
    place.now += 60
    place.look()

    assert place.logger.level == logging.NOTSET


def test_a_level_that_the_application_has_set_meanwhile_is_left_alone(place: Place) -> None:
    level(place, place.logger.name, "ERROR")
    place.look()
    place.logger.setLevel(logging.WARNING)
    take_back(place.folder, "1", place.now)
    place.look()

    assert place.logger.level == logging.WARNING


def test_a_level_below_the_handlers_own_lets_that_logger_through_and_no_other(place: Place) -> None:
    other = logging.getLogger(f"{place.logger.name}_other")
    other.propagate, other.level = False, logging.DEBUG
    other.addHandler(place.handler)
    level(place, place.logger.name, "DEBUG")
    place.look()
    place.logger.getChild("inner").debug("inner")
    place.logger.debug("seen")
    other.debug("not seen")
    other.info("usual")
    assert place.handler.messages == ["inner", "seen", "usual"]

    take_back(place.folder, "1", place.now)
    place.look()
    place.logger.setLevel(logging.DEBUG)
    place.logger.debug("not seen any more")
    assert place.handler.messages == ["inner", "seen", "usual"]
    assert (place.handler.level, place.handler.filters) == (logging.INFO, [])


def test_a_logger_that_two_handlers_were_told_of_gets_its_own_level_back(tmp_path: Path) -> None:
    first, second = Place(tmp_path), Place(tmp_path)
    first.logger.setLevel(logging.INFO)
    level(first, first.logger.name, "ERROR")
    first.look()
    second.look()
    take_back(tmp_path, "1", first.now)
    first.look()
    assert first.logger.level == logging.ERROR

    second.look()
    assert first.logger.level == logging.INFO


def test_everything_is_put_back_where_a_handler_ends(place: Place) -> None:
    level(place, place.logger.name, "DEBUG")
    place.look()
    place.orders.release()

    assert (place.logger.level, place.handler.level) == (logging.NOTSET, logging.INFO)


def attributes(name: str, level: int, message: str, *args: object) -> dict[str, object]:
    return logging.LogRecord(name, level, "file.py", 1, message, args, None).__dict__


def test_sampling_keeps_one_in_so_many_below_error(place: Place) -> None:
    give(place.folder, SetSampling("1", place.now + 60, "shop", 10), place.now)
    place.look()
    gate = place.orders.gate
    assert gate is not None

    reasons = [gate.reason(attributes("shop.cart", logging.INFO, "x")) for _ in range(100)]
    assert (reasons.count(None), reasons.count("sampled")) == (10, 90)
    assert gate.reason(attributes("shop", logging.ERROR, "x")) is None
    assert gate.reason(attributes("shopping", logging.INFO, "x")) is None


@pytest.mark.parametrize(
    ("template", "message", "fits"),
    [
        ("user <*> left", "user 17 left", True),
        ("user <*> left", "user  left", True),
        ("user <*> left", "a user 17 left", False),
        ("user <*> left", "user 17 left early", False),
        ("<*> of <*> failed", "3 of 4 failed", True),
        ("<*> of <*> failed", "3 of failed", False),
        ("done", "done", True),
        ("done", "done.", False),
        ("aa<*>aa", "aaa", False),
    ],
)
def test_a_quarantined_template_is_known_by_its_words(
    place: Place, template: str, message: str, fits: bool
) -> None:
    give(place.folder, QuarantineTemplate("1", place.now + 60, template, 1_000), place.now)
    place.look()
    gate = place.orders.gate
    assert gate is not None
    gate.reason(attributes("a", logging.ERROR, template.replace("<*>", "x")))

    assert gate.reason(attributes("a", logging.ERROR, "%s", message)) == ("quarantined" if fits else None)


def test_nothing_is_asked_of_records_where_nothing_is_ordered(place: Place) -> None:
    place.look()

    assert place.orders.gate is None
    assert place.handler.filters == []
