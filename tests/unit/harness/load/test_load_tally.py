from pathlib import Path

import pytest

from harness.evidence.history import HISTORY_BYTES_MAX
from harness.load.assignment import TALLY_FILE
from harness.load.hosted import HostedLoad
from harness.model.declarations import Part
from harness.model.errors import InternalError
from harness.model.protocols import LoadSpec, Tally
from harness.processes.clock import SystemClock


@pytest.fixture
def load(tmp_path: Path) -> HostedLoad:
    spec = LoadSpec("run-1", 1, (0,), 1, "", "return", Part("python_logging"), HISTORY_BYTES_MAX)
    return HostedLoad(spec, tmp_path, tmp_path, SystemClock())


def test_nothing_is_counted_before_the_oracle_tells(load: HostedLoad) -> None:
    assert load.tally() == Tally()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"due": 1, "stolen": 2}'])
def test_a_tally_that_cannot_be_read_is_an_error_never_a_zero(
    load: HostedLoad, tmp_path: Path, text: str
) -> None:
    (tmp_path / TALLY_FILE).write_text(text)

    with pytest.raises(InternalError, match="the oracle's tally cannot be read"):
        load.tally()
