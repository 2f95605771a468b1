"""Memory spans, against the max-min formula of isotonic regression and known curves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_bench.statistics._memory_span import MIN_SEEDS, memory_span, nonincreasing_fit

AXIS = [4, 8, 16, 32, 64, 128, 256, 512]


def solved(counts, n):
    """Returns the flags of `n` seeds, of which the first `counts` solve the task at each value."""
    return np.arange(n)[:, None] < np.asarray(counts)


def max_min_fit(rates):
    """Returns the isotonic fit by Robertson, Wright and Dykstra (1988), section 1.4.

    At each value the least, over all starts before it, of the greatest mean up to any end after it.
    """
    n = len(rates)
    return [
        min(
            max(np.mean(rates[start : end + 1]) for end in range(place, n))
            for start in range(place + 1)
        )
        for place in range(n)
    ]


@given(arrays(float, st.integers(1, 9), elements=st.integers(0, 10).map(lambda k: k / 10)))
def test_the_nonincreasing_fit_is_that_of_the_max_min_formula(rates):
    np.testing.assert_allclose(nonincreasing_fit(rates), max_min_fit(rates), atol=1e-9)


def test_several_curves_are_fitted_independently():
    rates = np.random.default_rng(1).random((50, 6))
    np.testing.assert_array_equal(
        nonincreasing_fit(rates), np.array([nonincreasing_fit(row) for row in rates])
    )


@pytest.mark.parametrize(
    ("counts", "half"),
    [
        ([10, 10, 0, 0], math.sqrt(8 * 16)),  # halfway between them on a logarithmic axis
        ([10, 10, 5, 0], 16),
        ([10, 5, 5, 0], math.sqrt(8 * 16)),  # equal to one half at two values
        ([10, 6, 2, 0], 8 * 2 ** (1 / 4)),
        ([10, 10, 10, 6], math.inf),
        ([4, 2, 0, 0], -math.inf),
        ([5, 0, 0, 0], 4),
        ([10, 10, 10, 5], 32),
    ],
)
def test_the_crossing_equals_the_one_computed_by_hand(counts, half):
    span = memory_span([4, 8, 16, 32], solved(counts, 10))
    assert span.half == pytest.approx(half)
    assert span.low <= span.half <= span.high


def test_an_axis_with_a_zero_is_not_logarithmic():
    assert memory_span([0, 1, 2], solved([10, 10, 0], 10)).half == pytest.approx(1.5)


def test_an_increasing_rate_has_no_memory_span():
    span = memory_span([4, 8, 16], solved([0, 4, 10], 10))
    assert math.isnan(span.half) and math.isnan(span.low)


def test_few_seeds_have_no_interval():
    assert math.isnan(memory_span([4, 8], solved([4, 0], MIN_SEEDS - 1)).low)
    assert memory_span([4, 8], solved([MIN_SEEDS, 0], MIN_SEEDS)).low == 4


def test_beyond_the_axis_the_interval_is_open():
    span = memory_span([4, 8], solved([30, 30], 30))
    assert (span.half, span.low, span.high) == (math.inf, 8, math.inf)
    span = memory_span([4, 8], solved([30, 18], 30))
    assert (span.low, span.high) == (4, math.inf)
    span = memory_span([4, 8], solved([0, 0], 30))
    assert (span.half, span.low, span.high) == (-math.inf, -math.inf, 4)


@pytest.mark.long
@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("slope", [0.7, 1.5, 20])
def test_the_interval_covers_the_half_of_a_logistic_curve(n, slope):
    rng = np.random.default_rng(7)
    place, covered, trials = np.log2(AXIS), 0, 200
    for trial in range(trials):
        half = rng.uniform(3, 8)
        rate = 1 / (1 + np.exp(slope * (place - half)))
        # A seed's luck may be the same at every value, or drawn anew.
        luck = rng.random((n, 1)) if trial % 2 else rng.random((n, len(AXIS)))
        span = memory_span(AXIS, luck < rate)
        covered += span.low <= 2**half <= span.high
    assert covered / trials >= 0.92


def test_the_estimate_is_close_to_the_true_value_with_many_seeds():
    rng = np.random.default_rng(9)
    rate = 1 / (1 + np.exp(1.5 * (np.log2(AXIS) - 5.3)))
    span = memory_span(AXIS, rng.random((2000, len(AXIS))) < rate)
    assert math.log2(span.half) == pytest.approx(5.3, abs=0.15)


def test_the_same_seeds_give_the_same_interval():
    flags = np.random.default_rng(3).random((12, 4)) < [0.9, 0.6, 0.4, 0.1]
    assert memory_span([1, 2, 4, 8], flags) == memory_span([1, 2, 4, 8], flags)
