from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from harness.model.protocols import Status
from harness.model.result import Attempt, Result
from harness.reporting.markdown import BYTES_MAX, MarkdownReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    NASTY,
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)


def rendered(result: Result) -> str:
    html: str = MarkdownIt("commonmark").enable("table").render(MarkdownReport().text(result))
    return html


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_decision_comes_first_with_its_reasons(build: Callable[[], Result]) -> None:
    result = build()
    text = MarkdownReport().text(result)

    assert text.startswith("# ")
    assert result.gate.status.value in text.splitlines()[0]
    assert text.count("\n* ") >= len(result.gate.reasons)


def test_points_sum_in_a_table() -> None:
    html = rendered(passing_result())

    assert "<td><strong>sum</strong></td>" in html
    assert '<td style="text-align:right"><strong>100.00</strong></td>' in html


def test_no_number_stands_beside_a_veto() -> None:
    html = rendered(vetoed_result())

    assert "<h2>Score: withheld</h2>" in html
    assert "<h2>Vetoed: acknowledged loss</h2>" in html
    assert "of 100</h2>" not in html


def test_what_a_stack_wrote_stays_text() -> None:
    html = rendered(replace(vetoed_result(), stack="[click](http://x) | **b** `c` @all <b>"))

    assert "<script>" not in html
    assert "\x1b" not in html
    assert "<a " not in html
    assert "[click](http://x) | **b** `c` @\u200ball &lt;b&gt;" in html


def test_a_counterexample_cannot_leave_its_block() -> None:
    base = vetoed_result()
    verdict = replace(base.scenarios[0].verdicts[0], counterexample=("```", "</pre>", "# heading", NASTY))
    one = replace(base.scenarios[0], verdicts=(verdict,))
    html = rendered(replace(base, scenarios=(one,)))

    assert "<h1>heading</h1>" not in html
    assert "<pre><code>```\n&lt;/pre&gt;\n# heading\n" in html


def test_what_was_not_examined_and_each_attempt_are_named() -> None:
    attempt = Attempt(Status.INCONCLUSIVE, ("steady state did not hold",), 12.5, "history/spine")
    result = replace(
        passing_result(),
        scenarios=(replace(scenario_result(), attempts=(attempt,)),),
        unplanned=("out_of_order: the stack promises no order",),
    )
    html = rendered(result)

    assert "degradation; confidentiality; self-observability; out_of_order: the stack promises" in html
    assert "attempt 1: INCONCLUSIVE after 12.5 s: steady state did not hold (history/spine)" in html


@pytest.mark.slow
def test_it_fits_a_step_summary_however_much_there_is_to_say() -> None:
    one = replace(scenario_result(), status=Status.FAIL, remarks=("é|" * 8_000,) * 50)
    text = MarkdownReport().text(replace(inconclusive_result(), scenarios=(one,) * 1_000))

    assert len(text.encode()) <= BYTES_MAX
    assert "more scenarios are in result.json" in text
