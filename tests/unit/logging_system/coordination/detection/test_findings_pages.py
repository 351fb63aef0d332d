"""What the pages about findings say is so."""

from __future__ import annotations

import re
from pathlib import Path

from logging_system.alerting.loading import load_alerts
from logging_system.alerting.rules.finding import FindingRule
from logging_system.coordination.detection.finding_lines import line_of
from logging_system.coordination.findings import CauseClass, Finding, FindingKind
from tests.repository import DOCS

REFERENCE = (DOCS / "reference/findings.md").read_text()
HOW_TO = (DOCS / "how-to/findings.md").read_text()
FINDING = Finding("a", FindingKind.DROP, CauseClass.LOAD, "", "shop", 1.0, 2.0, 0.5, "Less.")


def test_the_rules_of_the_how_to_are_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL)
    (tmp_path / "alerts.yaml").write_text(block)
    rules = load_alerts(tmp_path / "alerts.yaml", {}).rules_in_force

    assert [rule.name for rule in rules if isinstance(rule, FindingRule)] == [
        "new_errors",
        "our_fault",
        "finding_critical",
    ]


def test_every_name_of_a_line_kind_and_cause_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", REFERENCE))

    assert set(line_of(FINDING, "")) <= explained
    assert {kind.value for kind in FindingKind} <= explained
    assert {cause.value for cause in CauseClass} <= explained
