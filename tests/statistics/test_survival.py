"""Epochs to solve: a published worked example, closed forms, and what is not known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.statistics import _unpaired as unpaired
from lstm_bench.statistics._estimates import median_epochs
from lstm_bench.statistics._survival import (
    Times,
    epochs_difference,
    kaplan_meier,
    log_rank,
    median,
    times,
)

# Weeks in remission of 42 children with leukaemia, + for censored: Freireich et al. (1963),
# Blood 21, 699-716; the example of Kleinbaum and Klein, Survival Analysis, chapters 1 and 2.
TREATED = "6 6 6 7 10 13 16 22 23 6+ 9+ 10+ 11+ 17+ 19+ 20+ 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"

EPOCHS = st.lists(st.none() | st.integers(1, 12), min_size=1, max_size=6)


def weeks(text):
    words = text.split()
    at = np.array([float(word.rstrip("+")) for word in words])
    return Times(at, np.array([not word.endswith("+") for word in words]))


def test_the_curve_of_the_published_example():
    at, unsolved = kaplan_meier(weeks(TREATED))
    curve = dict(zip(at.tolist(), unsolved.round(4).tolist(), strict=True))
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert {week: curve[week] for week in published} == published
    assert curve[35] == curve[23]


def test_the_medians_of_the_published_example():
    assert (median(weeks(TREATED)), median(weeks(PLACEBO))) == (23, 8)


def test_the_log_rank_test_of_the_published_example():
    ahead, p = log_rank(weeks(PLACEBO), weeks(TREATED))
    assert ahead == pytest.approx(21 - 10.75, abs=0.005)  # solved, less expected
    assert p >= math.erfc(math.sqrt(16.79 / 2)) * 0.99  # chi squared with one degree of freedom
    assert p < 0.001  # 2 in 10,000 of the permutations would be the least
    assert log_rank(weeks(TREATED), weeks(PLACEBO))[0] == pytest.approx(-ahead)


def test_the_log_rank_test_counts_all_permutations_where_they_are_few():
    # 2 of the 20 ways to part six seeds put the three soonest together.
    assert log_rank(times([1, 2, 3], 9), times([5, 6, None], 9))[1] == pytest.approx(0.1)


@given(EPOCHS)
def test_the_median_is_that_of_one_recipe_alone(epochs):
    expected = median_epochs(epochs)
    assert median(times(epochs, 12)) == (math.inf if expected is None else expected)


@given(EPOCHS, EPOCHS)
def test_the_two_are_told_apart_alike_whichever_comes_first(of, to):
    one, other = log_rank(times(of, 12), times(to, 20)), log_rank(times(to, 20), times(of, 12))
    assert one == pytest.approx((-other[0], other[1]), abs=1e-9)
    assert 0 <= one[1] <= 1
    assert log_rank(times(of, 12), times(of, 12)) == (0.0, 1.0)


def test_what_happens_after_the_shorter_training_is_not_compared():
    # Ten epochs against a thousand: after the tenth only one recipe is watched.
    short, long = times([None] * 8, 10), times([500.0] * 8, 1000)
    assert log_rank(short, long) == (0.0, 1.0)
    assert (median(short), median(long)) == (math.inf, 500)


def test_equally_soon_recipes_are_seldom_told_apart(monkeypatch):
    monkeypatch.setattr(unpaired, "RESAMPLES", 499)
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(200):
        epochs = rng.geometric(0.02, (2, 8)).astype(float)
        of, to = np.where(epochs > 60, np.nan, epochs).tolist()
        wrong += log_rank(times(of, 60), times(to, 60))[1] <= 0.05
    assert wrong / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_a_difference_without_solved_seeds_or_without_seeds():
    never = epochs_difference([None] * 4, [math.nan] * 4, (10, 10))
    assert never.never and never.p == 1 and never.epochs == (math.inf, math.inf)
    assert math.isnan(never.difference)
    assert epochs_difference([], [1.0], (10, 10), shared=False).fewest == 0
    found = epochs_difference([3, 4], [5, 6, 7], (10, 10), shared=False)
    assert (found.n, found.others, found.difference) == (2, 3, -2.5)
