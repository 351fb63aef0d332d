from __future__ import annotations

import json
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from harness.judging.differences import differences
from harness.reporting.difference_report import FORMS, ITEMS_MAX, as_json, as_markdown, as_text
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    NASTY,
    passing_result,
    scenario_result,
    vetoed_result,
)

WORSE = differences(passing_result(), vetoed_result())


def test_the_plan_is_told_first_then_what_changed_from_what_to_what():
    text = as_text(WORSE)
    lines = text.splitlines()

    assert lines[2:4] == [
        "The runs are not of one plan; what both have is compared:",
        "  stack: logging_system → naive_handler",
    ]
    assert "  decision: PASS → FAIL (worse)" in lines
    assert "  score: 100.00 → withheld (worse)" in lines
    assert "  spine, response_p99_ms: PASS → FAIL (worse), 12.4 ms → 4.48 s: " in text
    assert lines[-1] == "Something is worse."


def test_nothing_is_said_of_what_did_not_change():
    assert as_text(differences(passing_result(), passing_result())).splitlines()[1:] == [
        "",
        "Nothing is worse.",
    ]


def test_what_a_stack_wrote_stays_text():
    odd = replace(vetoed_result(), stack=f"[x](http://x) {NASTY}")
    made = differences(passing_result(), odd)
    html = MarkdownIt("commonmark").render(as_markdown(made))

    assert "<script>" not in html
    assert "<a " not in html
    assert "\x1b" not in as_text(made) + as_markdown(made)


@pytest.mark.parametrize("before", EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("after", EXAMPLES.values(), ids=EXAMPLES)
def test_every_form_can_be_made_of_any_two_results(before, after):
    made = differences(before(), after())

    assert all(form(made).endswith("\n") for form in FORMS.values())
    assert json.loads(as_json(made))["is_worse"] is made.is_worse


def test_a_number_that_json_lacks_is_a_text():
    one = scenario_result()
    endless = replace(one, verdicts=(replace(one.verdicts[0], value=float("inf")), *one.verdicts[1:]))
    made = differences(passing_result(), replace(passing_result(), scenarios=(endless,)))

    assert json.loads(as_json(made))["objectives"][0]["value_after"] == "Infinity"


def test_a_person_is_shown_so_many_and_a_machine_all():
    base = scenario_result().verdicts[0]
    many, other = (
        replace(
            passing_result(),
            scenarios=(
                replace(
                    scenario_result(),
                    verdicts=tuple(
                        replace(base, objective=f"check_{number}", value=value) for number in range(100)
                    ),
                ),
            ),
        )
        for value in (1.0, 2.0)
    )
    made = differences(many, other)

    assert f"… and {100 - ITEMS_MAX} more (--format json has all)" in as_text(made)
    assert len(json.loads(as_json(made))["objectives"]) == 100
