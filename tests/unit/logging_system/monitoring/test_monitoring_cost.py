"""What the monitoring handler costs the thread that logs, as multiples of a call into a NullHandler."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable

import pytest

from logging_system.monitoring.advanced_handler import AdvancedMonitoringHandler

CALLS = 500
ROUNDS = 40
MORE_MAX = 0.53
"""2 µs, where a call into a NullHandler takes 3.8 µs."""


def thread_seconds(handler: logging.Handler, call: Callable[[logging.Logger, int], None]) -> float:
    logger = logging.Logger("shop.checkout", logging.INFO)
    logger.addHandler(handler)
    began = time.thread_time()
    for number in range(CALLS):
        call(logger, number)
    return time.thread_time() - began


def plain(logger: logging.Logger, number: int) -> None:
    logger.info("order %s was paid", number)


def with_a_duration(logger: logging.Logger, number: int) -> None:
    logger.info("order %s was paid", number, extra={"duration_ms": number * 0.1})


def an_error(logger: logging.Logger, number: int) -> None:
    logger.error("order %s failed", number)


@pytest.mark.alone
@pytest.mark.parametrize("call", [plain, with_a_duration, an_error])
def test_a_record_costs_the_caller_at_most_two_microseconds(
    call: Callable[[logging.Logger, int], None],
) -> None:
    monitor, bare = AdvancedMonitoringHandler(), logging.NullHandler()
    ratios = []
    for _ in range(ROUNDS):
        bare_seconds = thread_seconds(bare, call)
        ratios.append(thread_seconds(monitor, call) / bare_seconds)

    assert monitor.snapshot().records == CALLS * ROUNDS
    assert statistics.median(ratios) <= 1 + MORE_MAX
