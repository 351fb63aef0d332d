"""What is usual for a template: compared with the same numbers computed plainly."""

from __future__ import annotations

import json
import math
import random
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.coordination.learning.baseline import (
    BUCKET_SECONDS,
    NUMBERS_MAX,
    RATE_HALF_LIFE_SECONDS,
)
from logging_system.coordination.learning.baselines import Baselines
from logging_system.coordination.learning.parameter_numbers import numbers

NOON = 1_700_049_600.0
"""A day's twelve o'clock in UTC."""


def test_a_steady_stream_has_its_rate_and_no_bursts() -> None:
    baselines = Baselines()
    for tick in range(3_600):
        baselines.observe("t", NOON + tick / 2, "INFO")
    baseline = baselines.of("t")
    assert baseline is not None

    assert baseline.per_second(NOON + 1_800) == pytest.approx(2)
    assert baseline.bucket_deviation(NOON + 1_800) == pytest.approx(0, abs=1e-6)
    assert baseline.burstiness(NOON + 1_800) == pytest.approx(0, abs=1e-9)
    assert baseline.gap_seconds == pytest.approx(0.5)
    assert baseline.gap_spread == pytest.approx(1)
    assert baseline.buckets_known(NOON + 1_800) > 100


def test_independent_records_have_a_burstiness_of_one_and_bursts_more() -> None:
    drawn = random.Random(3)
    baselines = Baselines()
    moment = NOON
    for _ in range(20_000):
        moment += drawn.expovariate(2)
        baselines.observe("poisson", moment, "INFO")
    for burst in range(400):
        for _ in range(50):
            baselines.observe("bursts", NOON + burst * 25, "INFO")
    poisson, bursts = baselines.of("poisson"), baselines.of("bursts")
    assert poisson is not None
    assert bursts is not None

    assert poisson.burstiness(moment) == pytest.approx(1, abs=0.25)
    assert poisson.bucket_mean(moment) == pytest.approx(20, rel=0.1)
    assert bursts.burstiness(NOON + 10_000) > 10


def test_the_rate_is_that_of_all_buckets_with_the_older_weighing_less() -> None:
    drawn = random.Random(4)
    counts = [drawn.choice([0, 0, 1, 5, 20]) for _ in range(200)]
    baselines = Baselines()
    baselines.observe("t", NOON, "INFO")
    for place, count in enumerate(counts):
        for _ in range(count):
            baselines.observe("t", NOON + place * BUCKET_SECONDS + 1, "INFO")
    counts[0] += 1

    weights = [0.5 ** ((199 - place) * BUCKET_SECONDS / RATE_HALF_LIFE_SECONDS) for place in range(200)]
    mean = sum(w * c for w, c in zip(weights, counts, strict=True)) / sum(weights)
    squares = sum(w * c * c for w, c in zip(weights, counts, strict=True)) / sum(weights)

    baseline = baselines.of("t")
    assert baseline is not None
    assert baseline.bucket_mean(NOON + 2_000) == pytest.approx(mean)
    assert baseline.bucket_deviation(NOON + 2_000) == pytest.approx(math.sqrt(squares - mean**2))


def test_silence_lowers_the_rate_by_half_in_its_half_life() -> None:
    baselines = Baselines()
    for tick in range(36_000):
        baselines.observe("t", NOON + tick, "INFO")
    baseline = baselines.of("t")
    assert baseline is not None

    usual = baseline.per_second(NOON + 36_000)

    assert usual == pytest.approx(1)
    assert baseline.per_second(NOON + 36_000 + RATE_HALF_LIFE_SECONDS) == pytest.approx(0.5, rel=0.01)
    assert baseline.per_second(NOON + 36_000) == usual  # to ask changes nothing


def test_late_records_are_counted_and_are_no_burst() -> None:
    baselines = Baselines()
    for tick in range(1_000):
        baselines.observe("t", NOON + tick, "INFO")
    for _ in range(500):
        baselines.observe("t", NOON - 3_600, "INFO")
    baseline = baselines.of("t")
    assert baseline is not None

    assert (baseline.count, baseline.late) == (1_500, 500)
    assert (baseline.first_seconds, baseline.last_seconds) == (NOON - 3_600, NOON + 999)
    assert baseline.per_second(NOON + 1_000) == pytest.approx(1)


def test_an_hour_of_the_day_in_which_more_comes_is_known() -> None:
    baselines = Baselines()
    for day in range(3):
        for minute in range(24 * 60):
            moment = NOON + day * 86_400 + minute * 60
            baselines.observe("other", moment, "INFO")
            for _ in range(10 if moment % 86_400 // 3_600 == 14 else 1):
                baselines.observe("t", moment, "INFO")

    busy, quiet = baselines.hour_factor("t", NOON + 2 * 3_600), baselines.hour_factor("t", NOON)

    mean = (23 + 10) / 24
    assert 0.5 * 10 / mean < busy <= 10 / mean
    assert 1 / mean <= quiet < 1
    assert baselines.hour_factor("other", NOON + 2 * 3_600) == pytest.approx(1, rel=0.02)
    assert baselines.hour_factor("unknown", NOON) == 1


def test_levels_have_their_shares_and_too_many_are_one() -> None:
    baselines = Baselines()
    for number in range(100):
        baselines.observe("t", NOON, "ERROR" if number < 25 else "INFO")
        baselines.observe("odd", NOON, f"level-{number}")
    baseline, odd = baselines.of("t"), baselines.of("odd")
    assert baseline is not None
    assert odd is not None

    assert baseline.level_shares() == {"ERROR": 0.25, "INFO": 0.75}
    assert len(odd.levels) == 9
    assert odd.level_shares()["other"] == pytest.approx(0.92)


def test_the_numbers_of_a_template_have_quantiles() -> None:
    drawn = random.Random(5)
    baselines = Baselines()
    taken = [drawn.lognormvariate(3, 0.5) for _ in range(2_000)]
    for value in taken:
        baselines.observe("t", NOON, "INFO", (math.nan, value, *range(10)))
    baseline = baselines.of("t")
    assert baseline is not None

    assert baseline.quantile(1, 0.5) == pytest.approx(statistics.median(taken), rel=0.1)
    assert math.isnan(baseline.quantile(0, 0.5))
    assert len(baseline.sketches) == NUMBERS_MAX


def test_what_is_old_weighs_less_after_days() -> None:
    baselines = Baselines()
    for _ in range(1_000):
        baselines.observe("t", NOON, "ERROR", (10.0,))
    for _ in range(100):
        baselines.observe("t", NOON + 30 * 86_400, "INFO", (1_000.0,))
    baseline = baselines.of("t")
    assert baseline is not None

    assert baseline.level_shares()["INFO"] > 0.6
    assert baseline.quantile(0, 0.5) == pytest.approx(1_000, rel=0.1)


def test_the_one_that_came_least_recently_makes_room() -> None:
    baselines = Baselines(templates_max=2)
    for identity in ("a", "b", "a", "c"):
        baselines.observe(identity, NOON, "INFO", (1.0,))

    assert baselines.of("b") is None
    assert len(baselines) == 2
    assert baselines.given_up == 1
    assert baselines._sketches == 2


def test_too_many_numbers_are_not_kept() -> None:
    baselines = Baselines(sketches_max=3)
    for identity in ("a", "b", "c"):
        baselines.observe(identity, NOON, "INFO", (1.0, 2.0))

    kept = [sum(it is not None for it in known.sketches) for known in baselines._by_id.values()]
    assert kept == [2, 1, 0]


def test_what_is_kept_moves_when_templates_become_one() -> None:
    baselines = Baselines()
    for tick in range(1_000):
        baselines.observe("a", NOON + tick, "INFO", (1.0,))
        baselines.observe("b", NOON + tick, "INFO", (1.0,))

    baselines.rename({"b": "a", "never seen": "a"})

    baseline = baselines.of("a")
    assert baseline is not None
    assert baselines.of("b") is None
    assert baseline.count == 2_000
    assert baseline.per_second(NOON + 1_000) == pytest.approx(2)
    assert baselines._sketches == 1


def test_two_that_watched_parts_of_one_stream_know_its_rate_and_its_variance() -> None:
    drawn = random.Random(6)
    parts, whole = [Baselines(), Baselines()], Baselines()
    moment = NOON
    for _ in range(20_000):
        moment += drawn.expovariate(2)
        for baselines in (drawn.choice(parts), whole):
            baselines.observe("t", moment, "INFO")

    merged, seen = parts[0].merged(parts[1]).of("t"), whole.of("t")

    assert merged is not None
    assert seen is not None
    assert merged.bucket_mean(moment) == pytest.approx(seen.bucket_mean(moment), rel=0.01)
    assert merged.bucket_deviation(moment) == pytest.approx(seen.bucket_deviation(moment), rel=0.1)


_OBSERVED = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.floats(0, 400_000),
        st.sampled_from(["INFO", "ERROR"]),
        st.lists(st.floats(0, 1e6), max_size=2),
    ),
    max_size=12,
)
Observed = list[tuple[str, float, str, list[float]]]


def watched(observed: Observed) -> Baselines:
    baselines = Baselines()
    for identity, seconds, level, values in observed:
        baselines.observe(identity, NOON + seconds, level, values)
    return baselines


def flat(content: object) -> list[object]:
    if isinstance(content, dict):
        return [each for key in sorted(content) for each in (key, *flat(content[key]))]
    if isinstance(content, list | tuple):
        return [each for item in content for each in flat(item)]
    return [content]


def without_variance(baselines: Baselines) -> dict[str, Any]:
    content = baselines.content()
    for it in content["templates"].values():
        del it["counts"][2]
    return content


def assert_alike(one: object, other: object) -> None:
    for mine, theirs in zip(flat(one), flat(other), strict=True):
        if isinstance(mine, float) and isinstance(theirs, float):
            assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-6)
        else:
            assert mine == theirs


@settings(max_examples=20)
@given(_OBSERVED, _OBSERVED, _OBSERVED)
def test_three_parts_give_the_same_in_every_order(one: Observed, two: Observed, three: Observed) -> None:
    """But for the last digits of sums of fractions, and for the variance of counts, see below."""
    a, b, c = watched(one), watched(two), watched(three)
    before = json.dumps(a.content())

    assert_alike(a.merged(b).content(), b.merged(a).content())
    all_three = without_variance(a.merged(b).merged(c))
    assert_alike(all_three, without_variance(a.merged(b.merged(c))))
    assert_alike(all_three, without_variance(c.merged(a).merged(b)))
    assert json.dumps(a.content()) == before


@settings(max_examples=20)
@given(_OBSERVED, _OBSERVED)
def test_a_restart_loses_nothing(one: Observed, two: Observed) -> None:
    before = watched(one)
    after = Baselines.restored(json.loads(json.dumps(before.content())))
    for identity, seconds, level, values in two:
        before.observe(identity, NOON + seconds, level, values)
        after.observe(identity, NOON + seconds, level, values)

    assert after.content() == before.content()


@pytest.mark.parametrize("content", [{}, {"form": 1}, {"form": 1, "templates_max": 1, "templates": []}])
def test_what_is_no_content_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="start without it"):
        Baselines.restored(content)


def test_parameters_are_numbers_in_seconds_and_bytes() -> None:
    found = numbers(("5", "20 ms", "1.5 KB", "3 min", "<1 sec", "-2e3", "10.0.0.1:80", "blk_7", "x" * 99))

    assert found[:6] == pytest.approx((5, 0.02, 1_536, 180, 1, -2_000))
    assert all(map(math.isnan, found[6:]))
