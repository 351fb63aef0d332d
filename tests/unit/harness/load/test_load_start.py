"""Whose it is when the application, its control or the oracle does not start."""

from pathlib import Path

import pytest

from harness.evidence.history import HISTORY_BYTES_MAX
from harness.load.hosted import HostedLoad
from harness.model.declarations import Part
from harness.model.errors import OwnPartError, StackError
from harness.model.protocols import LoadSpec
from harness.processes.clock import SystemClock


def make_load(folder: Path, history: Path) -> HostedLoad:
    intake = Part("python_logging", {"handler": "logging:NullHandler"})
    spec = LoadSpec("run-1", 1, (0,), 1, "", "return", intake, HISTORY_BYTES_MAX)
    return HostedLoad(spec, folder, history, SystemClock())


@pytest.mark.parametrize("name", ["oracle", "control"])
def test_a_process_of_our_own_that_the_machine_refuses_is_ours_and_the_machines(tmp_path, name):
    (tmp_path / f"{name}.log").mkdir()
    load = make_load(tmp_path, tmp_path)

    try:
        with pytest.raises(OwnPartError, match=f'process "{name}": cannot write its log') as caught:
            load.start()
    finally:
        load.stop()

    assert caught.value.exit_code == 7


def test_an_oracle_that_does_not_get_ready_is_ours_with_the_end_of_its_log(tmp_path):
    load = make_load(tmp_path, tmp_path / "no such folder")

    try:
        load.start()
        with pytest.raises(OwnPartError, match=r"(?s)oracle.*no such folder") as caught:
            load.wait_ready(30)
    finally:
        load.stop()

    assert caught.value.exit_code == 3


def test_an_application_that_cannot_be_started_is_the_stacks(tmp_path):
    (tmp_path / "application.log").mkdir()
    load = make_load(tmp_path, tmp_path)

    try:
        with pytest.raises(StackError):
            load.start()
    finally:
        load.stop()
