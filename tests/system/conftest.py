from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.machine import Machine, temporary_folder


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with temporary_folder() as temporary:
        made = Machine(tmp_path, temporary)
        yield made
        made.stop()
