"""A handler that leaves out what is sent, by its own level, has not lost it: the stack file is refused."""

import logging

import pytest

from harness.load.intakes.python_logging import PythonLogging
from harness.model.errors import StackError


class Quiet(logging.Handler):
    def __init__(self, level: int = logging.WARNING) -> None:
        super().__init__(level=level)

    def emit(self, record: logging.LogRecord) -> None: ...


def intake(level: int = logging.WARNING) -> PythonLogging:
    return PythonLogging(f"{__name__}:Quiet", level=level)


def test_a_handler_above_the_level_that_is_sent_is_refused_with_its_level():
    with pytest.raises(
        StackError, match=r"intake\.handler .*: its level is WARNING, so it leaves out .* INFO"
    ):
        intake().open(lambda _sequences: None)


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.INFO])
def test_a_handler_that_takes_what_is_sent_is_attached(level):
    hosted = intake(level=level)
    hosted.open(lambda _sequences: None)

    hosted.close()
