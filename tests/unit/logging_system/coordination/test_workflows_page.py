from __future__ import annotations

import re
from pathlib import Path

from logging_system.coordination.workflows.loading import load_workflows
from logging_system.coordination.workflows.reference import page, schema_text
from tests.repository import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"


def test_the_page_and_the_schema_are_those_of_the_models() -> None:
    before = (REFERENCE / "workflows.md").read_text()

    assert page(before) == before, "docs/reference/workflows.md is stale; run `make schemas`"
    assert schema_text() == (REFERENCE / "schemas" / "workflows.json").read_text(), "run `make schemas`"


def test_the_file_that_the_page_shows_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```yaml\n(.*?)^```", (REFERENCE / "workflows.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "workflows.yaml").write_text(example)

    assert len(load_workflows(tmp_path / "workflows.yaml").workflows) == 2
