from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.model.protocols import Status
from harness.model.result import GateDecision, Result
from harness.reporting.badge import BadgeReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    inconclusive_result,
    passing_result,
    vetoed_result,
)

# What shields.io's endpoint badge asks for: https://shields.io/badges/endpoint-badge
REQUIRED = {"schemaVersion": int, "label": str, "message": str}
OPTIONAL = {"color": str, "isError": bool}
COLORS = {"brightgreen", "yellow", "red", "lightgrey"}


def badge(result: Result) -> dict[str, object]:
    made: dict[str, object] = json.loads(BadgeReport().text(result))
    return made


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_badge_has_the_form_that_shields_reads(build):
    made = badge(build())

    assert set(REQUIRED) <= set(made) <= {*REQUIRED, *OPTIONAL}
    assert all(type(made[key]) is kind for key, kind in (REQUIRED | OPTIONAL).items())
    assert made["schemaVersion"] == 1
    assert made["message"]
    assert made["color"] in COLORS


def test_a_pass_is_its_score_in_green():
    assert badge(passing_result()) == {
        "schemaVersion": 1,
        "label": "logquake",
        "message": "100.00",
        "color": "brightgreen",
        "isError": False,
    }


def test_a_veto_withholds_the_number():
    made = badge(vetoed_result())

    assert (made["message"], made["color"], made["isError"]) == ("vetoed", "red", True)


def test_what_is_undecided_is_not_green():
    made = badge(inconclusive_result())

    assert made["color"] == "lightgrey"
    assert str(made["message"]).endswith("INCONCLUSIVE")


def test_a_failure_is_told_beside_a_full_score():
    failed = replace(passing_result(), gate=GateDecision(Status.FAIL, ("a rule of the gate file",)))

    assert badge(failed)["message"] == "100.00 FAIL"
