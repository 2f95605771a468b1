"""Adding the seeds that a report advises: how often equal recipes are ever called different."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.statistics import _paired as paired
from lstm_bench.statistics._comparison_question import DEFAULT_MARGIN
from lstm_bench.statistics._looks import FIRST_LEVEL, look_level, next_level
from lstm_bench.statistics._paired import (
    difference_verdict,
    paired_mean_difference,
    seeds_needed,
    seeds_needed_range,
)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30, unique=True), st.integers(1, 100))
def test_the_levels_of_all_looks_add_up_to_five_percent_at_most(numbers, planned):
    numbers = sorted(numbers)
    levels = [look_level(n, numbers[:i], planned) for i, n in enumerate(numbers)]
    assert min(levels) > 0 and sum(levels) <= 0.05 + 1e-12


def ever_real(n, spread, reports, advice, looks=8, remembered=True):
    """Returns how often equal recipes are called real within so many looks.

    `advice` is the number of seeds that is added: that which the report names, or a fixed one.
    """
    rng = np.random.default_rng(n)
    wrong = 0
    for _ in range(reports):
        values, seen = spread * rng.normal(size=4000), []
        count = n
        for _ in range(looks):
            found = paired_mean_difference(values[:count], np.zeros(count))
            level = look_level(count, seen, n) if remembered else 0.05
            word = difference_verdict(found, found.p, DEFAULT_MARGIN, level)
            wrong += word == "real"
            if word != "cannot tell yet":
                break
            seen.append(count)
            following = next_level(count, n) if remembered else 0.05
            more = seeds_needed(found, DEFAULT_MARGIN, 1, following) if advice is None else advice
            if count + more > len(values):
                break
            count += more
    return wrong / reports


@pytest.mark.parametrize(("n", "advice"), [(10, None), (20, 10)])
def test_whoever_adds_seeds_until_there_is_a_verdict_is_seldom_wrong(n, advice, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 99)
    monkeypatch.setattr(paired, "_sign_flip_test", lambda values: 0.0)  # the t test is exact here
    share = ever_real(n, 0.1, 300, advice)
    assert stats.binom.sf(round(share * 300) - 1, 300, 0.05) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10, 30])
@pytest.mark.parametrize("spread", [0.03, 0.1])
@pytest.mark.parametrize("advice", [None, 5])
def test_whoever_adds_seeds_is_seldom_wrong_in_many_samples(n, spread, advice, monkeypatch):
    monkeypatch.setattr(paired, "_sign_flip_test", lambda values: 0.0)  # the t test is exact here
    looks = 8 if advice is None else 40
    share = ever_real(n, spread, 4000, advice, looks)
    before = ever_real(n, spread, 4000, advice, looks, remembered=False)
    print(f"{n} seeds, sd {spread}, adding {advice or 'as advised'}: real {share:.1%}, "
          f"at 5 % every time {before:.1%}")  # fmt: skip
    assert stats.binom.sf(round(share * 4000) - 1, 4000, 0.05) > 0.01


def test_the_first_look_keeps_its_power():
    assert FIRST_LEVEL >= 0.95 * 0.05  # power is concave in the level: at least this share of it
    for n, size in ((10, 0.5), (10, 1.0), (30, 0.5)):  # by the noncentral t distribution
        powers = [
            stats.nct.sf(stats.t.isf(level / 2, n - 1), n - 1, size * n**0.5)
            for level in (look_level(n), 0.05)
        ]
        assert powers[0] >= 0.95 * powers[1]


def test_a_look_with_few_seeds_before_the_planned_ones_costs_next_to_nothing():
    assert look_level(30, [5], 30) > 0.0475
    assert look_level(5, [], 30) < 0.0003


def test_the_range_of_advice_is_that_of_a_standard_error_either_way():
    rng = np.random.default_rng(8)
    values = rng.normal(0, 1, 20)
    values = 0.05 + 0.08 * (values - values.mean()) / values.std(ddof=1)
    found = paired_mean_difference(values, np.zeros(20))
    z = stats.norm.isf(0.0005) + stats.norm.ppf(0.8)
    error = 0.08 / 20**0.5
    expected = [np.ceil((z * 0.08 / size) ** 2) - 20 for size in (0.05 + error, 0.05 - error)]
    assert seeds_needed_range(found, None, 1, 0.001) == tuple(expected)
    few = paired_mean_difference([1.0] * 12, [1.0] * 12)
    assert seeds_needed_range(few, 0.02, 1) == (17, 17)  # 29 seeds, whatever the level
