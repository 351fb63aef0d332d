import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from harness.model.errors import ScenarioError
from harness.reporting.trend import append_row, read_trend, trend_row
from harness.reporting.trend_page import changes, stretches, trend_page
from tests.unit.harness.reporting.example_result import NASTY, passing_result, vetoed_result

ROW = trend_row(passing_result(), "4 cores")


def rows(*plans):
    return [replace(ROW, run_id=f"run-{place}", plan_hash=plan) for place, plan in enumerate(plans)]


def test_a_run_is_one_line_with_its_score_and_its_worst_measures(tmp_path):
    append_row(tmp_path / "t.jsonl", ROW)
    (line,) = (tmp_path / "t.jsonl").read_text().splitlines()
    document = json.loads(line)

    assert document["plan_hash"] == "c4e8a17733d0915f"
    assert document["score_low"] == 100.0
    assert read_trend(tmp_path / "t.jsonl") == ([ROW], 0)


def test_a_withheld_score_is_no_number():
    assert trend_row(vetoed_result(), "").score_low is None


def test_a_torn_last_line_spoils_itself_alone(tmp_path):
    path = tmp_path / "t.jsonl"
    append_row(path, ROW)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])

    append_row(path, replace(ROW, run_id="next"))
    found, unread = read_trend(path)

    assert [row.run_id for row in found] == [ROW.run_id, "next"]
    assert unread == 1


def test_runs_that_end_together_do_not_mix(tmp_path):
    path = tmp_path / "t.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: append_row(path, replace(ROW, run_id=f"run-{each}")), range(64)))
    found, unread = read_trend(path)

    assert unread == 0
    assert sorted(row.run_id for row in found) == sorted(f"run-{each}" for each in range(64))


def test_the_file_is_its_owners_alone(tmp_path):
    append_row(tmp_path / "new" / "t.jsonl", ROW)

    assert (tmp_path / "new" / "t.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_trend_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"none\.jsonl: cannot be read: No such file"):
        read_trend(tmp_path / "none.jsonl")


def test_a_change_of_plan_machine_or_version_is_named_where_it_happened():
    made = rows("a", "a", "b", "b")
    made[3] = replace(made[3], machine="8 cores", logquake="9")

    assert changes(made) == {2: "plan changed", 3: "machine, logquake changed"}


def test_no_line_crosses_a_change():
    assert stretches([1.0, 2.0, 3.0, 4.0], {2: "plan changed"}) == [
        [(0.0, 1.0), (1.0, 2.0)],
        [(2.0, 3.0), (3.0, 4.0)],
    ]


def test_the_page_marks_the_change_and_draws_a_line_on_each_side_of_it():
    unchanged = trend_page(rows("a", "a", "a", "a"), 0)
    changed = trend_page(rows("a", "a", "b", "b"), 0)

    assert changed.count("plan changed</title>") == changed.count('class="lane"')
    assert "plan changed" not in unchanged
    assert changed.count('class="line p99"') == 2 * unchanged.count('class="line p99"')


def test_marks_close_to_each_other_keep_their_words_apart():
    page = trend_page(rows(*map(str, range(60))), 0)

    assert page.count("plan changed</title>") == 59 * page.count('class="lane"')
    assert 0 < page.count("plan changed</text>") < 10 * page.count('class="lane"')


def test_each_suite_and_stack_has_charts_of_its_own():
    page = trend_page([ROW, replace(ROW, suite="disk"), replace(ROW, stack="mine")], 0)

    assert page.count("<section>") == 3


def test_what_could_not_be_read_is_said_and_an_empty_trend_is_no_mistake():
    assert "2 lines of the file could not be read" in trend_page([], 2)
    assert "No run was recorded yet" in trend_page([], 0)


def test_nothing_in_a_row_is_obeyed_and_the_charts_are_well_formed():
    nasty = replace(
        ROW,
        suite=NASTY,
        stack=NASTY,
        commit=NASTY,
        machine=NASTY,
        measures={NASTY: next(iter(ROW.measures.values()))},
    )
    page = trend_page([nasty, replace(nasty, plan_hash="other")], 0)

    assert "<script" not in page
    for chart in re.findall(r'<svg class="lane".*?</svg></svg></svg>', page, re.DOTALL):
        ElementTree.fromstring(chart)  # noqa: S314 - our own output
