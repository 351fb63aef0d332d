"""A second handler beside the one under test: it is called after it, and closed before it."""

from __future__ import annotations

import logging

import pytest

from harness.load.intakes.python_logging import PythonLogging
from harness.model.errors import StackError
from harness.model.protocols import Record

calls: list[str] = []


class First(logging.Handler):
    def __init__(self, word):
        super().__init__()
        self.word = word

    def emit(self, record):
        calls.append(f"{self.word} {record.getMessage()}")

    def close(self):
        calls.append("first closed")
        super().close()


class Second(logging.Handler):
    def emit(self, record):
        calls.append(f"second {record.getMessage()}")

    def close(self):
        calls.append("second closed")
        super().close()


@pytest.fixture(autouse=True)
def _no_calls():
    calls.clear()


def test_both_handlers_get_each_record_the_one_under_test_first():
    intake = PythonLogging(f"{__name__}:First", beside=f"{__name__}:Second", word="first")
    intake.open(lambda _: None)
    intake.send(Record(1, "paid"))
    intake.close()
    intake.close()

    assert calls == ["first paid", "second paid", "second closed", "first closed"]


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        (f"{__name__}:Third", 'intake.beside "'),
        ("builtins:dict", 'intake.beside "builtins:dict" is not a logging.Handler'),
    ],
)
def test_a_second_handler_that_cannot_be_made_is_named(beside, message):
    intake = PythonLogging(f"{__name__}:First", beside=beside, word="first")

    with pytest.raises(StackError, match=message):
        intake.open(lambda _: None)
    assert logging.getLogger("logquake.application").handlers == []


kept: list[logging.LogRecord] = []


class Keeping(logging.Handler):
    def emit(self, record):
        kept.append(record)


def test_a_log_call_says_whose_record_it_is_in_the_extra_that_the_stack_names():
    kept.clear()
    intake = PythonLogging(f"{__name__}:Keeping", tenant_extra="customer")
    intake.open(lambda _: None)
    intake.send(Record(1, "paid", tenant="red"))
    intake.send(Record(2, "nobody's"))
    intake.close()

    first, second = kept
    assert first.__dict__["customer"] == "red"
    assert not hasattr(second, "customer")
