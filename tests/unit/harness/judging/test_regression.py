"""What a comparison with a baseline may say, and how often it is wrong, on literal and on drawn samples."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.regression import (
    CONTROL,
    RegressionRules,
    Rise,
    compare,
    judge_regression,
    judged_anew,
    looks,
    order,
    parse_rise,
    regression_status,
    repeats_needed,
    said,
)
from harness.model.protocols import Status
from harness.model.result import Regression, Sampled

TEN_PERCENT = RegressionRules({"m": Rise(0.10, is_share=True)})
BEFORE = (100.0, 101.0, 99.0, 100.5)


def sampled(before, after, objective="m", scenario="s", unit="ms", alone=()):
    return Sampled(scenario, objective, unit, tuple(before), tuple(after), tuple(alone))


def compared(before, after, rules=TEN_PERCENT, **more):
    return compare(sampled(before, after, **more), rules, 1, Random(1), 1_000)


def times(factor, values=BEFORE):
    return tuple(round(factor * value, 6) for value in values)


@pytest.mark.parametrize(
    ("factor", "status"),
    [(0.5, Status.PASS), (1.0, Status.PASS), (1.05, Status.PASS), (1.2, Status.FAIL), (3.0, Status.FAIL)],
)
def test_what_lies_clear_of_the_limit_is_decided(factor, status):
    found = compared(BEFORE, times(factor))

    assert found.status is status
    assert found.rise == pytest.approx(factor - 1)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.rise <= found.high


def test_what_straddles_the_limit_is_inconclusive():
    found = compared(BEFORE, (105.0, 115.0, 108.0, 112.0))

    assert found.status is Status.INCONCLUSIVE
    assert "straddles" in found.summary


def test_one_lucky_run_does_not_hide_a_regression_nor_one_bad_run_make_one():
    """The median is compared, never the best; but one run that stands out leaves four runs undecided."""
    lucky = compared(BEFORE, (100.0, 130.0, 131.0, 129.0))
    unlucky = compared(BEFORE, (100.0, 100.0, 100.0, 300.0))

    assert lucky.status is Status.INCONCLUSIVE
    assert unlucky.status is not Status.FAIL


def test_halves_that_disagree_are_inconclusive_whatever_the_interval_says():
    """Four of a kind in the first places and four of another in the last: the machine drifted."""
    before = (100.0, 160.0) * 4
    after = (150.0, 190.0) * 4

    assert compared(before, after).status is Status.INCONCLUSIVE


def test_a_rise_within_the_noise_of_the_baseline_alone_is_inconclusive():
    """What the baseline does to itself before any candidate ran is no candidate's doing."""
    calm = compared(BEFORE, times(1.2))
    noisy = compared(BEFORE, times(1.2), alone=(100.0, 150.0, 70.0, 160.0, 65.0, 155.0))

    assert calm.status is Status.FAIL
    assert noisy.status is Status.INCONCLUSIVE
    assert "noise" in noisy.summary


@pytest.mark.parametrize("missing", [(None, 101.0, 99.0, 100.0), (), (100.0, 101.0, 99.0)])
def test_too_few_values_are_never_a_pass(missing):
    assert compared(BEFORE, missing).status is Status.INCONCLUSIVE
    assert compared(missing, BEFORE).status is Status.INCONCLUSIVE


def test_no_share_of_nothing_is_taken_and_an_amount_is():
    none, some = (0.0,) * 4, (2.0,) * 4
    amount = RegressionRules({"m": Rise(1, is_share=False)})

    assert compared(none, none).status is Status.PASS
    assert 'm: "+1"' in compared(none, some).summary
    assert compared(none, some, amount).status is Status.FAIL
    assert compared(none, none, amount).status is Status.PASS


def test_where_the_control_rose_as_much_a_recorded_baseline_blames_nobody():
    slower = sampled((10.0,) * 4, (15.0,) * 4)
    machine = sampled((1.0,) * 4, (2.2,) * 4, CONTROL)
    calm = sampled((1.0,) * 4, (1.1,) * 4, CONTROL)

    def status(control, interleaved):
        found = judge_regression((slower, control), TEN_PERCENT, Random(1), interleaved=interleaved)
        return regression_status(found)

    assert status(calm, False) is Status.FAIL
    assert status(machine, False) is Status.INCONCLUSIVE
    assert status(machine, True) is Status.FAIL


def test_nothing_compared_is_inconclusive():
    assert regression_status(()) is Status.INCONCLUSIVE
    assert (
        judge_regression((sampled(BEFORE, BEFORE, "other"),), TEN_PERCENT, Random(1), interleaved=True) == ()
    )


def test_the_worst_comparison_is_the_answer():
    fails, passes = compared(BEFORE, times(2)), compared(BEFORE, BEFORE)
    open_one = compared(BEFORE, ())

    assert regression_status((passes, open_one)) is Status.INCONCLUSIVE
    assert regression_status((passes, open_one, fails)) is Status.FAIL


def test_a_result_is_judged_anew_by_other_limits():
    samples = (sampled(BEFORE, times(1.2)),)
    comparisons = judge_regression(samples, TEN_PERCENT, Random(1), interleaved=True)
    found = Regression(Status.FAIL, "old", interleaved=True, samples=samples, comparisons=comparisons)
    lenient = RegressionRules({"m": Rise(0.5, is_share=True)})

    anew = judged_anew(found, lenient, Random(1))

    assert anew is not None
    assert anew.status is Status.PASS


def test_a_comparison_is_told_with_its_numbers_and_its_reason():
    told = said(compared(BEFORE, (105.0, 115.0, 108.0, 112.0)), 0.95)

    assert told.startswith("m in s: median 100.2 → 110 ms, +9.73 % (")
    assert "+10% allowed: the interval straddles the limit." in told


@pytest.mark.parametrize(
    ("text", "rise"),
    [
        ("+10%", Rise(0.10, is_share=True)),
        ("+ 2.5 %", Rise(0.025, is_share=True)),
        ("+2.5%", Rise(0.025, is_share=True)),
        ("+5", Rise(5, is_share=False)),
        ("10%", None),
        ("-10%", None),
        ("+10 ms", None),
        ("", None),
    ],
)
def test_a_rise_is_a_share_or_an_amount(text, rise):
    assert parse_rise(text) == rise


@given(st.integers(0, 10**9), st.integers(0, 999), st.booleans())
def test_a_rise_is_read_as_it_is_written(whole, thousandths, is_share):
    """Text → Rise → text → Rise: the same rise, whatever its size."""
    rise = parse_rise(f"+{whole}.{thousandths:03}{'%' if is_share else ''}")

    assert rise is not None
    assert parse_rise(str(rise)) == rise


# --- how many runs, in which order -----------------------------------------------------------------------


@given(st.integers(1, 50))
def test_each_version_runs_equally_often_and_in_turn(repeats):
    """Both letters `repeats` times; in each ABBA or BAAB the two have the same mean place."""
    places = order(repeats)

    assert (places.count("A"), places.count("B")) == (repeats, repeats)
    for start in range(0, 4 * (repeats // 2), 4):
        block = places[start : start + 4]
        assert block in {"ABBA", "BAAB"}


def test_fewer_runs_than_could_decide_are_never_asked_for():
    assert repeats_needed(TEN_PERCENT, 1) == 4
    assert repeats_needed(RegressionRules({}, 0.95, 3), 1) == 3
    assert repeats_needed(RegressionRules({}, 0.95, 2), 1) == 3  # one more than allowed: it cannot be decided
    assert repeats_needed(RegressionRules({}, 0.6, 2), 1) == 2
    assert looks(4, 7) == (4, 6, 7)
    assert looks(4, 4) == (4,)


@given(st.integers(1, 40), st.integers(2, 20), st.floats(0.5, 0.999))
def test_more_comparisons_never_need_fewer_runs(compared_count, repeats_max, confidence):
    rules = RegressionRules({}, confidence, repeats_max)

    assert repeats_needed(rules, compared_count) <= repeats_needed(rules, compared_count + 1)


# --- properties ------------------------------------------------------------------------------------------

values = st.lists(st.floats(0.1, 1e6), min_size=4, max_size=7)


@given(values, values, st.integers(0, 1_000))
def test_the_same_samples_and_seed_give_the_same_answer(before, after, seed):
    """Pure: nothing but the arguments decides."""
    one, other = (compare(sampled(before, after), TEN_PERCENT, 1, Random(seed), 50) for _ in range(2))

    assert one == other


@given(values, st.floats(1e-3, 1e3), st.sampled_from([0.9, 1.0, 1.3]))
def test_a_share_does_not_depend_on_the_unit(before, unit, factor):
    """Milliseconds or seconds: the same status."""

    def status(scale):
        mine = [scale * value for value in before]
        return compare(sampled(mine, [factor * value for value in mine]), TEN_PERCENT, 1, Random(3), 100).rise

    assert status(1.0) == pytest.approx(status(unit))


@given(values, values)
def test_a_version_that_is_nowhere_slower_never_fails(before, after):
    """Where each run of the candidate is at most the baseline's fastest, there is no regression."""
    fast = [min(before) * value / max(after) for value in after]

    assert compared(before, fast).status is not Status.FAIL


# --- how often it is wrong -------------------------------------------------------------------------------


def _verdict(rng, draw, factor):
    """Compare as a run does: a look after each round, until there is an answer."""
    before: list[float] = []
    after: list[float] = []
    places = order(TEN_PERCENT.max_repeats)
    alone = [draw(rng), draw(rng)]
    for repeats in looks(4, TEN_PERCENT.max_repeats):
        for place in places[len(before) + len(after) : 2 * repeats]:
            if place == "A":
                before.append(draw(rng))
            else:
                after.append(factor * draw(rng))
        found = compare(sampled(before, after, alone=alone), TEN_PERCENT, 1, rng, 200)
        if found.status is not Status.INCONCLUSIVE:
            break
    return found.status


def _calm(rng):
    return rng.gauss(100, 3)


def _noisy(rng):
    return max(1.0, rng.gauss(100, 15))


def _neighboured(rng):
    """Steady but for one run in seven that a neighbour makes up to twice as long."""
    return 100 * (1 + abs(rng.gauss(0, 0.03))) * (1 + (rng.random() < 1 / 7) * rng.random())


@pytest.mark.slow
@pytest.mark.parametrize("draw", [_calm, _noisy, _neighboured])
def test_no_more_false_regressions_than_the_confidence_leaves(draw):
    """At the limit itself, where a FAIL is as wrong as it can be, and without any change."""
    rng = Random(7)
    trials = 150
    at_limit = [_verdict(rng, draw, 1.10) for _ in range(trials)].count(Status.FAIL)
    no_change = [_verdict(rng, draw, 1.0) for _ in range(trials)].count(Status.FAIL)

    assert at_limit <= 0.05 * trials
    assert no_change <= 0.01 * trials


@pytest.mark.slow
def test_a_planted_regression_is_found_where_the_machine_is_calm():
    rng = Random(8)

    assert [_verdict(rng, _calm, 1.2) for _ in range(100)].count(Status.FAIL) >= 90
    assert [_verdict(rng, _calm, 1.0) for _ in range(100)].count(Status.PASS) >= 90


@pytest.mark.slow
@pytest.mark.parametrize("draw", [_calm, _noisy, _neighboured])
def test_the_interval_covers_the_true_rise_as_often_as_it_says(draw):
    """Seven runs a side, a rise of 20 %: the interval of one look holds it in 95 % of the cases or more."""
    rng = Random(9)
    covered = 0
    trials = 200
    for _ in range(trials):
        before = [draw(rng) for _ in range(7)]
        after = [1.2 * draw(rng) for _ in range(7)]
        found = compare(sampled(before, after), TEN_PERCENT, 1, rng, 300)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.2 <= found.high

    assert covered >= 0.95 * trials
