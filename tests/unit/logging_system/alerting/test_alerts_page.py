from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from logging_system.alerting.loading import load_alerts
from logging_system.alerting.reference import page, schema, schema_text
from tests.repository import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"
HOW_TO = (REPOSITORY / "docs" / "how-to" / "first-alert.md").read_text()


def test_the_page_and_the_schema_are_those_of_the_models() -> None:
    before = (REFERENCE / "alerts.md").read_text()

    assert page(before) == before, "docs/reference/alerts.md is stale; run `make schemas`"
    assert schema_text() == (REFERENCE / "schemas" / "alerts.json").read_text(), "run `make schemas`"


def test_the_rules_that_the_page_shows_are_taken(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```yaml\n(.*?)^```", (REFERENCE / "alerts.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "alerts.yaml").write_text(example)

    assert len(load_alerts(tmp_path / "alerts.yaml", {}).rules) == 11


def test_the_schema_takes_the_examples_and_refuses_a_misspelt_name() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", HOW_TO, re.MULTILINE | re.DOTALL)
    content = yaml.safe_load(example)
    jsonschema.validate(content, schema())

    content["rules"][0]["treshold"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json.loads(schema_text()))
