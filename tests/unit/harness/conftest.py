from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from harness.processes import procfs
from harness.processes.clock import SystemClock
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.processes.scratch import make_scratch, remove_scratch


@pytest.fixture
def run_id() -> str:
    return f"unit-{uuid4().hex[:12]}"


@pytest.fixture
def scratch(run_id: str) -> Iterator[Path]:
    folder = make_scratch(run_id)
    yield folder
    remove_scratch(folder)

    assert processes_of(run_id) == []
    assert not folder.exists()


@pytest.fixture
def managed(scratch: Path, run_id: str) -> Iterator[Callable[[ProcessSpec], ManagedProcess]]:
    made: list[ManagedProcess] = []

    def make(spec: ProcessSpec) -> ManagedProcess:
        made.append(ManagedProcess(spec, run_id, SystemClock()))
        return made[-1]

    yield make
    for process in made:
        process.kill()


def processes_of(run_id: str) -> list[int]:
    return [
        pid for pid, variables in procfs.started_by_a_harness() if variables[procfs.RUN_ID_VARIABLE] == run_id
    ]
