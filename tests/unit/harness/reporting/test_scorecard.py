from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import harness.reporting
from harness.model.declarations import Promises
from harness.model.protocols import Status
from harness.model.result import Attempt, HarnessCost, Result
from harness.reporting.atomic_file import write_report
from harness.reporting.escaping import visible
from harness.reporting.html import BYTES_MAX, Scorecard, page
from harness.reporting.page_templates import drawn
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    NASTY,
    inconclusive_result,
    passing_result,
    scenario_result,
    series,
    vetoed_result,
)


class Outline(HTMLParser):
    """The elements of a page, and its text as a reader sees it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._skipped = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in {"script", "style"}:
            self._skipped = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(f" {word}" for word in self.words).split())


def points_column(text: str, row: str) -> list[str]:
    """Return the last cell (points) of the table's rows of that class."""
    return re.findall(rf'<tr class="{row}">(?:(?!<tr|<tfoot).)*<td>([^<]*)(?=<tr|<tfoot)', text)


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_page_is_one_small_offline_file(tmp_path: Path, build: Callable[[], Result]) -> None:
    path = write_report(Scorecard(), build(), tmp_path)
    outline = Outline(path.read_text(encoding="utf-8"))

    assert path == tmp_path / "scorecard.html"
    assert path.stat().st_size <= BYTES_MAX
    assert not [value for name, value in outline.attributes if name in {"src", "srcset"} or "://" in value]
    assert not {"link", "img", "iframe", "object"} & set(outline.tags)


@pytest.mark.parametrize("build", [passing_result, inconclusive_result])
def test_the_points_shown_sum_to_the_score_shown(build: Callable[[], Result]) -> None:
    result = build()
    text = page(result)

    ends = [cell.split(" \N{EN DASH} ") for cell in points_column(text, "dimension")]
    low = sum(round(float(end[0]) * 100) for end in ends)
    high = sum(round(float(end[-1]) * 100) for end in ends)
    shown = f"{low / 100:.2f}" if low == high else f"{low / 100:.2f} \N{EN DASH} {high / 100:.2f}"

    assert len(ends) == 4
    assert f'<p class="points-big">{shown}</p>' in text


def test_a_standing_veto_withholds_every_number_of_the_score_and_shows_the_counterexample_first() -> None:
    result = vetoed_result()
    text = Outline(page(result)).text

    assert points_column(page(result), "dimension") == ["\N{EN DASH}"] * 4
    assert "26.67 of" not in text
    assert (
        text.index("FAIL") < text.index("Vetoed") < text.index("record 1612") < text.index("withheld A veto")
    )
    assert text.index("Not examined: degradation") < text.index("withheld A veto")


def test_the_smallest_counterexample_stands_under_the_veto() -> None:
    result = vetoed_result()
    first = result.scenarios[0]
    small = replace(first.verdicts[0], counterexample=("record 9",))
    second = replace(result.scenarios[1], verdicts=(small,))
    text = page(replace(result, scenarios=(first, second)))

    above = text[: text.index('<section class="score">')]
    assert "record 9" in above
    assert "record 1612" not in above


def test_one_scenario_is_not_called_scenarios() -> None:
    result = vetoed_result()
    one = Outline(page(replace(result, scenarios=result.scenarios[:1]))).text

    assert "1 scenario: " in one
    assert f"{len(result.scenarios)} scenarios: " in Outline(page(result)).text


def test_the_decision_comes_before_what_was_not_examined_before_the_score() -> None:
    text = Outline(page(inconclusive_result())).text.partition(" Run and surroundings")[0]

    order = ["INCONCLUSIVE", "unresolved", "Not examined:", "of 100 points", "add up to the score", "Replay"]
    assert sorted(order, key=text.index) == order


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_text_from_a_stack_is_shown_and_never_obeyed(build: Callable[[], Result]) -> None:
    base = build()
    one = base.scenarios[0]
    scenario = replace(one.scenario, name=NASTY, title=NASTY, hypothesis=NASTY, why=NASTY, seen_in=(NASTY,))
    bands = tuple(replace(band, fault=NASTY, target=NASTY, proof=NASTY) for band in one.bands)
    verdicts = tuple(
        replace(verdict, objective=NASTY, summary=NASTY, unit=NASTY, vetoes=(NASTY,), counterexample=(NASTY,))
        for verdict in one.verdicts
    )
    nasty = replace(one, scenario=scenario, bands=bands, verdicts=verdicts, remarks=(NASTY,))
    dimension = base.score.dimensions[0]
    score = replace(
        base.score,
        dimensions=(replace(dimension, dimension=NASTY), *base.score.dimensions[1:]),
        not_examined=(NASTY,),
        vetoes=(NASTY,),
    )
    result = replace(
        base,
        **dict.fromkeys(("run_id", "suite", "stack", "backend", "input", "suite_hash", "command"), NASTY),  # type: ignore[arg-type]
        surroundings={NASTY: NASTY},
        scenarios=(nasty,),
        score=score,
        gate=replace(base.gate, reasons=(NASTY,)),
    )
    text = page(result)
    outline = Outline(text)

    assert outline.tags.count("script") == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff\u202a-\u202e]", text)
    assert "<script>alert(1)</script> \"'&\\x1b[31mred\\x00\\ud800\\u202e &amp;" in outline.text
    assert not [name for name, _ in outline.attributes if name.startswith("on")]


@pytest.mark.parametrize(
    "canary",
    [
        "<img src=x onerror=alert(1)>",
        "'\"><svg onload=alert(1)>",
        "</pre></style></script><script>alert(1)</script>",
        "{{ 7 * 7 }}{% for x in y %}{# -#}",
        "javascript:alert(1)//\u2028",
    ],
)
def test_a_canary_in_a_log_line_or_a_title_is_text_and_adds_no_element(canary: str) -> None:
    outline, tame = Outline(page(saying(canary))), Outline(page(saying("word")))

    assert outline.text.count(visible(canary)) >= 9
    assert [tag for tag in outline.tags if tag != "wbr"] == [tag for tag in tame.tags if tag != "wbr"]
    assert not [name for name, _ in outline.attributes if name.startswith("on")]


def saying(text: str) -> Result:
    """Return a result that holds a text wherever a stack's or a file's own words come in."""
    base = vetoed_result()
    one = base.scenarios[0]
    lost = replace(one.verdicts[0], summary=text, evidence=(text,), counterexample=(text, "record 1612"))
    hurt = replace(
        one,
        scenario=replace(one.scenario, title=text, hypothesis=text),
        verdicts=(lost, *one.verdicts[1:]),
        attempts=(Attempt(Status.ERROR, (text,), 1.0, text),),
        bands=(replace(one.bands[0], fault=text, proof=text), *one.bands[1:]),
    )
    return replace(base, stack=text, scenarios=(hurt, base.scenarios[1]))


def test_a_template_that_names_what_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        drawn("seismogram.html", width=1, height=1, paths=[])


def test_no_template_switches_the_escaping_off() -> None:
    templates = sorted((Path(harness.reporting.__file__).parent / "templates").glob("*.jinja"))

    assert len(templates) >= 5
    for template in templates:
        assert not re.search(r"\|\s*safe|autoescape|Markup", template.read_text(encoding="utf-8")), (
            template.name
        )


def test_only_the_one_script_of_the_page_may_run() -> None:
    text = page(passing_result())
    (script,) = re.findall(r"<script>(.*)</script>", text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()

    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert ("content", policy) in Outline(text).attributes


def test_each_scenario_shows_its_purpose_its_proof_its_evidence_and_its_replay() -> None:
    text = Outline(page(passing_result())).text

    for words in (
        "While every connection to the store is reset for 10 s",
        "A shipper that drops a batch",
        "fluent/fluent-bit#6342",
        "41 connections reset, 1.2 MB cut off",
        "12.4 ms (limit 100 ms)",
        "injected 12.4 ms (n = 3,800)",
        "logquake run --stack reference --backend embedded spine --seed 42",
        "Linux 6.8.0-1021 x86_64",
        "c4e8a17733d0915f",
    ):
        assert words in text


def test_the_limit_drawn_is_the_stacks_own_promise() -> None:
    base = passing_result()
    one = replace(base.scenarios[0], verdicts=())
    text = Outline(page(replace(base, scenarios=(one,), promises=Promises(response_p99_ms=7.0)))).text

    assert "limit 7 ms" in text
    assert "limit 100 ms" not in text


def test_what_was_not_planned_is_named_with_what_was_not_examined() -> None:
    base = passing_result()
    unplanned = ("out_of_order: the stack promises no order",)
    text = Outline(page(replace(base, unplanned=unplanned))).text
    alone = replace(base, unplanned=unplanned, score=replace(base.score, not_examined=()))

    assert "Not examined: degradation" in text
    assert unplanned[0] in text
    assert f"Not examined: {unplanned[0]}" in " ".join(Outline(page(alone)).text.split())


def test_earlier_attempts_are_shown() -> None:
    base = passing_result()
    attempt = Attempt(Status.INCONCLUSIVE, ("steady state did not hold",), 12.5, "history/spine")
    one = replace(base.scenarios[0], attempts=(attempt,))
    text = Outline(page(replace(base, scenarios=(one,)))).text

    assert "attempt 1: INCONCLUSIVE after 12.5 s: steady state did not hold (history/spine)" in text


def test_what_a_scenario_took_of_the_harness_is_shown() -> None:
    cost = HarnessCost(read_back_seconds=12.5, judging_seconds=8.0, memory_mib=480.0)
    result = passing_result()
    result = replace(result, scenarios=(replace(result.scenarios[0], cost=cost),))

    shown = Outline(page(result)).text
    assert "harness: read back in 12.5 s" in shown
    assert "harness: judged in 8 s" in shown
    assert "harness: memory at most 480 MiB" in shown


def test_a_run_of_an_hour_with_a_million_records_still_fits() -> None:
    result = passing_result()
    long = replace(result.scenarios[0], series=series(seconds=3_600))

    assert len(page(replace(result, scenarios=(long,))).encode()) <= BYTES_MAX


def test_a_scenario_without_series_and_verdicts_says_so() -> None:
    text = Outline(page(inconclusive_result())).text

    assert "Nothing was recorded per second." in text
    assert "Nothing was judged." in text
    assert "this backend has no target that can be severed" in text


def test_every_second_stands_in_the_table_with_a_dash_where_nothing_was_measured() -> None:
    rows = re.findall(r"<tr><th>(\d+)<td>([^\n]*?)(?=<tr>|</table>)", page(vetoed_result()))

    assert [int(second) for second, _ in rows[:48]] == list(range(48))
    assert "\N{EN DASH}" in rows[47][1]


@pytest.mark.slow
@pytest.mark.parametrize("scenarios", [60, 250])
def test_many_long_scenarios_still_fit_and_the_failing_ones_stay(scenarios: int) -> None:
    base = vetoed_result()
    long_lines = tuple("<&>" * 6_000 for _ in range(50))
    passed = scenario_result()
    verdicts = tuple(replace(verdict, evidence=long_lines) for verdict in passed.verdicts)
    passed = replace(passed, verdicts=verdicts, series=series(seconds=400), remarks=long_lines)
    result = replace(base, scenarios=(*[passed] * scenarios, base.scenarios[0]))
    text = page(result)

    assert len(text.encode()) <= BYTES_MAX
    assert f'id="s{scenarios + 1}"' in text
    assert "37 of 7,220 acknowledged records cannot be read back" in text


@pytest.mark.parametrize(("scenarios", "lanes", "tables"), [(8, 3, 1), (16, 3, 0), (24, 1, 0)])
def test_what_result_json_has_anyway_is_left_out_first(scenarios: int, lanes: int, tables: int) -> None:
    text = page(replace(passing_result(), scenarios=(scenario_result(),) * scenarios))

    assert text.count('<svg class="lane"') == lanes * scenarios
    assert text.count('<table class="numbers"') == tables * scenarios
    assert text.count(">40 s</text>") == scenarios


def test_points_that_do_not_sum_to_the_score_are_called_a_defect() -> None:
    result = passing_result()
    wrong = replace(result, score=replace(result.score, low=90.0, high=90.0))

    assert "This is a defect of logquake" in page(wrong)
    assert "This is a defect of logquake" not in page(result)


def test_a_page_says_its_status_in_words_beside_colour() -> None:
    for status in Status:
        base = passing_result()
        text = Outline(page(replace(base, gate=replace(base.gate, status=status)))).text

        assert f" {status.value.replace('_', ' ')} " in text
