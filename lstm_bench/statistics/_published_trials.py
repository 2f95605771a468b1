"""Verdicts on published trials: their success rate and their number of training sequences.

A paper may report n trials, of which k succeeded, and the mean number of training sequences that
the successful ones took, without their spread. All thresholds are constants of this module.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lstm_bench.statistics._paired import ALPHA, MAX_ADDITIONAL_SEEDS
from lstm_bench.statistics._reproduction import Verdict
from lstm_bench.statistics._unpaired import newcombe_interval

RATE_MARGIN = 0.25
"""Success rates are reproduced if the interval of their difference excludes larger differences."""
RATIO_MARGIN = 2.0
"""Training sequences are reproduced if the interval of their ratio excludes larger factors."""
MIN_SUCCESSES = 5
"""The fewest successful seeds of ours whose spread can stand for that of the published trials."""
MAX_BOSCHLOO = 400
"""With more trials and seeds than this in all, Fisher's exact test replaces Boschloo's."""
DRAWS = 4000
"""Simulated pairs of means. Each of them draws from the seeds again."""
SMOOTHING = 0.5
"""What is added to a value that is drawn, in standard deviations of the logarithms."""
MAX_DRAWN = 1000
"""More trials than this are drawn as this many, which makes the interval wider, if anything."""


@dataclass(frozen=True)
class SuccessDifference:
    """Our success rate minus the published one, with a 95 % interval and an exact p value."""

    k: int
    n: int
    published_k: int
    published_n: int
    difference: float
    low: float
    high: float
    p: float
    test: str  # the name of the test


@dataclass(frozen=True)
class SequencesRatio:
    """Our mean number of training sequences divided by the published one.

    `n` are our successful seeds. `low` and `high` are the 95 % interval of the ratio and `p` its
    two-sided p value; all three are NaN with fewer than `MIN_SUCCESSES` seeds, and the ratio is
    without any.
    """

    n: int
    mean: float
    published: float
    trials: int  # the published trials that succeeded
    ratio: float
    low: float
    high: float
    p: float


def success_difference(
    solved: Sequence[bool] | np.ndarray, published_k: int, published_n: int
) -> SuccessDifference:
    """Returns how our success rate differs from `published_k` of `published_n` trials.

    The interval is Newcombe's, the p value that of Boschloo's exact test (1970) or, with more than
    `MAX_BOSCHLOO` trials, of Fisher's. Without seeds, everything is NaN.

    >>> success_difference([True] * 20, 20, 20)
    SuccessDifference(k=20, n=20, ..., difference=0.0, low=-0.16..., high=0.16..., p=1.0, ...)
    """
    flags = np.asarray(solved, dtype=bool)
    k, n = int(flags.sum()), len(flags)
    test = "Boschloo's exact test" if n + published_n <= MAX_BOSCHLOO else "Fisher's exact test"
    if not n:
        nan = math.nan
        return SuccessDifference(0, 0, published_k, published_n, nan, nan, nan, nan, test)
    low, high = newcombe_interval(k, n, published_k, published_n)
    table = [[k, published_k], [n - k, published_n - published_k]]
    if k + published_k in (0, n + published_n):
        p = 1.0
    elif n + published_n <= MAX_BOSCHLOO:
        p = min(1.0, float(stats.boschloo_exact(table).pvalue))
    else:
        p = float(stats.fisher_exact(np.array(table))[1])
    difference = k / n - published_k / published_n
    return SuccessDifference(k, n, published_k, published_n, difference, low, high, p, test)


def success_verdict(difference: SuccessDifference) -> Verdict:
    """Returns whether our seeds succeed as often as the published trials.

    `not reproduced`: the rates differ at the 5 % level. `reproduced`: they do not, and the whole
    interval of the difference lies within `RATE_MARGIN`.

    >>> success_verdict(success_difference([True] * 20, 20, 20)).word
    'reproduced'
    >>> success_verdict(success_difference([False] * 20, 20, 20)).word
    'not reproduced'
    """
    d = difference
    if not d.n:
        return Verdict("cannot tell", "There is no seed to judge by.")
    counts = f"{d.k} of {d.n} seeds and {d.published_k} of {d.published_n} published trials succeed"
    interval = f"95 % interval {_points(d.low)} to {_points(d.high)} points"
    if d.p <= ALPHA:
        reason = f"{counts}: the rates differ ({d.test}, {_p_text(d.p)}; {interval})."
        return Verdict("not reproduced", reason)
    margin = f"{100 * RATE_MARGIN:.0f} points"
    equal = f"{counts}: no difference at the 5 % level ({d.test}, {_p_text(d.p)})"
    if d.low >= -RATE_MARGIN and d.high <= RATE_MARGIN:
        return Verdict("reproduced", f"{equal}, and at most {margin} ({interval}).")
    more = _more_seeds(d)
    rest = f"about {more} more seeds would do"
    if more is None:
        trials = "trial is" if d.published_n == 1 else "trials are"
        rest = f"{d.published_n} published {trials} too few for that, however many seeds we run"
    elif more == 1:
        rest = "about 1 more seed would do"
    return Verdict("cannot tell", f"{equal}, but {margin} are not excluded ({interval}); {rest}.")


def _more_seeds(d: SuccessDifference) -> int | None:
    """Returns about how many more seeds would settle the question if they succeed as often.

    None if `MAX_ADDITIONAL_SEEDS` would not: the published trials alone are too few.
    """
    more = 1
    while more <= MAX_ADDITIONAL_SEEDS:
        n = d.n + more
        low, high = newcombe_interval(round(n * d.k / d.n), n, d.published_k, d.published_n)
        if (low >= -RATE_MARGIN and high <= RATE_MARGIN) or low > 0 or high < 0:
            return more
        more += max(1, more // 10)
    return None


def sequences_ratio(
    sequences: Sequence[float] | np.ndarray, published: float, trials: int
) -> SequencesRatio:
    """Returns how our mean number of training sequences compares with a `published` one.

    `sequences` has one value per seed, NaN where the task was not solved; the published mean is
    over `trials` successful trials.

    Only a mean is published, without its spread, so the published trials are taken to spread as our
    seeds do, in proportion to their mean. Both means are uncertain: if only `trials` values were
    drawn from ours, the chance in our own mean would be left out, and of equal pairs with 30 each
    17 % would be called different. So both are simulated, and the distribution of the logarithm of
    the ratio of two means that differ by chance alone gives the p value and the interval (Davison
    and Hinkley 1997, sections 3.4 and 5.2). On the logarithm, because numbers of sequences are
    positive and skewed, and because the question is by which factor they differ. Drawing our values
    alone spreads too little, for they lack the tails: see `_simulated_log_ratios`.

    Of equal pairs, 5 to 7 % are called different for log-normal values (standard deviation of the
    logarithm 0.3 and 0.8; 30 seeds of ours; 10, 20 or 30 trials): `test_published_trials` measures
    this. For exponential values it is 2 to 4 %, and for two modes with 10 seeds 11 %.

    >>> ratio = sequences_ratio([100.0, 120, 90, 110, 80, math.nan], 50, trials=10)
    >>> ratio.n, ratio.ratio, ratio.low > 1.5, ratio.p < 0.01
    (5, 2.0, True, True)
    """
    values = np.asarray(sequences, dtype=float)
    values = values[np.isfinite(values)]
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    ratio = mean / published
    if n < MIN_SUCCESSES:
        return SequencesRatio(n, mean, published, trials, ratio, *(math.nan,) * 3)
    errors = _simulated_log_ratios(values, min(trials, MAX_DRAWN))
    observed = math.log(ratio)
    below, above = (errors <= observed + 1e-9).mean(), (errors >= observed - 1e-9).mean()
    low, high = np.quantile(errors, [ALPHA / 2, 1 - ALPHA / 2])
    return SequencesRatio(
        n,
        mean,
        published,
        trials,
        ratio,
        math.exp(observed - float(high)),
        math.exp(observed - float(low)),
        float(min(1.0, 2 * min(below, above))),
    )


def _simulated_log_ratios(values: np.ndarray, trials: int) -> np.ndarray:
    """Returns the logarithms of `DRAWS` ratios of means that differ by chance alone.

    Above are as many values as there are, below are `trials`. It is a smoothed bootstrap: a value
    is the deviation of one of our logarithms from their mean, plus a normal number of `SMOOTHING`
    times their spread, scaled back to that spread. The spread is uncertain too: each pair of means
    has another, drawn from its distribution for normal logarithms.
    """
    logs, n = np.log(values), len(values)
    deviations, spread = logs - logs.mean(), float(logs.std(ddof=1))
    deviations = deviations * math.sqrt(n / (n - 1))
    rng = np.random.default_rng(0)  # equal results give equal reports
    factors = np.sqrt((n - 1) / rng.chisquare(n - 1, (DRAWS, 1)) / (1 + SMOOTHING**2))

    def log_means(size: int) -> np.ndarray:
        drawn = deviations[rng.integers(0, n, (DRAWS, size))]
        drawn = drawn + SMOOTHING * spread * rng.standard_normal(drawn.shape)
        return np.asarray(np.log(np.exp(factors * drawn).mean(axis=1)))

    return np.asarray(log_means(min(n, MAX_DRAWN)) - log_means(trials))


def sequences_verdict(ratio: SequencesRatio) -> Verdict:
    """Returns whether our seeds need as many training sequences as the published trials.

    `not reproduced`: the means differ at the 5 % level. `reproduced`: they do not, and the whole
    interval of their ratio lies within a factor of `RATIO_MARGIN`.

    >>> values = [90.0, 100, 110, 95, 105] * 4
    >>> sequences_verdict(sequences_ratio(values, 101, trials=20)).word
    'reproduced'
    >>> sequences_verdict(sequences_ratio(values, 40, trials=20)).reason
    'Ours take 2.50 times as many sequences (95 % interval 2.3... to 2.6..., p < 0.001), ...'
    """
    if ratio.n < MIN_SUCCESSES:
        seeds = "seed" if ratio.n == 1 else "seeds"
        reason = f"{ratio.n or 'No'} {seeds} of ours solved it; it takes {MIN_SUCCESSES} to say."
        return Verdict("cannot tell", reason)
    interval = f"95 % interval {_factor(ratio.low)} to {_factor(ratio.high)}"
    p = _p_text(ratio.p)
    assumed = "if the published trials spread as ours do"
    if ratio.p <= ALPHA:
        factor = f"{_factor(ratio.ratio)} times as many sequences"
        return Verdict("not reproduced", f"Ours take {factor} ({interval}, {p}), {assumed}.")
    equal = f"Ours take {_factor(ratio.ratio)} times as many sequences ({interval}, {p}), {assumed}"
    if ratio.low >= 1 / RATIO_MARGIN and ratio.high <= RATIO_MARGIN:
        return Verdict("reproduced", f"{equal}: no difference at the 5 % level.")
    return Verdict(
        "cannot tell",
        f"{equal}: no difference at the 5 % level, but a factor of {RATIO_MARGIN:g} is not "
        "excluded.",
    )


def few_successes_verdict(
    ratio: SequencesRatio, solved: Sequence[bool] | np.ndarray, allowed: float
) -> Verdict | None:
    """Returns the verdict on a published mean that too few seeds of ours solved the task to test.

    The mean must be that of all `ratio.trials` published trials. Of these, at most their mean
    divided by a number of sequences took more than this number (Markov's inequality). So at least
    the others succeeded within the `allowed` sequences that each of our seeds had. The verdict is
    `not reproduced` if ours succeed more rarely at the 5 % level, by the test of
    `success_difference`, and None otherwise.

    >>> ratio = sequences_ratio([math.nan] * 30, 31_000, trials=20)
    >>> few_successes_verdict(ratio, [False] * 30, 300_000).word
    'not reproduced'
    >>> few_successes_verdict(ratio, [False] * 30, 32_000)
    """
    within = ratio.trials - math.floor(ratio.trials * ratio.published / allowed)
    if within <= 0 or not len(solved):
        return None
    difference = success_difference(solved, within, ratio.trials)
    if difference.p > ALPHA or difference.difference >= 0:
        return None
    seeds = f"{difference.k} of {difference.n} seeds"
    reason = (
        f"{seeds} solved it within {allowed:,.0f} sequences, but {within} or more of "
        f"{ratio.trials} published trials did, by their mean ({difference.test}, "
        f"{_p_text(difference.p)})."
    )
    return Verdict("not reproduced", reason)


def _factor(value: float) -> str:
    """Returns a factor as text: `0.84`, `2.31`, `23.1`, `231`."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def _points(difference: float) -> str:
    """Returns a difference of rates in percentage points, with its sign unless it is 0."""
    points = round(100 * difference)
    return f"{points:+d}".replace("-", "−") if points else "0"


def _p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
