"""Conformal half-widths and coverages: closed forms, statsmodels, and simulated series."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from statsmodels.stats.proportion import proportion_confint

from lstm_bench.statistics._conformal import conformal_half_width, measured_coverage


@pytest.mark.parametrize(("rows", "level", "rank"), [
    (4, 80, 4), (3, 80, None), (9, 80, 8), (19, 95, 19), (18, 95, None), (99, 95, 95),
])  # fmt: skip
def test_the_half_width_is_the_error_of_that_rank(rows, level, rank):
    errors = np.random.default_rng(1).permutation(np.arange(1.0, rows + 1))[None]
    assert conformal_half_width(errors, level) == (rank or math.inf)


def test_equal_seeds_give_the_half_width_of_one():
    errors = np.random.default_rng(2).random((1, 50))
    one = conformal_half_width(errors, 80)
    assert conformal_half_width(np.repeat(errors, 7, axis=0), 80) == one
    diverged = np.vstack([errors, np.full((1, 50), np.inf)])
    assert conformal_half_width(diverged, 80) == math.inf


@pytest.mark.parametrize(("rows", "level"), [(20, 80), (20, 95), (100, 80), (100, 95)])
def test_intervals_of_simulated_first_order_autoregressions_cover_as_often_as_they_say(rows, level):
    rng, shares = np.random.default_rng(3), []
    for _ in range(1500):  # fitted to 100 rows, calibrated on the next ones, scored on 50 more
        y = lfilter([1.0], [1.0, -0.7], rng.normal(size=50 + 100 + rows + 50))[50:]
        slope = (y[:99] @ y[1:100]) / (y[:99] @ y[:99])
        errors = np.abs(y[1:] - slope * y[:-1])[99:]
        shares.append((errors[rows:] <= conformal_half_width(errors[None, :rows], level)).mean())
    exact = math.ceil((rows + 1) * level / 100) / (rows + 1)  # of independent errors
    assert np.mean(shares) == pytest.approx(exact, abs=0.008)
    assert np.mean(shares) > level / 100 - 0.005


def flags(covered):
    seed, moment = np.indices(np.shape(covered))
    return [pd.Series(np.ravel(array)) for array in (np.asarray(covered, bool), seed, moment)]


def test_the_binomial_interval_is_wilsons_over_the_steps_of_one_seed():
    covered = np.arange(60) % 4 > 0
    coverage = measured_coverage(*flags([covered, covered]), 80)
    assert (coverage.steps, coverage.share, coverage.verdict) == (60, 0.75, "agrees")
    assert coverage.binomial == pytest.approx(proportion_confint(45, 60, method="wilson"))
    assert coverage.blocks[0] < 0.75 < coverage.blocks[1]
    assert measured_coverage(*flags([covered, covered]), 95).verdict == "below"
    complete = measured_coverage(*flags(np.ones((2, 60))), 80)
    assert complete.verdict == "cannot tell" and math.isnan(complete.blocks[0])
    assert math.isnan(measured_coverage(*flags([covered[:8]]), 80).blocks[0])  # too few steps


def test_correct_intervals_of_a_volatile_series_are_seldom_called_wrong():
    rng, verdicts = np.random.default_rng(4), []
    for _ in range(200):  # the scale of the errors drifts, so that misses come in groups
        scale = np.exp(lfilter([0.35], [1.0, -0.8], rng.normal(size=(1, 150)))[:, 50:])
        errors = np.abs(scale * rng.normal(size=(5, 100)))
        verdicts.append(measured_coverage(*flags(errors < 1.4515), 80).verdict)
    assert np.mean([verdict != "agrees" for verdict in verdicts]) < 0.11
