"""Calibration of tests and intervals on simulated scores: error rates, coverage and widths."""

import math

import numpy as np
import pytest
from scipy import stats

from lstm_bench.statistics import _paired as paired
from lstm_bench.statistics import _unpaired as unpaired
from lstm_bench.statistics._comparison_question import DEFAULT_MARGIN
from lstm_bench.statistics._estimates import mean_interval, solve_rate
from lstm_bench.statistics._multiplicity import holm_correction
from lstm_bench.statistics._paired import (
    difference_verdict,
    paired_mean_difference,
    paired_rate_difference,
)
from lstm_bench.statistics._survival import epochs_difference

# Generators of scores of equal recipes, of shape (recipes, seeds).
EQUAL = {
    "smooth": lambda rng, shape: 0.8 + 0.05 * rng.normal(size=shape),
    "shared": lambda rng, shape: 0.8 + 0.05 * (rng.normal(size=shape[1]) + rng.normal(size=shape)),
    "half solved": lambda rng, shape: np.where(rng.random(shape) < 0.5, 1.0, 0.875),
    "mostly solved": lambda rng, shape: np.where(rng.random(shape) < 0.9, 1.0, 0.5),
    "two noisy modes": lambda rng, shape: (
        np.where(rng.random(shape) < 0.7, 0.97, 0.6) + 0.01 * rng.normal(size=shape)
    ),
}


def means(scores, n):
    return [paired_mean_difference(row, scores[0]) for row in scores[1:]]


def rates(scores, n):
    solved = scores > (scores.min() + scores.max()) / 2
    return [paired_rate_difference(row, solved[0]) for row in solved[1:]]


def unpaired_means(scores, n):
    """Returns the differences of means as if no two recipes had a seed in common."""
    return [unpaired.unpaired_mean_difference(row, scores[0]) for row in scores[1:]]


def epochs(scores, n):
    """Returns the differences in epochs to solve: a higher score is solved sooner."""
    solved = scores > (scores.min() + scores.max()) / 2
    times = np.where(solved, np.round(1000 * (1.3 - scores)), np.nan).tolist()
    return [epochs_difference(row, times[0], (900, 900)) for row in times[1:]]


def wrong_reports(kind, compare, n, reports, comparisons=4):
    """Returns the number of reports that call any of their equal recipes different."""
    rng = np.random.default_rng(n)
    wrong = 0
    for _ in range(reports):
        differences = compare(EQUAL[kind](rng, (comparisons + 1, n)), n)
        corrected = holm_correction([difference.p for difference in differences])
        verdicts = [
            difference_verdict(difference, p, DEFAULT_MARGIN)
            for difference, p in zip(differences, corrected, strict=True)
        ]
        wrong += "real" in verdicts
    return wrong


def at_most_five_percent(wrong, total):
    """Returns whether `wrong` of `total` is consistent with an error rate of at most 5 %."""
    return stats.binom.sf(wrong - 1, total, 0.05) > 0.01


@pytest.mark.long
@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("kind", EQUAL)
@pytest.mark.parametrize("compare", [means, rates], ids=["means", "rates"])
def test_equal_recipes_are_called_different_in_few_reports(kind, compare, n, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 499)
    assert at_most_five_percent(wrong_reports(kind, compare, n, 60), 60)


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("kind", EQUAL)
@pytest.mark.parametrize(
    "compare", [means, rates, unpaired_means, epochs], ids=lambda compare: compare.__name__
)
def test_equal_recipes_are_called_different_in_few_of_many_reports(kind, compare, n, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 499)
    monkeypatch.setattr(unpaired, "RESAMPLES", 499)
    wrong = wrong_reports(kind, compare, n, 200)
    print(f"{compare.__name__}, {kind}, {n} seeds: {wrong / 200:.1%} of reports")
    assert at_most_five_percent(wrong, 200)


def modes(share, high, low, noise=0.0):
    """Returns a generator of scores of which `share` are in the higher mode, and their mean."""

    def draw(rng, shape):
        scores = np.where(rng.random(shape) < share, high, low) + noise * rng.normal(size=shape)
        return np.clip(scores, 0, 1) if high < 1 else scores

    return draw, share * high + (1 - share) * low


# Scores in [0, 1]: their generator, and their true mean.
SCORES = {
    "normal": (lambda rng, shape: 0.8 + 0.05 * rng.normal(size=shape), 0.8),
    "skewed, Beta(8, 2)": (lambda rng, shape: rng.beta(8, 2, shape), 0.8),
    "skewed, Beta(5, 1)": (lambda rng, shape: rng.beta(5, 1, shape), 5 / 6),
    "very skewed, 1 - Exp(0.1)": (lambda rng, shape: 1 - rng.exponential(0.1, shape), 0.9),
    "50 % solved": modes(0.5, 1.0, 0.5),
    "90 % solved": modes(0.9, 1.0, 0.5),
    "50 % solved, noisy": modes(0.5, 0.97, 0.6, 0.01),
    "90 % solved, noisy": modes(0.9, 0.97, 0.6, 0.01),
}


def oracle_width(name, n):
    """Returns the least width of an interval that knows the kind of scores, but not the mean.

    For scores of two modes that of Wilson's interval for the rate, averaged over the samples that
    have both; for others that of a normal distribution with the known standard deviation.
    """
    if "solved" in name:
        rate, gap = (0.5 if "50" in name else 0.9), (0.37 if "noisy" in name else 0.5)
        k = np.arange(1, n)
        mass = stats.binom.pmf(k, n, rate)
        intervals = [solve_rate(np.arange(n) < count) for count in k]
        widths = [interval.high - interval.low for interval in intervals]
        return gap * float(mass @ widths) / float(mass.sum())
    beta = {"skewed, Beta(8, 2)": (8, 2), "skewed, Beta(5, 1)": (5, 1)}
    std = 0.05 if name == "normal" else 0.1
    std = float(stats.beta(*beta[name]).std()) if name in beta else std
    return 2 * 1.96 * std / math.sqrt(n)


def covered(name, n, samples):
    """Returns how many intervals cover the mean, how many there are, and their mean width."""
    draw, truth = SCORES[name]
    drawn = draw(np.random.default_rng(n), (samples, n))
    means = [mean_interval(row, 0.0, 1.0) for row in drawn]
    defined = [mean for mean in means if not math.isnan(mean.low)]
    hits = sum(mean.low <= truth <= mean.high for mean in defined)
    width = float(np.mean([mean.high - mean.low for mean in defined]))
    return hits, len(defined), width


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("name", SCORES)
def test_intervals_of_means_cover_the_mean_and_are_not_too_wide(name, n):
    hits, defined, width = covered(name, n, 1500)
    assert stats.binom.cdf(hits, defined, 0.93) > 0.01  # consistent with 93 % or more
    assert defined / 1500 > 0.6
    # Not knowing the standard deviation alone costs 12 % with 10 seeds.
    assert width < (1.5 if n == 10 else 1.2) * oracle_width(name, n)


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("name", SCORES)
def test_intervals_of_means_cover_in_many_samples(name, n):
    hits, defined, width = covered(name, n, 20_000)
    oracle = oracle_width(name, n)
    print(
        f"{name}, {n} seeds: {hits / defined:.1%} covered, {width:.3f} wide (oracle {oracle:.3f}),"
    )
    print(f"  {1 - defined / 20_000:.1%} without")
    assert hits / defined >= 0.93


@pytest.mark.parametrize(
    ("n", "rate", "expected"),
    [
        (10, 0.5, 0.9785),
        (10, 0.9, 0.9298),  # the closest to 93 % with ten seeds: the next outcome would give 98.7 %
        (10, 1.0, 1.0),
        (30, 0.5, 0.9572),
        (30, 0.9, 0.9742),
        (30, 1.0, 1.0),
    ],
)
def test_the_exact_coverage_of_wilsons_intervals(n, rate, expected):
    k = np.arange(n + 1)
    rates = [solve_rate(np.arange(n) < count) for count in k]
    hit = [row.low <= rate + 1e-12 and rate <= row.high + 1e-12 for row in rates]
    assert stats.binom.pmf(k, n, rate)[hit].sum() == pytest.approx(expected, abs=5e-5)
    # No wider than those of Clopper and Pearson (1934), whose coverage is always at least 95 %.
    for interval in rates:
        exact = stats.binomtest(interval.k, n).proportion_ci(method="exact")
        assert interval.high - interval.low <= exact.high - exact.low


def test_a_few_nearly_perfect_seeds_have_no_interval():
    # A third of the samples of ten have no failing seed if every tenth fails, so they cannot cover.
    draw, truth = SCORES["90 % solved, noisy"]
    drawn = draw(np.random.default_rng(0), (400, 10))
    blind = drawn.min(axis=1) > 0.8
    assert 0.25 < blind.mean() < 0.45
    assert all(math.isnan(mean_interval(row, 0, 1).low) for row in drawn[blind])
    assert all(mean_interval(row, 0, 1).low < truth for row in drawn[~blind])
