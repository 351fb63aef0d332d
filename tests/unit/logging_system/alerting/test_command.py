from __future__ import annotations

import sys
from pathlib import Path

import orjson

from logging_system.alerting.channels.command import Command, CommandSender
from logging_system.alerting.outbox import NotNow, Taken
from tests.unit.logging_system.alerting.receivers import letter


def command(*words: str, timeout_seconds: float = 30.0) -> CommandSender:
    return CommandSender(Command(name="run", command=words, timeout_seconds=timeout_seconds))


def test_the_program_gets_the_notification_on_its_standard_input(tmp_path: Path) -> None:
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"

    assert command(sys.executable, "-c", script, str(tmp_path / "got; rm -rf x")).send(letter()) == Taken()
    assert orjson.loads((tmp_path / "got; rm -rf x").read_bytes())["key"] == "k" * 32


def test_one_that_fails_is_tried_again() -> None:
    assert command("false").send(letter()) == NotNow("false: ended with 1", may_have_arrived=True)


def test_one_that_is_not_there_is_tried_again() -> None:
    assert command("/no/such").send(letter()) == NotNow("/no/such: No such file or directory")


def test_one_that_hangs_is_ended_with_all_that_it_started() -> None:
    outcome = command("sh", "-c", "sleep 300 & sleep 300", timeout_seconds=0.3).send(letter())

    assert outcome == NotNow("sh: did not end within 0.3 s", may_have_arrived=True)


def test_one_that_reads_nothing_has_taken_the_message() -> None:
    assert command("true").send(letter()) == Taken()
