from __future__ import annotations

import pytest

from tests.unit.harness.runs.stage import Stage


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)
