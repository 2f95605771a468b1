"""Paired differences: published examples, closed forms, and error rates in simulations."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.statistics import _paired as paired
from lstm_bench.statistics._comparison_question import DEFAULT_MARGIN, ComparisonQuestion
from lstm_bench.statistics._exact_mcnemar import exact_mcnemar
from lstm_bench.statistics._multiplicity import holm_chains, holm_correction
from lstm_bench.statistics._paired import (
    difference_verdict,
    paired_mean_difference,
    paired_newcombe_interval,
    paired_rate_difference,
    seeds_needed,
)

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def verdict_of(of, to, margin=DEFAULT_MARGIN):
    difference = paired_mean_difference(of, to)
    return difference_verdict(difference, difference.p, margin)


def test_the_interval_equals_that_of_the_paired_t_test():
    rng = np.random.default_rng(1)
    of, to = rng.normal(0.8, 0.1, (2, 12))
    test = stats.ttest_rel(of, to)
    difference, expected = paired_mean_difference(of, to), test.confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx(expected, abs=1e-9)
    assert difference.p >= test.pvalue - 1e-9


def test_all_sign_flips_are_counted_if_they_are_few():
    # 2 of the 16 sign patterns of 1, 2, 3, 4 have a sum of at least 10 in size.
    assert paired_mean_difference([1, 2, 3, 4], [0, 0, 0, 0]).p == pytest.approx(2 / 16)
    assert paired_mean_difference([1, 1, 1, 1, 1, 1], [0] * 6).p == pytest.approx(2 / 64)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [((36, 12, 2, 0), 0.0569, 0.3404)],
)
def test_newcombes_interval_equals_the_published_one(table, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 2635-2650, table III, method 10.
    assert paired_newcombe_interval(*table) == pytest.approx((low, high), abs=5e-5)


@given(FLAGS)
def test_newcombes_interval_contains_the_difference_and_is_antisymmetric(pairs):
    of, to = (np.array(column) for column in zip(*pairs, strict=True))
    one, other = paired_rate_difference(of, to), paired_rate_difference(to, of)
    assert -1 - 1e-9 <= one.low <= one.difference + 1e-9
    assert one.difference - 1e-9 <= one.high <= 1 + 1e-9
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    assert one.p == other.p


@pytest.mark.long
def test_newcombes_interval_covers_in_about_95_percent():
    rng = np.random.default_rng(3)
    shared = rng.random((2000, 30, 1)) < 0.4  # seeds on which both recipes solve it
    solved = shared | (rng.random((2000, 30, 2)) < [0.5, 0.2])
    truth = 0.6 * (0.5 - 0.2)
    differences = [paired_rate_difference(trial[:, 0], trial[:, 1]) for trial in solved]
    assert np.mean([d.low <= truth <= d.high for d in differences]) > 0.93


@pytest.mark.parametrize("n", [5, 9])
def test_the_test_of_paired_rates_is_the_largest_probability_of_results_as_extreme(n):
    """By hand: all results of n seeds, over all rates at which equal recipes differ."""
    counts = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]

    def mid_p(b, c):
        tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
        return 1.0 if b == c else 2 * tail - math.comb(b + c, b) / 2 ** (b + c)

    for first, second in [(n, 0), (4, 1), (3, 0), (2, 2), (0, 0)]:
        limit = mid_p(first, second) + 1e-9
        extreme = [(b, c) for b, c in counts if mid_p(b, c) <= limit]
        q = np.linspace(0.005, 1, 200)
        ways = [math.comb(n, b) * math.comb(n - b, c) for b, c in extreme]
        largest = max(
            sum(
                w * (q / 2) ** (b + c) * (1 - q) ** (n - b - c)
                for w, (b, c) in zip(ways, extreme, strict=True)
            )
        )
        neither = n - first - second
        of = [True] * first + [False] * second + [True] * neither
        to = [False] * first + [True] * second + [True] * neither
        assert paired_rate_difference(of, to).p == pytest.approx(largest, abs=1e-9)


@pytest.mark.parametrize("n", [10, 20, 30])
def test_the_exact_level_and_power_of_the_test_of_paired_rates(n):
    counts = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    p_values = np.array([exact_mcnemar(b, c, n) for b, c in counts])
    conditional = np.array([stats.binomtest(b, b + c).pvalue if b + c else 1 for b, c in counts])
    b, c = np.array(counts).T

    def probability(only_first, only_second, rejected):
        shares = [only_first, only_second, 1 - only_first - only_second]
        mass = stats.multinomial.pmf(np.stack([b, c, n - b - c], axis=1), n, shares)
        return float(mass[rejected].sum())

    for level in (0.05, 0.0125, 0.05 / 15):
        sizes = [probability(q / 2, q / 2, p_values <= level) for q in np.linspace(0.01, 1, 40)]
        assert max(sizes) <= level + 1e-4
    # Rates of 0.5 and 0.9 of independent seeds.
    ours = probability(0.05, 0.45, p_values <= 0.05)
    before = probability(0.05, 0.45, conditional <= 0.05)
    assert ours > before
    if n == 10:
        assert (ours, before) == (pytest.approx(0.354, abs=1e-3), pytest.approx(0.192, abs=1e-3))


CHAINS = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=2), max_size=5)


@given(CHAINS)
def test_chains_are_rejected_as_by_the_graphical_procedure(chains):
    """Step down with weights: a rejected p value gives its weight to the next one of its chain."""
    corrected = holm_chains(chains)
    for level in (0.01, 0.05, 0.3):
        rejected, active = set(), dict.fromkeys(range(len(chains)), 0)
        while True:
            weight = level / max(len(active), 1)
            hit = [place for place, i in active.items() if chains[place][i] <= weight]
            if not hit:
                break
            place = hit[0]
            rejected.add((place, active[place]))
            active[place] += 1
            if active[place] == len(chains[place]):
                del active[place]
        found = {
            (place, i)
            for place, chain in enumerate(corrected)
            for i, p in enumerate(chain)
            if p <= level
        }
        borderline = any(
            abs(p * k - level) < 1e-12 for chain in chains for p in chain for k in range(1, 6)
        )
        assert borderline or found == rejected


@given(st.lists(st.floats(0, 1), max_size=8))
def test_chains_of_one_are_corrected_by_holm(p_values):
    assert [p for (p,) in holm_chains([[p] for p in p_values])] == holm_correction(p_values)


def test_a_measure_more_of_the_same_seeds_costs_no_power():
    """Ten ablations, of which one loses 10 points, scores and solve rates of the same 20 seeds."""
    rng = np.random.default_rng(12)
    as_one = as_two = alone = 0
    for _ in range(150):
        p_values = stats.ttest_1samp(rng.normal(0, 0.1, (10, 20)), 0, axis=1).pvalue
        p_values[0] = stats.ttest_1samp(rng.normal(0.08, 0.1, 20), 0).pvalue
        rates = rng.random(10)  # of no use
        alone += holm_correction(p_values)[0] <= 0.05
        as_one += holm_chains(list(zip(p_values, rates, strict=True)))[0][0] <= 0.05
        as_two += holm_correction([*p_values, *rates])[0] <= 0.05
    assert alone == as_one > as_two


def test_equal_ablations_are_seldom_real_in_either_measure():
    rng = np.random.default_rng(13)
    wrong = 0
    for _ in range(1000):
        first = rng.random(5)
        first[:2] = 0.0  # two real scores, so that their solve rates are judged
        corrected = holm_chains(list(zip(first, rng.random(5), strict=True)))
        wrong += min(*[p for _, p in corrected], *[p for p, _ in corrected[2:]]) <= 0.05
    assert stats.binom.sf(wrong - 1, 1000, 0.05) > 0.01


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holms_correction_rejects_as_the_step_down_procedure(p_values):
    corrected = holm_correction(p_values)
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for rank, index in enumerate(order):  # step down until one is not rejected
            if not p_values[index] * (len(order) - rank) <= level:
                break
            rejected.add(index)
        assert {k for k, p in enumerate(corrected) if p <= level} == rejected


def verdicts_of_equal_recipes(rng, kind, n, comparisons=4):
    """Returns the verdicts on equal recipes, each compared with the first."""
    if kind == "smooth":
        scores = 0.8 + 0.05 * (rng.normal(size=n) + rng.normal(size=(comparisons + 1, n)))
    elif kind == "bimodal":
        scores = np.where(rng.random((comparisons + 1, n)) < 0.3, 1.0, 0.875)
    else:  # nearly always solved: few seeds differ, but by much
        scores = np.where(rng.random((comparisons + 1, n)) < 0.95, 1.0, 0.5)
    differences = [paired_mean_difference(row, scores[0]) for row in scores[1:]]
    corrected = holm_correction([difference.p for difference in differences])
    return [
        difference_verdict(difference, p, DEFAULT_MARGIN)
        for difference, p in zip(differences, corrected, strict=True)
    ]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["smooth", "bimodal", "rare"])
@pytest.mark.parametrize("n", [5, 12])
def test_equal_recipes_are_seldom_called_real(kind, n, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 999)
    rng = np.random.default_rng(n)
    reports = [verdicts_of_equal_recipes(rng, kind, n) for _ in range(150)]
    wrong = np.mean(["real" in verdicts for verdicts in reports])
    assert wrong <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 150)


@pytest.mark.long
def test_equal_solve_rates_are_seldom_called_real():
    rng = np.random.default_rng(5)
    wrong = 0
    for trial in rng.random((400, 5, 30)) < 0.5:
        corrected = holm_correction([paired_rate_difference(row, trial[0]).p for row in trial[1:]])
        wrong += min(corrected) <= 0.05
    assert wrong / 400 <= 0.05


def test_a_large_difference_is_real_and_a_small_sure_one_is_not():
    rng = np.random.default_rng(6)
    base = rng.normal(0.8, 0.02, 30)
    assert verdict_of(base + 0.1 + rng.normal(0, 0.02, 30), base) == "real"
    assert verdict_of(base + np.tile([0.01, -0.01], 15), base) == "not real"
    assert verdict_of(base + np.tile([0.3, -0.3], 15), base) == "cannot tell yet"


def test_a_few_equal_seeds_give_no_verdict():
    assert verdict_of([1.0] * 5, [1.0] * 5) == "cannot tell yet"
    assert verdict_of([1.0] * 28, [1.0] * 28) == "cannot tell yet"
    assert verdict_of([1.0] * 29, [1.0] * 29) == "not real"
    assert verdict_of([1.0] * 5, [0.5] * 5) == "cannot tell yet"  # p = 2 / 32
    assert verdict_of([1.0] * 6, [0.5] * 6) == "real"
    difference = paired_mean_difference([1.0] * 5, [1.0] * 5)
    assert difference.constant and seeds_needed(difference, DEFAULT_MARGIN, 1) == 24


def test_a_loss_has_no_default_margin():
    assert ComparisonQuestion("a", "b", "loss").equivalence_margin is None
    assert ComparisonQuestion("a", "b", "loss", margin=0.1).equivalence_margin == 0.1
    assert ComparisonQuestion("a", "b", "solve_rate").equivalence_margin == DEFAULT_MARGIN
    assert verdict_of([0.1, 0.2] * 15, [0.2, 0.1] * 15, margin=None) == "cannot tell yet"


def test_one_seed_and_diverged_seeds_give_no_verdict():
    assert verdict_of([1.0], [0.0]) == "cannot tell yet"
    assert seeds_needed(paired_mean_difference([1.0], [0.0]), DEFAULT_MARGIN, 1) is None
    assert verdict_of([1.0, math.nan, 1.0], [0.0] * 3) == "cannot tell yet"
    assert paired_rate_difference([], []).n == 0


def test_the_recommended_number_of_seeds_has_the_stated_power():
    """A study with that many seeds finds the difference about four times in five."""
    rng = np.random.default_rng(8)
    values = rng.normal(0, 1, 20)
    values = 0.03 + 0.08 * (values - values.mean()) / values.std(ddof=1)
    needed = 20 + seeds_needed(paired_mean_difference(values, np.zeros(20)), None, 1)
    trials = rng.normal(0.03, 0.08, (1000, needed))
    power = np.mean(stats.ttest_1samp(trials, 0, axis=1).pvalue <= 0.05)
    assert 0.75 < power < 0.85


def test_rates_without_a_difference_need_as_many_seeds_as_show_a_rare_failure():
    # 0.9^29 = 0.047: the fewest seeds of which at most one sample in twenty misses every tenth.
    few = paired_rate_difference([True] * 12, [True] * 12)
    assert 12 + seeds_needed(few, 0.02, 1) == 29
    for n, settled in ((28, False), (29, True)):
        equal = paired_rate_difference([True] * n, [True] * n)
        assert (difference_verdict(equal, equal.p, 0.02) == "not real") == settled


def test_the_number_of_additional_seeds_is_capped():
    difference = paired_mean_difference([0.5, 0.1, 0.9], [0.5, 0.5, 0.5])
    assert seeds_needed(difference, None, 1) == paired.MAX_ADDITIONAL_SEEDS


def test_an_infinite_difference_has_no_number_of_seeds():
    difference = paired_mean_difference([0.9, 0.1, 0.2], [0.5, 0.5, 0.5])
    difference = replace(difference, difference=math.inf, std=math.nan)
    assert seeds_needed(difference, None, 1) is None
