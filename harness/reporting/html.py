"""The scorecard: one HTML file that works offline, on a phone, in the dark, on paper and without scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import ClassVar

from harness.model.result import Result, ScenarioResult
from harness.reporting.fitting import fitting
from harness.reporting.numbers import milliseconds
from harness.reporting.page_templates import drawn, own_markup
from harness.reporting.regression_words import HEADS as REGRESSION_HEADS
from harness.reporting.regression_words import regression_head, regression_rows
from harness.reporting.scorecard_scenario import Detail, scenario_section
from harness.reporting.scorecard_words import (
    WORST_FIRST,
    count_by_status,
    decided_share,
    facts_of_run,
    points_groups,
    status_word,
    sum_problem,
    veto_case,
    whole_replay_command,
)
from harness.reporting.seismogram import seismogram

BYTES_MAX = 300_000
# Tried in turn until the page fits: first what result.json has anyway, last what a person came for.
DETAILS = (
    Detail(),
    Detail(table=False, items_max=20),
    Detail(table=False, lanes_of_passed=1, items_max=12, characters_max=240),
    Detail(table=False, lanes_of_passed=0, items_max=12, characters_max=240),
    Detail(table=False, lanes=0, lanes_of_passed=0, items_max=6, characters_max=160, scenarios_max=40),
    Detail(table=False, lanes=0, lanes_of_passed=0, items_max=3, characters_max=90, scenarios_max=12),
)


class Scorecard:
    """The scorecard for people, as one HTML file of at most 300 kB."""

    file_name: ClassVar[str] = "scorecard.html"

    def text(self, result: Result) -> str:
        """Return the page."""
        return page(result)


def page(result: Result) -> str:
    """Return the page with as much detail as fits into `BYTES_MAX`."""
    return fitting(DETAILS, lambda detail: _page(result, detail), BYTES_MAX)


def _page(result: Result, detail: Detail) -> str:
    script = own_markup("scorecard.js")
    # The page holds text that a broken stack produced: only this script may run, nothing may be fetched.
    digest = b64encode(sha256(script.encode()).digest()).decode()
    shown = _worst(result.scenarios, detail.scenarios_max)
    return str(
        drawn(
            "scorecard.html",
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
            title=f"{status_word(result.gate.status)} · {result.stack} · {result.suite} · logquake",
            style=own_markup("scorecard.css"),
            script=script,
            detail=detail,
            masthead=_masthead(result),
            seismogram=seismogram(result),
            gate=result.gate,
            scenarios_total=len(result.scenarios),
            scenario_tally=count_by_status([one.status for one in result.scenarios]),
            vetoes=[(veto, veto_case(result, veto)) for veto in result.score.vetoes],
            score=result.score,
            unplanned=result.unplanned,
            decided_share=decided_share(result.score),
            groups=points_groups(result.score),
            sum_problem=sum_problem(result.score),
            regression=result.regression,
            regression_head=regression_head(result.regression) if result.regression else "",
            regression_heads=REGRESSION_HEADS,
            regression_rows=regression_rows(result.regression) if result.regression else (),
            index=[(f"s{place}", one) for place, one in shown],
            sections=[scenario_section(result, one, f"s{place}", detail) for place, one in shown],
            surroundings=facts_of_run(result),
            replay=whole_replay_command(result),
        )
    )


def _masthead(result: Result) -> tuple[tuple[str, str], ...]:
    return (
        ("stack", result.stack),
        ("suite", result.suite),
        ("backend", result.backend),
        ("input", result.input or "generated lines"),
        ("when", result.started_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")),
        ("took", milliseconds(result.seconds * 1000)),
    )


def _worst(scenarios: Sequence[ScenarioResult], scenarios_max: int) -> list[tuple[int, ScenarioResult]]:
    """Return the worst scenarios with their places from 1 on, in the order they were planned."""
    worst_first = sorted(enumerate(scenarios, 1), key=lambda numbered: WORST_FIRST.index(numbered[1].status))
    return sorted(worst_first[:scenarios_max], key=lambda numbered: numbered[0])
