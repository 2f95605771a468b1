"""The exact unconditional test of two paired rates.

McNemar's exact test (1947) takes the number of seeds on which the two recipes differ as given and
is conservative. The unconditional test (Suissa and Shuster 1991, Biometrics 47, 361-372) does not:
it takes the largest probability over all rates at which two equal recipes may differ. Results are
ordered by the mid-p value of McNemar's test, as in Fagerland, Lydersen and Laake (2013), BMC
Medical Research Methodology 13:91.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import stats

GRID = np.linspace(0.005, 1.0, 200)
"""Probabilities that two recipes differ on a seed, over which the largest p value is taken."""
MAX_SEEDS = 400
"""With more seeds McNemar's own test is as good, and faster."""


def exact_mcnemar(only_first: int, only_second: int, n: int) -> float:
    """Returns the two-sided p value for n seeds, of which only one recipe solved so many each.

    >>> round(exact_mcnemar(5, 0, 10), 4), round(exact_mcnemar(5, 0, 5), 4)
    (0.0265, 0.0625)
    """
    discordant = only_first + only_second
    if only_first == only_second:
        return 1.0
    if n > MAX_SEEDS:
        return float(stats.binomtest(only_first, discordant).pvalue)
    return _unconditional(min(only_first, only_second), discordant, n)


@functools.lru_cache(maxsize=4096)
def _unconditional(fewer: int, discordant: int, n: int) -> float:
    """Returns the largest probability, over `GRID`, of a mid-p value at most as large."""
    limit = float(_mid_p(np.array([fewer]), np.array([discordant]))[0]) * (1 + 1e-9)
    counts = np.arange(n + 1)  # of discordant seeds
    smaller = np.arange(n // 2 + 1)
    as_extreme = _mid_p(smaller[:, None], counts) <= limit  # (smaller count, discordant)
    as_extreme &= 2 * smaller[:, None] < counts
    largest = as_extreme.sum(axis=0) - 1  # mid-p rises with the smaller count
    tails = np.where(largest >= 0, 2 * stats.binom.cdf(largest, counts, 0.5), 0.0)
    return float((stats.binom.pmf(counts, n, GRID[:, None]) @ tails).max())


def _mid_p(fewer: np.ndarray, discordant: np.ndarray) -> np.ndarray:
    """Returns the two-sided mid-p value of McNemar's test, 1 for equal counts."""
    tail = 2 * stats.binom.cdf(fewer, discordant, 0.5) - stats.binom.pmf(fewer, discordant, 0.5)
    return np.where(2 * fewer >= discordant, 1.0, tail)
