"""Where a solve rate falls to one half: against SciPy's regression and curves that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from lstm_bench.statistics._memory_span import FEWEST, falling, memory_span

AXIS = [4, 8, 16, 32, 64, 128, 256, 512]


def solved(counts, n):
    """Returns the flags of `n` seeds, of which the first `counts` solve it at each value."""
    return np.arange(n)[:, None] < np.asarray(counts)


@given(arrays(float, st.integers(1, 9), elements=st.integers(0, 10).map(lambda k: k / 10)))
def test_the_falling_curve_is_scipys_isotonic_regression(rates):
    expected = isotonic_regression(rates, increasing=False).x
    np.testing.assert_allclose(falling(rates), expected, atol=1e-9)


def test_many_curves_are_fitted_as_each_alone():
    rates = np.random.default_rng(1).random((50, 6))
    np.testing.assert_array_equal(falling(rates), np.array([falling(row) for row in rates]))


@pytest.mark.parametrize(
    ("counts", "half"),
    [
        ([10, 10, 0, 0], math.sqrt(8 * 16)),  # half way between, on a logarithmic axis
        ([10, 10, 5, 0], 16),
        ([10, 5, 5, 0], math.sqrt(8 * 16)),  # rests on one half
        ([10, 6, 2, 0], 8 * 2 ** (1 / 4)),
        ([10, 10, 10, 6], math.inf),
        ([4, 2, 0, 0], -math.inf),
        ([5, 0, 0, 0], 4),
        ([10, 10, 10, 5], 32),
    ],
)
def test_the_crossing_is_the_one_found_by_hand(counts, half):
    found = memory_span([4, 8, 16, 32], solved(counts, 10))
    assert found.half == pytest.approx(half)
    assert found.low <= found.half <= found.high


def test_an_axis_with_a_zero_is_not_logarithmic():
    assert memory_span([0, 1, 2], solved([10, 10, 0], 10)).half == pytest.approx(1.5)


def test_a_rate_that_rises_has_no_horizon():
    found = memory_span([4, 8, 16], solved([0, 4, 10], 10))
    assert math.isnan(found.half) and math.isnan(found.low)


def test_few_seeds_have_no_interval():
    assert math.isnan(memory_span([4, 8], solved([4, 0], FEWEST - 1)).low)
    assert memory_span([4, 8], solved([FEWEST, 0], FEWEST)).low == 4


def test_beyond_the_axis_the_interval_is_open():
    found = memory_span([4, 8], solved([30, 30], 30))
    assert (found.half, found.low, found.high) == (math.inf, 8, math.inf)
    found = memory_span([4, 8], solved([30, 18], 30))
    assert (found.low, found.high) == (4, math.inf)
    found = memory_span([4, 8], solved([0, 0], 30))
    assert (found.half, found.low, found.high) == (-math.inf, -math.inf, 4)


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("slope", [0.7, 1.5, 20])
def test_the_interval_covers_the_half_of_a_logistic_curve(n, slope):
    rng = np.random.default_rng(7)
    place, covered, trials = np.log2(AXIS), 0, 200
    for trial in range(trials):
        half = rng.uniform(3, 8)
        rate = 1 / (1 + np.exp(slope * (place - half)))
        # What a seed is good for may hold at every value, or be drawn anew.
        luck = rng.random((n, 1)) if trial % 2 else rng.random((n, len(AXIS)))
        found = memory_span(AXIS, luck < rate)
        covered += found.low <= 2**half <= found.high
    assert covered / trials >= 0.92


def test_the_estimate_is_near_the_truth_with_many_seeds():
    rng = np.random.default_rng(9)
    rate = 1 / (1 + np.exp(1.5 * (np.log2(AXIS) - 5.3)))
    found = memory_span(AXIS, rng.random((2000, len(AXIS))) < rate)
    assert math.log2(found.half) == pytest.approx(5.3, abs=0.15)


def test_the_same_seeds_give_the_same_interval():
    flags = np.random.default_rng(3).random((12, 4)) < [0.9, 0.6, 0.4, 0.1]
    assert memory_span([1, 2, 4, 8], flags) == memory_span([1, 2, 4, 8], flags)
