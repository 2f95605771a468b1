"""Verdicts on published runs: by hand, by properties, and error rates in simulations."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.statistics._multiplicity import holm_correction
from lstm_bench.statistics._reproduction import (
    FIGURE_TOLERANCE,
    MIN_VERDICT_SEEDS,
    REJECTION_LEVEL,
    chance_of_as_many,
    claim_verdict,
    figure_rank,
    printed_tolerance,
    reproduction_verdict,
)

SCORES = st.lists(st.integers(0, 8).map(lambda k: k / 8), min_size=1, max_size=40)


def figure_verdict_of(figure, values):
    return reproduction_verdict(None, figure, values, np.zeros(len(values), bool))


@pytest.mark.parametrize(
    ("figure", "values", "position", "p"),
    [
        (0.5, [0.1, 0.9], "inside", 1.0),  # 2 * (1 + 1) / 3, at most 1
        (0.95, [0.9] * 19, "above", 0.1),  # 2 * 1 / 20
        (0.85, [0.9] * 39, "below", 0.05),
        (0.2, [0.1, *[0.9] * 38], "inside", 0.1),  # 2 * (1 + 1) / 40
        (0.9, [0.9] * 30, "inside", 1.0),
    ],
)
def test_the_rank_of_a_figure_equals_the_one_counted_by_hand(figure, values, position, p):
    rank = figure_rank(figure, values)
    assert (rank.position, rank.p) == (position, pytest.approx(p))
    assert (rank.low, rank.high, rank.n) == (min(values), max(values), len(values))


@pytest.mark.parametrize(("k", "n", "printed"), [(20, 23, 0.8696), (21, 25, 0.84), (2, 3, 0.6667)])
def test_a_rounded_figure_equals_its_fraction(k, n, printed):
    assert figure_rank(printed, [k / n] * 30).position == "inside"
    assert figure_rank(printed, [(k + 1) / n] * 30).position == "below"


@pytest.mark.parametrize("n", [1, 5, 18, 19, 30])
def test_a_figure_outside_is_rejected_only_by_enough_seeds(n):
    verdict = figure_verdict_of(0.9, [0.5] * n)
    if n >= MIN_VERDICT_SEEDS:
        assert verdict.word == "not reproduced"
    else:
        assert verdict.word == "cannot tell"
        assert f"{MIN_VERDICT_SEEDS} would decide" in verdict.reason


def test_a_figure_at_the_edge_of_many_seeds_is_not_reproduced_and_says_why():
    verdict = figure_verdict_of(0.1, [0.1, *[0.9] * 60])  # 2 * 2 / 62 = 0.065
    assert verdict.word == "not reproduced"
    assert verdict.reason == "Prediction interval (90 %): 90.0 %."
    assert figure_verdict_of(0.1, [0.1, *[0.9] * 20]).word == "reproduced"


@given(st.floats(0, 1), SCORES)
def test_a_figure_is_rejected_if_it_lies_outside_the_interval_of_a_further_run(figure, values):
    rank, verdict = figure_rank(figure, values), figure_verdict_of(figure, values)
    assert 0 < rank.p <= 1
    outside = figure < min(values) - FIGURE_TOLERANCE or figure > max(values) + FIGURE_TOLERANCE
    if abs(figure - min(values)) != FIGURE_TOLERANCE != abs(figure - max(values)):
        assert (rank.position != "inside") == outside
    rejected = verdict.word == "not reproduced"
    assert rejected == (rank.p <= REJECTION_LEVEL)
    if len(values) < MIN_VERDICT_SEEDS:
        assert not rejected and np.isnan(rank.further_low)
    else:
        assert min(values) <= rank.further_low <= rank.further_high <= max(values)
        beyond = (
            figure + FIGURE_TOLERANCE < rank.further_low - 1e-8
            or figure - FIGURE_TOLERANCE > rank.further_high + 1e-8
        )
        assert not beyond or rejected


@pytest.mark.parametrize(
    ("published", "figure", "tolerance"),
    [
        ("84 %", 0.84, 0.005),
        ("84.00 %", 0.84, 0.00005),
        ("86.96 %, of 23", 20 / 23, 0.00005),
        ("12 of 20 steps, 99.1%", 0.991, 0.0005),
        ("all right", 0.84, FIGURE_TOLERANCE),
        ("84 %", 0.9, FIGURE_TOLERANCE),
    ],
)
def test_a_figure_is_as_exact_as_it_is_printed(published, figure, tolerance):
    assert printed_tolerance(published, figure) == pytest.approx(tolerance)


def test_a_figure_printed_without_decimals_equals_what_rounds_to_it():
    seeds = np.linspace(0.8451, 0.9, 40)
    assert figure_rank(0.84, seeds, 0.005).position == "below"
    assert figure_rank(0.84, [0.8449, *seeds], 0.005).position == "inside"


def test_an_interpolated_interval_is_that_of_fractional_order_statistics():
    # 31 * 0.05 = 1.55: between the first and the second of thirty.
    seeds = np.arange(30.0) ** 2
    rank = figure_rank(410.0, seeds, 1e-6)
    assert (rank.further_low, rank.further_high) == pytest.approx((0.55, 29**2 - 0.55 * 57))
    assert rank.chance == pytest.approx(0.1)
    tied = figure_rank(410.0, [*seeds[:29], seeds[28]], 1e-6)
    assert (tied.further_low, tied.further_high) == pytest.approx((0.0, 28**2))
    assert tied.chance == pytest.approx(2 / 31)


def test_the_chance_of_as_many_is_binomial():
    assert chance_of_as_many([0.1] * 21, 4) == pytest.approx(stats.binom.sf(3, 21, 0.1))
    assert chance_of_as_many([0.1, 0.5], 2) == pytest.approx(0.05)


@given(st.integers(0, 8).map(lambda k: k / 8), SCORES)
def test_a_figure_and_its_mirror_image_have_equal_p_values(figure, values):
    mirrored = figure_rank(1 - figure, [1 - value for value in values])
    assert mirrored.p == pytest.approx(figure_rank(figure, values).p)


DRAWS = {
    "smooth": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.beta(8, 2, shape),
    "heavy": lambda rng, shape: rng.standard_t(3, shape),
    "solved or not": lambda rng, shape: np.where(rng.random(shape) < 0.5, 1.0, 0.875),
    "rarely unsolved": lambda rng, shape: np.where(rng.random(shape) < 0.95, 1.0, 0.875),
    "grid": lambda rng, shape: rng.integers(15, 23, shape) / 23,
    "binomial": lambda rng, shape: rng.binomial(200, 0.8, shape) / 200,
    "noisy modes": lambda rng, shape: (
        np.where(rng.random(shape) < 0.7, 0.97, 0.6) + 0.01 * rng.normal(size=shape)
    ),
}


def rejected(kind, n, samples, shift=0.0):
    """Returns how often a figure from the same distribution, shifted, is not reproduced."""
    draws = DRAWS[kind](np.random.default_rng([n, 1]), (samples, n + 1))
    p_values = [figure_rank(row[0] + shift, row[1:], 1e-6).p for row in draws]
    return np.mean(np.array(p_values) <= REJECTION_LEVEL)


def error_is_kept(kind, n, samples):
    share = rejected(kind, n, samples)
    print(f"{kind}, {n} seeds: not reproduced {share:.1%}")
    return stats.binom.sf(round(share * samples) - 1, samples, REJECTION_LEVEL) > 0.001


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("n", [19, 30, 100])
def test_a_run_like_ours_is_rarely_called_not_reproduced(kind, n):
    assert error_is_kept(kind, n, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("n", [19, 20, 25, 30, 38, 50, 100])
def test_a_run_like_ours_is_rarely_called_not_reproduced_in_many_samples(kind, n):
    assert error_is_kept(kind, n, 20_000)


def test_more_seeds_reject_more_figures_of_other_runs():
    powers = [rejected("smooth", n, 1500, shift=2.0) for n in (20, 50, 100)]
    assert powers[2] > 0.58 and powers[0] <= powers[1] + 0.03 <= powers[2] + 0.06


@pytest.mark.slow
def test_more_seeds_reject_more_figures_of_other_runs_in_many_samples():
    numbers = (20, 25, 30, 40, 60, 100, 200)
    powers = [rejected("smooth", n, 20_000, shift=2.0) for n in numbers]
    print("power at +2 sd:", dict(zip(numbers, np.round(powers, 3), strict=True)))
    for fewer, more in itertools.pairwise(powers):
        assert more >= fewer - 0.01
    assert powers[-1] > 0.6 > powers[0]  # 0.64 with the known distribution


@pytest.mark.parametrize("count", [3, 21])
def test_few_pages_of_many_figures_have_one_that_is_not_reproduced_as_one_of_all(count):
    rng = np.random.default_rng(count)
    wrong = 0
    for page in rng.normal(size=(100, count, 100)):
        p_values = [figure_rank(row[0], row[1:], 1e-6).p for row in page]
        wrong += min(holm_correction(p_values)) <= REJECTION_LEVEL
    assert stats.binom.sf(wrong - 1, 100, REJECTION_LEVEL) > 0.01


def test_a_run_unlike_ours_is_not_reproduced():
    rng = np.random.default_rng(1)
    words = [figure_verdict_of(0.3, row).word for row in rng.normal(0.9, 0.02, (200, 30))]
    assert set(words) == {"not reproduced"}


@pytest.mark.parametrize(
    ("claim", "k", "n", "word"),
    [
        ("solved", 30, 30, "reproduced"),
        ("solved", 16, 30, "reproduced"),
        ("solved", 3, 30, "reproduced"),  # 4 / 31 > 0.1
        ("solved", 2, 30, "cannot tell"),  # 3 / 31 < 0.1
        ("solved", 1, 1, "reproduced"),
        ("solved", 0, 18, "cannot tell"),
        ("solved", 0, 19, "not reproduced"),
        ("never", 1, 1, "not reproduced"),
        ("never", 1, 30, "not reproduced"),
        ("never", 0, 18, "cannot tell"),
        ("never", 0, 19, "reproduced"),
        ("always", 18, 18, "cannot tell"),
        ("always", 19, 19, "reproduced"),
        ("always", 29, 30, "not reproduced"),
    ],
)
def test_claims_are_judged_by_the_number_of_solved_seeds(claim, k, n, word):
    assert claim_verdict(claim, [True] * k + [False] * (n - k)).word == word


def test_the_reasons_state_how_often_seeds_solve_it():
    reason = claim_verdict("solved", [True] * 16 + [False] * 14).reason
    assert reason == "16 of 30 seeds solve it: one run often does."
    assert "usually" in claim_verdict("solved", [True] * 28 + [False] * 2).reason
    assert "sometimes" in claim_verdict("solved", [True] * 5 + [False] * 25).reason
    assert "11 %" in claim_verdict("never", [False] * 30).reason  # Wilson: 0 of 30
    some = claim_verdict("never", [True] * 18 + [False] * 12).reason
    assert some == "The source says never; 18 of 30 seeds solve it."


@given(st.sampled_from([None, "solved", "never", "always"]), st.floats(0, 1), SCORES)
def test_a_reason_has_at_most_ten_words(claim, figure, values):
    verdict = reproduction_verdict(claim, figure, values, [value == 1 for value in values])
    words = [word for word in verdict.reason.split() if word != "%"]
    assert 4 <= len(words) <= 10, verdict.reason
    assert verdict.reason.endswith(".")


@pytest.mark.long
def test_a_run_that_solved_it_is_rarely_called_not_reproduced():
    # The published run is another draw, and it is published because it solved the task.
    rng = np.random.default_rng(2)
    words = [
        claim_verdict("solved", row[1:]).word
        for rate in (0.1, 0.3, 0.9)
        for row in rng.random((3000, 31)) < rate
        if row[0]
    ]
    assert np.mean([word == "not reproduced" for word in words]) < 0.05


def test_the_claim_decides_if_there_is_also_a_figure():
    assert (
        reproduction_verdict("never", 0.5, [0.5] * 30, [False] * 29 + [True]).word
        == "not reproduced"
    )
    assert reproduction_verdict(None, None, [0.5], [False]) is None


def test_diverged_seeds_are_lower_than_any_figure():
    rank = figure_rank(0.9, [np.nan] * 20 + [0.95] * 10)
    assert (rank.position, rank.low) == ("below", 0.95)
    assert rank.p == pytest.approx(2 * 11 / 31)
    assert figure_verdict_of(0.9, [np.nan] * 30).word == "cannot tell"
    with pytest.raises(ValueError, match="finite"):
        figure_rank(0.9, [np.nan])


def test_an_unknown_claim_is_an_error():
    with pytest.raises(ValueError, match="'mostly'"):
        claim_verdict("mostly", [True])


def test_diverged_seeds_do_not_count_for_a_claim():
    nan, finite = [np.nan] * 30, [0.5] * 30
    assert reproduction_verdict("never", None, nan, [False] * 30).word == "cannot tell"
    assert reproduction_verdict("solved", None, nan, [False] * 30).word == "cannot tell"
    verdict = reproduction_verdict("never", None, finite + nan[:2], [False] * 32)
    assert verdict.word == "reproduced" and verdict.reason.endswith("2 more diverged.")
