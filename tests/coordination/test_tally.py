"""What a result says of findings is counted as it is."""

from tests.coordination.tally import (
    QUIET,
    Row,
    is_as_promised,
    is_worth_repeating,
    judges_findings,
    row_from,
    row_of,
    table,
)


def verdict(name, status="PASS", value=0.0, samples=None, counterexample=(), summary=""):
    return {
        "objective": f"findings_{name}",
        "status": status,
        "value": value,
        "samples": samples,
        "counterexample": list(counterexample),
        "summary": summary,
    }


def scenario(*verdicts, faults=("black_hole",)):
    steps = [{"fault": fault} for fault in faults]
    return {"scenario": {"name": "one", "steps": steps}, "verdicts": list(verdicts)}


def test_a_fault_that_was_found_late_and_under_a_wrong_name_is_counted_as_both():
    row = row_from(
        scenario(
            verdict("missed", samples=2),
            verdict("late", "FAIL", 12.0, samples=2, counterexample=["b: found at 22 s."]),
            verdict("misnamed", "FAIL", 1, samples=2, counterexample=["b: found as load."]),
            verdict("false", "FAIL", 1, counterexample=["f, 3 s: load."]),
        )
    )

    assert (row.owed, row.found, row.in_time, row.named, row.false) == (2, 2, 1, 1, 1)
    assert (row.fault, row.slowest_seconds, row.undecided) == ("black_hole", 12.0, 0)
    assert row.said == ("one: b: found at 22 s.", "one: b: found as load.", "one: f, 3 s: load.")
    assert row_of(row.content()) == row
    assert not is_as_promised([row])


def test_a_missed_fault_is_neither_found_nor_named():
    row = row_from(
        scenario(
            verdict("missed", "FAIL", 1, samples=1, counterexample=["b: nothing."]),
            verdict("late", "INCONCLUSIVE", None),
            verdict("misnamed", "INCONCLUSIVE", None),
            verdict("false"),
        )
    )

    assert (row.owed, row.found, row.in_time, row.named) == (1, 0, 0, 0)


def test_a_quiet_run_owes_nothing_and_one_that_could_not_be_read_is_undecided():
    quiet = row_from(scenario(verdict("false"), faults=()))
    unread = row_from(scenario(verdict("false", "INCONCLUSIVE", None), faults=()))

    assert (quiet.fault, quiet.owed, quiet.undecided) == (QUIET, 0, 0)
    assert is_as_promised([quiet])
    assert unread.undecided == 1
    assert not is_as_promised([quiet, unread])


def test_what_lasted_too_short_to_be_owed_is_not_undecided():
    row = row_from(
        scenario(
            verdict("missed", "INCONCLUSIVE", None, summary="No fault that must be found lasted 3 s."),
            verdict("false"),
        )
    )

    assert (row.owed, row.undecided) == (0, 0)


def test_the_table_sums_up_each_kind_of_fault():
    rows = [Row("a", 1, 1, 1, 1, 1, slowest_seconds=3.0), Row("a", 1, 1, 0), Row(QUIET, 1)]

    assert table(rows)[2:] == [
        "| a | 2 | 2 | 1 | 1 | 1 | 3.0 | 0 | 0 |",
        f"| {QUIET} | 1 | 0 | 0 | 0 | 0 | none | 0 | 0 |",
        "| all | 3 | 2 | 1 | 1 | 1 | 3.0 | 0 | 0 |",
    ]


def test_only_what_was_not_decided_and_shows_no_fault_of_the_detection_is_tried_again():
    assert is_worth_repeating(Row("a", 1, owed=1, found=1, in_time=1, named=1, undecided=1))
    assert not is_worth_repeating(Row("a", 1, owed=1, found=1, in_time=1, named=1))
    assert not is_worth_repeating(Row("a", 1, owed=1, undecided=1))
    assert not is_worth_repeating(Row("a", 1, owed=1, found=1, named=1, undecided=1))
    assert not is_worth_repeating(Row("a", 1, owed=1, found=1, in_time=1, undecided=1))
    assert not is_worth_repeating(Row("a", 1, false=1, undecided=1))


def test_a_scenario_that_names_its_checks_judges_findings_only_where_it_names_one_of_them():
    assert judges_findings([])
    assert judges_findings(["acknowledged_lost", "findings_false"])
    assert not judges_findings(["acknowledged_lost"])
