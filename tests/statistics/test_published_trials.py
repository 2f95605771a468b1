"""Verdicts on published trials: by hand, by properties, and error rates in simulations."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.statistics._published_trials import (
    MAX_BOSCHLOO,
    few_successes_verdict,
    sequences_ratio,
    sequences_verdict,
    success_difference,
    success_verdict,
)


def flags(k, n):
    return [True] * k + [False] * (n - k)


def test_boschloo_by_brute_force():
    """The largest probability, over the common rate, of outcomes that Fisher's test puts as low."""
    k, n, j, m = 9, 12, 20, 20

    def fisher(a, b):
        low = stats.hypergeom.cdf(a, n + m, a + b, n)
        high = stats.hypergeom.sf(a - 1, n + m, a + b, n)
        return low, high

    observed = fisher(k, j)
    smallest = []
    for side in (0, 1):
        as_low = [
            (a, b)
            for a in range(n + 1)
            for b in range(m + 1)
            if fisher(a, b)[side] <= observed[side] * (1 + 1e-9)
        ]
        rates = np.linspace(0.001, 0.999, 1997)
        total = sum(stats.binom.pmf(a, n, rates) * stats.binom.pmf(b, m, rates) for a, b in as_low)
        smallest.append(total.max())
    difference = success_difference(flags(k, n), j, m)
    assert difference.p == pytest.approx(min(1, 2 * min(smallest)), rel=1e-3)
    assert difference.difference == pytest.approx(9 / 12 - 1)


def test_many_trials_are_compared_by_fishers_test():
    n, m = 300, 200
    assert n + m > MAX_BOSCHLOO
    difference = success_difference(flags(270, n), 195, m)
    table = [stats.hypergeom.pmf(a, n + m, 465, n) for a in range(n + 1)]
    observed = stats.hypergeom.pmf(270, n + m, 465, n)
    assert difference.p == pytest.approx(sum(p for p in table if p <= observed * (1 + 1e-7)))
    assert "Fisher" in success_verdict(difference).reason


@pytest.mark.parametrize(
    ("k", "n", "published", "word", "part"),
    [
        (18, 18, (18, 18), "reproduced", "at most 25 points"),
        (30, 30, (29, 30), "reproduced", "29 of 30 published trials"),
        (0, 20, (0, 18), "reproduced", "p = 1"),
        (0, 20, (18, 18), "not reproduced", "the rates differ"),
        (5, 10, (20, 20), "not reproduced", "95 % interval −76 to −19 points"),
        (30, 30, (10, 10), "cannot tell", "10 published trials are too few for that"),
        (1, 1, (1, 1), "cannot tell", "1 published trial is too few"),
        (10, 10, (18, 18), "cannot tell", "about 2 more seeds would do"),  # 3.84 / (n + 3.84)
        (0, 0, (18, 18), "cannot tell", "no seed to judge by"),
    ],
)
def test_verdicts_on_success_rates(k, n, published, word, part):
    verdict = success_verdict(success_difference(flags(k, n), *published))
    assert verdict.word == word and part in verdict.reason


def test_as_many_more_seeds_as_it_says_would_do():
    said = success_verdict(success_difference(flags(9, 10), 30, 30)).reason
    more = int(said.partition("about ")[2].partition(" more")[0])
    n = 10 + more
    after = success_verdict(success_difference(flags(round(0.9 * n), n), 30, 30))
    assert after.word == "reproduced"
    n -= 3
    before = success_verdict(success_difference(flags(round(0.9 * n), n), 30, 30))
    assert before.word == "cannot tell"


SAMPLE = np.exp(0.5 * np.random.default_rng(5).standard_normal(30))


def test_the_ratio_depends_on_neither_scale_nor_unsolved_seeds():
    ratio = sequences_ratio(SAMPLE, 1.3, 20)
    scaled = sequences_ratio(1000 * SAMPLE, 1300, 20)
    assert ratio.ratio == pytest.approx(SAMPLE.mean() / 1.3)
    for field in ("ratio", "low", "high", "p"):
        assert getattr(scaled, field) == pytest.approx(getattr(ratio, field))
    unsolved = sequences_ratio([math.nan, *SAMPLE, math.nan], 1.3, 20)
    assert unsolved == ratio and unsolved.n == 30


@pytest.mark.parametrize("published", [0.5, 0.8, 1.0, 1.2, 1.6, 2.5])
def test_the_p_value_and_the_interval_agree(published):
    ratio = sequences_ratio(SAMPLE, published, 10)
    assert (ratio.p <= 0.05) == (not ratio.low <= 1 <= ratio.high)
    assert ratio.low < ratio.ratio < ratio.high


def test_the_interval_of_many_values_is_that_of_the_normal_approximation():
    values = np.exp(0.3 * stats.norm.ppf((np.arange(400) + 0.5) / 400))
    ratio = sequences_ratio(values, 1.0, 400)
    error = math.sqrt(2 / 400) * values.std() / values.mean()
    assert math.log(ratio.high / ratio.ratio) == pytest.approx(1.96 * error, rel=0.07)
    assert math.log(ratio.ratio / ratio.low) == pytest.approx(1.96 * error, rel=0.07)


@pytest.mark.parametrize(
    ("values", "published", "trials", "word", "part"),
    [
        ([95, 100, 105] * 10, 101, 20, "reproduced", "Ours take 0.99 times as many"),
        ([95, 100, 105] * 10, 40, 20, "not reproduced", "Ours take 2.50 times as many sequences"),
        ([95, 100, 105] * 10, 250, 20, "not reproduced", "Ours take 0.40 times as many sequences"),
        ([50, 100, 800, 20, 130, 90], 250, 3, "cannot tell", "a factor of 2 is not excluded"),
        ([95, 100, 105, 100], 100, 20, "cannot tell", "4 seeds of ours solved it; it takes 5"),
        ([95], 100, 20, "cannot tell", "1 seed of ours"),
        ([], 100, 20, "cannot tell", "No seeds of ours"),
    ],
)
def test_verdicts_on_numbers_of_sequences(values, published, trials, word, part):
    verdict = sequences_verdict(sequences_ratio(values, published, trials))
    assert verdict.word == word and part in verdict.reason


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.1, 1000), min_size=2, max_size=30),
    st.integers(1, 60),
    st.floats(0.01, 100),
)
def test_few_successes_are_held_against_a_number_that_succeeded_surely(published, seeds, allowed):
    """The oracle counts the published trials themselves, of which only the mean is published."""
    mean = float(np.mean(published))
    within = sum(trial <= allowed for trial in published)
    verdict = few_successes_verdict(
        sequences_ratio([math.nan] * seeds, mean, len(published)), [False] * seeds, allowed
    )
    if verdict is not None:
        said = int(re.search(r"but (\d+) or more of", verdict.reason)[1])
        assert 0 < said <= within
        table = [[0, said], [seeds, len(published) - said]]
        assert stats.boschloo_exact(table).pvalue <= 0.05


def test_few_successes_by_hand():
    """20 trials of 31,000 on average: at most 2.07 of them took 300,000 or more."""
    ratio = sequences_ratio([math.nan] * 30, 31_000, 20)
    verdict = few_successes_verdict(ratio, [False] * 30, 300_000)
    assert verdict.reason.startswith(
        "0 of 30 seeds solved it within 300,000 sequences, but 18 or more of 20 published trials "
        "did, by their mean (Boschloo's exact test, p < 0.001)."
    )
    assert few_successes_verdict(ratio, [False] * 30, 31_000) is None  # none need to have
    assert few_successes_verdict(ratio, [True] * 30, 300_000) is None  # ours succeed as often
    assert few_successes_verdict(ratio, [], 300_000) is None


def false_alarms(sigma, trials, seeds, reports):
    """Returns the share of reports that call equal log-normal numbers different."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(reports):
        ours = np.exp(sigma * rng.standard_normal(seeds))
        theirs = np.exp(sigma * rng.standard_normal(trials))
        alarms += sequences_ratio(ours, theirs.mean(), trials).p <= 0.05
    return alarms / reports


def test_few_equal_numbers_are_called_different():
    """5 % of 200 reports, with three standard errors; drawing theirs alone would give 17 %."""
    assert false_alarms(0.8, 30, 30, 200) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.3, 0.8])
@pytest.mark.parametrize("trials", [10, 20, 30])
def test_about_five_to_seven_of_a_hundred_equal_numbers_are_called_different(sigma, trials):
    assert 0.03 <= false_alarms(sigma, trials, 30, 2000) <= 0.075
