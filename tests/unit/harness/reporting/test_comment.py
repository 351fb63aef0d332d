from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from harness.model.protocols import Status
from harness.model.result import Result
from harness.reporting.comment import BYTES_MAX, CommentReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    NASTY,
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)

GITHUB_CHARACTERS_MAX = 65_536


def text_of(result: Result) -> str:
    return CommentReport().text(result)


def rendered(result: Result) -> str:
    html: str = MarkdownIt("commonmark").enable("table").render(text_of(result))
    return html


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_marker_comes_first_and_the_decision_next(build):
    result = build()
    first, second, *_ = text_of(result).splitlines()

    assert first == f"<!-- logquake default {result.stack} embedded -->"
    assert second.startswith("### logquake: ")
    assert result.gate.status.value in second


def test_the_marker_is_the_same_for_the_next_run_and_another_for_another_stack():
    again = replace(vetoed_result(), run_id="another", seed=2)
    other = replace(vetoed_result(), stack="another")

    assert text_of(again).splitlines()[0] == text_of(vetoed_result()).splitlines()[0]
    assert text_of(other).splitlines()[0] != text_of(vetoed_result()).splitlines()[0]


def test_no_name_can_end_the_marker():
    first = text_of(replace(passing_result(), suite="a --> <b>\n# c")).splitlines()[0]

    assert first.count("-->") == 1
    assert first.endswith(" -->")


def test_what_did_not_pass_is_shown_and_the_rest_is_folded():
    text = text_of(vetoed_result())

    assert text.count("<details>") == text.count("</details>") == 2
    assert "record 1612" in text
    assert "score withheld" in text
    assert "counterexample" not in text_of(passing_result()).lower()


def test_a_veto_is_first_among_failures():
    rows = [line for line in text_of(vetoed_result()).splitlines() if line.startswith("| ✕ FAIL")]

    assert "acknowledged" in rows[0]


def test_what_a_stack_wrote_stays_text():
    html = rendered(replace(vetoed_result(), stack="[click](http://x) | **b** `c` @all <b>"))

    assert "<script>" not in html
    assert "\x1b" not in html
    assert "<a " not in html
    assert "@\u200ball &lt;b&gt;" in html


def test_an_at_sign_is_shown_and_mentions_nobody():
    base = vetoed_result()
    one = base.scenarios[0]
    asked = replace(one, scenario=replace(one.scenario, name="@team/a"), status=Status.FAIL)
    text = text_of(replace(base, stack="mail@host", scenarios=(asked,)))
    html = rendered(replace(base, stack="mail@host", scenarios=(asked,)))

    assert "\\@" not in text
    assert "mail@\u200bhost" in html
    assert re.search(r"@\w", re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)) is None


def test_it_fits_a_comment_however_much_there_is_to_say():
    base = vetoed_result()
    verdict = replace(
        base.scenarios[0].verdicts[0],
        summary="é|" * 8_000,
        counterexample=("`" * 16_000,) * 50,
        evidence=(NASTY * 1_000,) * 50,
    )
    one = replace(scenario_result(), status=Status.FAIL, verdicts=(verdict,) * 30)
    reasons = ("<ü>" * 9_000,) * 500
    whole = replace(inconclusive_result(), scenarios=(one,) * 300, gate=replace(base.gate, reasons=reasons))
    text = text_of(whole)

    assert len(text.encode()) <= BYTES_MAX < GITHUB_CHARACTERS_MAX
    assert "more reasons in the scorecard" in text
    assert "more are in the scorecard" in text
