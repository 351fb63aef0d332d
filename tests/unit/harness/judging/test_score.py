import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.score import WEIGHTS, score
from harness.model.protocols import Status, Verdict

PLANNED = {
    "lost": "delivery",
    "duplicated": "integrity",
    "corrupted": "integrity",
    "fresh": "recovery",
}
STATUSES = st.sampled_from(list(Status))


def _verdicts(status=Status.PASS, **changed):
    return [Verdict(name, PLANNED[name], changed.get(name, status), "") for name in PLANNED]


def test_all_passes_score_exactly_one_hundred():
    result = score(PLANNED, _verdicts())

    assert (result.low, result.high, result.coverage) == (100, 100, 1)


def test_weights_of_unexamined_dimensions_are_scaled_away_and_named():
    result = score(PLANNED, _verdicts())

    assert [d.weight for d in result.dimensions] == pytest.approx([100 * w / 55 for w in (25, 15, 15)])
    assert result.not_examined == (
        "caller protection",
        "degradation",
        "confidentiality",
        "self-observability",
    )


def test_an_objective_shares_its_dimensions_weight_equally():
    result = score(PLANNED, _verdicts(duplicated=Status.FAIL))

    assert result.low == result.high == pytest.approx(100 - 100 * 7.5 / 55)


def test_a_warning_is_worth_half():
    assert score(PLANNED, _verdicts(lost=Status.WARN)).low == pytest.approx(100 - 50 * 25 / 55)


def test_what_is_unresolved_opens_the_interval():
    result = score(PLANNED, _verdicts(lost=Status.INCONCLUSIVE))

    assert result.low == pytest.approx(100 * 30 / 55)
    assert result.high == 100
    assert result.coverage == pytest.approx(30 / 55)


def test_the_worst_scenario_decides_an_objective():
    verdicts = [*_verdicts(), Verdict("lost", "delivery", Status.FAIL, "")]

    assert score(PLANNED, verdicts).high == pytest.approx(100 * 30 / 55)


def test_a_fail_beside_something_unresolved_is_resolved():
    verdicts = [
        *_verdicts(lost=Status.INCONCLUSIVE),
        Verdict("lost", "delivery", Status.FAIL, ""),
    ]
    result = score(PLANNED, verdicts)

    assert result.low == result.high
    assert result.coverage == 1


def test_a_planned_objective_without_any_verdict_is_unresolved():
    result = score(PLANNED, [v for v in _verdicts() if v.objective != "lost"])

    assert result.low < result.high == 100


def test_vetoes_are_collected_once():
    veto = Verdict("lost", "delivery", Status.FAIL, "", vetoes=("acknowledged loss",))

    assert score(PLANNED, [*_verdicts(), veto, veto]).vetoes == ("acknowledged loss",)


@given(st.lists(STATUSES, min_size=4, max_size=4))
def test_points_sum_to_the_score_and_the_interval_is_one(statuses):
    """Dimensions' points add up to the score; 0 ≤ low ≤ high ≤ 100; the denominator never moves."""
    verdicts = [Verdict(name, PLANNED[name], s, "") for name, s in zip(PLANNED, statuses, strict=True)]
    result = score(PLANNED, verdicts)

    assert result.low == pytest.approx(sum(row.low for d in result.dimensions for row in d.objectives))
    assert 0 <= result.low <= result.high <= 100
    assert sum(d.weight for d in result.dimensions) == pytest.approx(100)


@given(st.lists(STATUSES, min_size=4, max_size=4), st.integers(0, 3))
def test_turning_any_verdict_into_a_fail_never_raises_the_score(statuses, index):
    """Both ends of the interval are monotone in each verdict."""
    verdicts = [Verdict(name, PLANNED[name], s, "") for name, s in zip(PLANNED, statuses, strict=True)]
    failed = list(verdicts)
    failed[index] = Verdict(verdicts[index].objective, verdicts[index].dimension, Status.FAIL, "")

    assert score(PLANNED, failed).low <= score(PLANNED, verdicts).low
    assert score(PLANNED, failed).high <= score(PLANNED, verdicts).high


def test_a_dimension_of_a_plug_in_check_is_scored_with_the_least_weight():
    result = score(
        {**PLANNED, "own": "freshness"}, [*_verdicts(), Verdict("own", "freshness", Status.FAIL, "")]
    )

    own = result.dimensions[-1]
    assert own.dimension == "freshness"
    assert own.weight == pytest.approx(100 * 5 / 60)
    assert result.low == result.high == pytest.approx(100 * 55 / 60)


def test_a_run_with_nothing_but_a_plug_in_check_has_a_score():
    assert score({"own": "freshness"}, [Verdict("own", "freshness", Status.PASS, "")]).low == 100


def test_the_seven_dimensions_weigh_one_hundred():
    assert sum(WEIGHTS.values()) == 100
