from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from logging_system.coordination.control_orders import give, take_back
from logging_system.spool.control import (
    NAME,
    ORDER_SECONDS_MAX,
    ControlFile,
    Order,
    QuarantineTemplate,
    SetLevel,
    SetSampling,
    ShrinkBatches,
    UseFallbackFile,
    decoded,
    encoded,
)

NOW = 1_800_000_000.0
ORDERS: tuple[Order, ...] = (
    SetLevel("1", NOW + 60, "shop", "DEBUG"),
    SetSampling("2", NOW + 60, "shop", 10),
    QuarantineTemplate("3", NOW + 60, "user <*> left", 100),
    ShrinkBatches("4", NOW + 60, 500),
    UseFallbackFile("5", NOW + 60),
)


class Clock:
    def __init__(self) -> None:
        self.wall, self.monotonic = NOW, 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def control(tmp_path: Path, clock: Clock) -> ControlFile:
    return ControlFile(tmp_path, wall_clock=lambda: clock.wall, monotonic=lambda: clock.monotonic)


def test_orders_come_back_from_the_file() -> None:
    assert decoded(encoded(ORDERS)) == ORDERS


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "set_level", "id": "1", "expires_seconds": NOW, "logger": "a", "level": "LOUD"},
        {"kind": "set_level", "id": "1", "expires_seconds": NOW, "logger": "", "level": "INFO"},
        {"kind": "set_level", "id": "1", "expires_seconds": "soon", "logger": "a", "level": "INFO"},
        {"kind": "set_level", "id": "1", "expires_seconds": NOW, "logger": "a", "level": "INFO", "more": 1},
        {"kind": "set_sampling", "id": "1", "expires_seconds": NOW, "logger": "a", "keep_one_in": 0},
        {"kind": "set_sampling", "id": "1", "expires_seconds": NOW, "logger": "a", "keep_one_in": True},
        {
            "kind": "quarantine_template",
            "id": "1",
            "expires_seconds": NOW,
            "message": "<*>",
            "keep_one_in": 9,
        },
        {"kind": "shrink_batches", "id": "1", "expires_seconds": NOW, "batch_records_max": 0},
        {"kind": "remove_everything", "id": "1", "expires_seconds": NOW},
        "set_level",
        None,
    ],
)
def test_an_order_that_nobody_can_obey_is_left_out_and_the_others_hold(order: object) -> None:
    others = orjson.loads(encoded(ORDERS))["orders"]

    assert decoded(orjson.dumps({"version": 1, "orders": [order, *others]})) == ORDERS


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version":2,"orders":[]}', b"x" * 100_000])
def test_what_is_no_control_file_orders_nothing(data: bytes) -> None:
    assert decoded(data) == ()


def test_an_order_ends_by_itself(tmp_path: Path, control: ControlFile, clock: Clock) -> None:
    (tmp_path / NAME).write_bytes(encoded(ORDERS))
    assert control.orders() == ORDERS

    clock.wall += 61
    assert control.orders() == ()


def test_an_order_that_ends_more_than_a_day_ahead_holds_not(tmp_path: Path, control: ControlFile) -> None:
    order = SetLevel("1", NOW + ORDER_SECONDS_MAX + 3_600, "shop", "DEBUG")
    (tmp_path / NAME).write_bytes(encoded([order]))

    assert control.orders() == ()


def test_an_order_ends_after_a_day_where_the_time_of_day_stands_still(
    tmp_path: Path, control: ControlFile, clock: Clock
) -> None:
    (tmp_path / NAME).write_bytes(encoded(ORDERS))
    control.orders()
    clock.monotonic += ORDER_SECONDS_MAX

    assert control.orders() == ()


def test_it_is_looked_at_once_a_second(control: ControlFile, clock: Clock) -> None:
    assert control.is_due()
    control.orders()
    assert not control.is_due()
    clock.monotonic += 1

    assert control.is_due()


def test_an_order_given_twice_is_given_once_and_can_be_taken_back(tmp_path: Path) -> None:
    for order in (*ORDERS, ORDERS[0]):
        give(tmp_path, order, NOW)
    assert sorted(each.id for each in decoded((tmp_path / NAME).read_bytes())) == ["1", "2", "3", "4", "5"]

    take_back(tmp_path, "3", NOW)
    take_back(tmp_path, "3", NOW)
    assert sorted(each.id for each in decoded((tmp_path / NAME).read_bytes())) == ["1", "2", "4", "5"]


def test_more_orders_than_readers_take_are_refused(tmp_path: Path) -> None:
    for number in range(100):
        give(tmp_path, UseFallbackFile(str(number), NOW + 60), NOW)

    with pytest.raises(ValueError, match="101 orders"):
        give(tmp_path, UseFallbackFile("more", NOW + 60), NOW)
