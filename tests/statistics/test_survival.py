"""Epochs to solve: a published worked example, closed forms, and censored seeds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.statistics import _unpaired as unpaired
from lstm_bench.statistics._estimates import median_epochs
from lstm_bench.statistics._survival import (
    SolveTimes,
    epochs_difference,
    kaplan_meier,
    log_rank,
    median_time,
    solve_times,
)

# Weeks in remission of 42 children with leukaemia, + for censored: Freireich et al. (1963),
# Blood 21, 699-716; the example of Kleinbaum and Klein, Survival Analysis, chapters 1 and 2.
TREATED = "6 6 6 7 10 13 16 22 23 6+ 9+ 10+ 11+ 17+ 19+ 20+ 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"

EPOCHS = st.lists(st.none() | st.integers(1, 12), min_size=1, max_size=6)


def published(text):
    words = text.split()
    weeks = np.array([float(word.rstrip("+")) for word in words])
    return SolveTimes(weeks, np.array([not word.endswith("+") for word in words]))


def test_the_curve_of_the_published_example():
    weeks, unsolved = kaplan_meier(published(TREATED))
    curve = dict(zip(weeks.tolist(), unsolved.round(4).tolist(), strict=True))
    expected = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert {week: curve[week] for week in expected} == expected
    assert curve[35] == curve[23]


def test_the_medians_of_the_published_example():
    assert (median_time(published(TREATED)), median_time(published(PLACEBO))) == (23, 8)


def test_the_log_rank_test_of_the_published_example():
    excess, p = log_rank(published(PLACEBO), published(TREATED))
    assert excess == pytest.approx(21 - 10.75, abs=0.005)  # observed minus expected
    assert p >= math.erfc(math.sqrt(16.79 / 2)) * 0.99  # chi squared with one degree of freedom
    assert p < 0.001  # the smallest p value of 9999 permutations is 2 in 10,000
    assert log_rank(published(TREATED), published(PLACEBO))[0] == pytest.approx(-excess)


def test_the_log_rank_test_counts_all_permutations_if_they_are_few():
    # 2 of the 20 ways to split six seeds put the three fastest into one group.
    assert log_rank(solve_times([1, 2, 3], 9), solve_times([5, 6, None], 9))[1] == pytest.approx(
        0.1
    )


@given(EPOCHS)
def test_the_median_equals_that_of_one_recipe(epochs):
    expected = median_epochs(epochs)
    assert median_time(solve_times(epochs, 12)) == (math.inf if expected is None else expected)


@given(EPOCHS, EPOCHS)
def test_the_log_rank_test_is_antisymmetric(of, to):
    one, other = (
        log_rank(solve_times(of, 12), solve_times(to, 20)),
        log_rank(solve_times(to, 20), solve_times(of, 12)),
    )
    assert one == pytest.approx((-other[0], other[1]), abs=1e-9)
    assert 0 <= one[1] <= 1
    assert log_rank(solve_times(of, 12), solve_times(of, 12)) == (0.0, 1.0)


def test_epochs_after_the_shorter_training_are_not_compared():
    # Ten epochs and a thousand: after the tenth only one recipe is observed.
    short, long = solve_times([None] * 8, 10), solve_times([500.0] * 8, 1000)
    assert log_rank(short, long) == (0.0, 1.0)
    assert (median_time(short), median_time(long)) == (math.inf, 500)


def test_equally_fast_recipes_are_rarely_called_different(monkeypatch):
    monkeypatch.setattr(unpaired, "RESAMPLES", 499)
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(200):
        epochs = rng.geometric(0.02, (2, 8)).astype(float)
        of, to = np.where(epochs > 60, np.nan, epochs).tolist()
        wrong += log_rank(solve_times(of, 60), solve_times(to, 60))[1] <= 0.05
    assert wrong / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_a_difference_without_solved_seeds_or_without_seeds():
    never = epochs_difference([None] * 4, [math.nan] * 4, (10, 10))
    assert never.never_solved and never.p == 1 and never.median_epochs == (math.inf, math.inf)
    assert math.isnan(never.difference)
    assert epochs_difference([], [1.0], (10, 10), shared=False).min_seeds == 0
    difference = epochs_difference([3, 4], [5, 6, 7], (10, 10), shared=False)
    assert (difference.n, difference.n_to, difference.difference) == (2, 3, -2.5)
