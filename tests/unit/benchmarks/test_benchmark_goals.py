import pytest

from tests.benchmarks.paths.row import Row, reaches, table, verdict


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.9, "≥ 0.90", True),
        (0.89, "≥ 0.90", False),
        (5.0, "≤ 5", True),
        (5.1, "≤ 5", False),
        (41_000.0, "≥ 41,000", True),
        (40_999.0, "≥ 41,000", False),
        (2.5, "≤ 3 x", True),
        (2.5, "-", None),
        (2.5, "flat", None),
    ],
)
def test_a_figure_is_held_against_its_goal(value, goal, met):
    assert reaches(value, goal) is met


def test_the_median_decides_and_rounds_that_disagree_are_told():
    assert verdict([4.0, 4.5, 6.0], "≤ 5") == "met (2 of 3 rounds)"
    assert verdict([4.0, 5.5, 6.0], "≤ 5") == "missed (2 of 3 rounds)"
    assert verdict([4.0, 4.5, 4.9], "≤ 5") == "met"
    assert verdict([4.0, 4.5, 4.9], "-") == "-"


def test_rows_of_all_rounds_become_one_line_each():
    rounds = [Row("a", 1.0, "x", "≥ 0.90"), Row("b", 70_000.0, "", "-"), Row("a", 0.8, "x", "≥ 0.90")]

    assert table(rounds).splitlines()[2:] == [
        "| a | 0.90 x | 0.80 to 1.00 | ≥ 0.90 | met (1 of 2 rounds) |",
        "| b | 70,000 | one round | - | - |",
    ]
