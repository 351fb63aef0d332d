"""What the log file intake appends is what rsyslog's imfile reads, over each kind of rotation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.load.intakes.log_file import LogFile
from harness.model.protocols import Record
from tests.contract.harness.load.test_syslog_receivers import TEXTS, read_back, running, starter

CONFIGURATION = """
global(maxMessageSize="128k" abortOnUncleanConfig="on" workDirectory="{folder}")
module(load="imfile" mode="inotify")
template(name="read" type="string" string="%msg%\\n")
ruleset(name="write") {{ action(type="omfile" file="{folder}/out" template="read") }}
input(type="imfile" file="{folder}/logs/app.log" tag="application" ruleset="write" reopenOnTruncate="on")
"""


def following(folder: Path) -> list[str]:
    """Write the configuration; return the command."""
    (folder / "rsyslog.conf").write_text(CONFIGURATION.format(folder=folder))
    return [str(starter("rsyslog")), "-n", "-iNONE", "-f", str(folder / "rsyslog.conf")]


@pytest.mark.parametrize("rotation", ["rename", "copytruncate"])
def test_rsyslog_reads_every_line_where_it_has_read_a_file_before_that_is_rotated(tmp_path, rotation):
    intake = LogFile(str(tmp_path / "logs" / "app.log"), rotation=rotation, rotate_bytes=1)
    intake.open(lambda sequences: None)
    received = []
    with running(following(tmp_path), tmp_path):
        # Each line rotates the file of the one before it, which is read by then.
        for sequence, text in enumerate(TEXTS):
            intake.send(Record(sequence, text))
            received = read_back(tmp_path / "out", sequence + 1)
    intake.close()

    assert [each["message"] for each in received] == TEXTS
    assert [each["labels"] for each in received] == [{"sequence": n} for n in range(len(TEXTS))]
    rotated = sorted(tmp_path.glob("logs/app.log.*"))
    assert len(rotated) == len(TEXTS) - 1


def test_rsyslog_goes_on_behind_the_line_that_it_read_last_when_it_is_started_again(tmp_path):
    intake = LogFile(str(tmp_path / "logs" / "app.log"))
    intake.open(lambda sequences: None)
    command = following(tmp_path)
    for sequence in range(3):
        with running(command, tmp_path):
            intake.send(Record(sequence, f"line {sequence}"))
            read_back(tmp_path / "out", sequence + 1)
    intake.close()

    lines = (tmp_path / "out").read_bytes().splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["line 0", "line 1", "line 2"]
