"""Verdicts on published runs: by hand, by properties, and error rates in simulations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.statistics._reproduction import (
    FIGURE_TOLERANCE,
    MIN_VERDICT_SEEDS,
    REJECTION_LEVEL,
    claim_verdict,
    figure_rank,
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
        assert f"{MIN_VERDICT_SEEDS} seeds would do" in verdict.reason


def test_a_figure_at_the_edge_of_many_seeds_has_no_verdict():
    assert figure_verdict_of(0.1, [0.1, *[0.9] * 60]).word == "cannot tell"
    assert figure_verdict_of(0.1, [0.1, *[0.9] * 20]).word == "reproduced"


@given(st.floats(0, 1), SCORES)
def test_only_a_figure_outside_all_seeds_is_rejected(figure, values):
    rank, verdict = figure_rank(figure, values), figure_verdict_of(figure, values)
    assert 0 < rank.p <= 1
    outside = figure < min(values) - FIGURE_TOLERANCE or figure > max(values) + FIGURE_TOLERANCE
    assert (rank.position != "inside") == outside
    assert (verdict.word == "not reproduced") == (outside and len(values) >= MIN_VERDICT_SEEDS)


@given(st.integers(0, 8).map(lambda k: k / 8), SCORES)
def test_a_figure_and_its_mirror_image_have_equal_p_values(figure, values):
    mirrored = figure_rank(1 - figure, [1 - value for value in values])
    assert mirrored.p == pytest.approx(figure_rank(figure, values).p)


@pytest.mark.parametrize("kind", ["smooth", "bimodal", "grid"])
@pytest.mark.parametrize("n", [19, 30, 100])
def test_a_run_like_ours_is_rarely_called_not_reproduced(kind, n):
    rng = np.random.default_rng(n)
    draws = {
        "smooth": rng.beta(8, 2, (2000, n + 1)),
        "bimodal": np.where(rng.random((2000, n + 1)) < 0.5, 1.0, 0.875),
        "grid": rng.integers(15, 23, (2000, n + 1)) / 23,
    }[kind]
    rejected = np.mean(
        [figure_verdict_of(row[0], row[1:]).word == "not reproduced" for row in draws]
    )
    assert rejected <= REJECTION_LEVEL + 3 * np.sqrt(REJECTION_LEVEL / 2000)


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
    assert reason == "16 of 30 seeds solve it: whether a single run does is a coin toss."
    assert "usually" in claim_verdict("solved", [True] * 28 + [False] * 2).reason
    assert "now and then" in claim_verdict("solved", [True] * 5 + [False] * 25).reason
    assert "11 %" in claim_verdict("never", [False] * 30).reason  # Wilson: 0 of 30


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
