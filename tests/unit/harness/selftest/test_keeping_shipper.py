"""The honest twin that keeps records on disk: what it returned from is there for its next process."""

import logging

import pytest

from harness.selftest import keeping
from harness.selftest.bugs import ThrowsItsLastBatchAway
from harness.selftest.keeping import KeepingShipper
from harness.selftest.shipper import Answer

NOBODY = "http://127.0.0.1:9"


def log(shipper, *messages):
    for message in messages:
        shipper.handle(logging.makeLogRecord({"msg": message, "levelno": logging.INFO}))


def waiting(shipper):
    return [each.message for each in shipper.waiting]


class OutOfReach(KeepingShipper):
    """A shipper whose requests are never answered."""

    def post(self, body):
        return Answer(0, b"")


class OutOfReachAndCareless(ThrowsItsLastBatchAway):
    def post(self, body):
        return Answer(0, b"")


@pytest.mark.slow
@pytest.mark.parametrize(("shipper", "left"), [(OutOfReach, ["one", "two"]), (OutOfReachAndCareless, [])])
def test_what_could_not_be_sent_when_it_was_closed_waits_in_the_next_process(shipper, left, tmp_path):
    first = shipper(NOBODY, "logs", str(tmp_path))
    log(first, "one", "two")
    first.close()

    second = shipper(NOBODY, "logs", str(tmp_path))

    second.closing.set()
    second.sender.join(timeout=5)
    assert waiting(second) == left


def test_a_killed_process_leaves_all_it_took_and_numbers_go_on(tmp_path):
    first = OutOfReach(NOBODY, "logs", str(tmp_path))
    log(first, "one", "two")
    with (tmp_path / keeping.FILE).open("ab") as file:
        file.write(b'{"number": 2, "iden')  # it died here

    second = OutOfReach(NOBODY, "logs", str(tmp_path))
    log(second, "three")

    assert [(each.number, each.message) for each in second.kept()] == [(0, "one"), (1, "two"), (2, "three")]


def test_a_record_that_the_disk_does_not_take_is_refused(tmp_path):
    shipper = OutOfReach(NOBODY, "logs", str(tmp_path / "folder"))
    (tmp_path / "folder").rename(tmp_path / "elsewhere")

    with pytest.raises(FileNotFoundError):
        log(shipper, "one")

    assert shipper.counters["accepted"] == 0
    assert waiting(shipper) == []
