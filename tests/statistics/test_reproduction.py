"""Verdicts on published runs: by hand, by properties, and by how often they are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.statistics._reproduction import (
    ENOUGH,
    SURPRISE,
    TOLERANCE,
    claim_verdict,
    spread,
    verdict,
)

SCORES = st.lists(st.integers(0, 8).map(lambda k: k / 8), min_size=1, max_size=40)


def judged(figure, values):
    return verdict(None, figure, values, np.zeros(len(values), bool))


@pytest.mark.parametrize(
    ("figure", "values", "place", "p"),
    [
        (0.5, [0.1, 0.9], "inside", 1.0),  # 2 * (1 + 1) / 3, at most 1
        (0.95, [0.9] * 19, "above", 0.1),  # 2 * 1 / 20
        (0.85, [0.9] * 39, "below", 0.05),
        (0.2, [0.1, *[0.9] * 38], "inside", 0.1),  # 2 * (1 + 1) / 40
        (0.9, [0.9] * 30, "inside", 1.0),
    ],
)
def test_the_rank_of_a_figure_is_counted_as_by_hand(figure, values, place, p):
    found = spread(figure, values)
    assert (found.place, found.p) == (place, pytest.approx(p))
    assert (found.low, found.high, found.n) == (min(values), max(values), len(values))


@pytest.mark.parametrize(("k", "n", "printed"), [(20, 23, 0.8696), (21, 25, 0.84), (2, 3, 0.6667)])
def test_a_rounded_figure_equals_the_fraction_it_was(k, n, printed):
    assert spread(printed, [k / n] * 30).place == "inside"
    assert spread(printed, [(k + 1) / n] * 30).place == "below"


@pytest.mark.parametrize("n", [1, 5, 18, 19, 30])
def test_a_figure_outside_is_refused_only_by_enough_seeds(n):
    said = judged(0.9, [0.5] * n)
    if n >= ENOUGH:
        assert said.word == "not reproduced"
    else:
        assert said.word == "cannot tell"
        assert f"{ENOUGH} seeds would do" in said.why


def test_a_figure_at_the_very_edge_of_many_seeds_is_left_open():
    assert judged(0.1, [0.1, *[0.9] * 60]).word == "cannot tell"
    assert judged(0.1, [0.1, *[0.9] * 20]).word == "reproduced"


@given(st.floats(0, 1), SCORES)
def test_a_figure_that_a_seed_had_is_never_refused(figure, values):
    found, said = spread(figure, values), judged(figure, values)
    assert 0 < found.p <= 1
    outside = figure < min(values) - TOLERANCE or figure > max(values) + TOLERANCE
    assert (found.place != "inside") == outside
    assert (said.word == "not reproduced") == (outside and len(values) >= ENOUGH)


@given(st.integers(0, 8).map(lambda k: k / 8), SCORES)
def test_a_figure_and_its_mirror_image_are_judged_alike(figure, values):
    mirrored = spread(1 - figure, [1 - value for value in values])
    assert mirrored.p == pytest.approx(spread(figure, values).p)


@pytest.mark.parametrize("kind", ["smooth", "bimodal", "grid"])
@pytest.mark.parametrize("n", [19, 30, 100])
def test_a_run_like_ours_is_seldom_called_not_reproduced(kind, n):
    rng = np.random.default_rng(n)
    draws = {
        "smooth": rng.beta(8, 2, (2000, n + 1)),
        "bimodal": np.where(rng.random((2000, n + 1)) < 0.5, 1.0, 0.875),
        "grid": rng.integers(15, 23, (2000, n + 1)) / 23,
    }[kind]
    refused = np.mean([judged(row[0], row[1:]).word == "not reproduced" for row in draws])
    assert refused <= SURPRISE + 3 * np.sqrt(SURPRISE / 2000)


def test_a_run_unlike_ours_is_called_so():
    rng = np.random.default_rng(1)
    words = [judged(0.3, row).word for row in rng.normal(0.9, 0.02, (200, 30))]
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
def test_claims_are_judged_by_how_many_seeds_solve_it(claim, k, n, word):
    assert claim_verdict(claim, [True] * k + [False] * (n - k)).word == word


def test_the_reasons_say_how_often():
    why = claim_verdict("solved", [True] * 16 + [False] * 14).why
    assert why == "16 of 30 seeds solve it: whether a single run does is a coin toss."
    assert "usually" in claim_verdict("solved", [True] * 28 + [False] * 2).why
    assert "now and then" in claim_verdict("solved", [True] * 5 + [False] * 25).why
    assert "11 %" in claim_verdict("never", [False] * 30).why  # Wilson: 0 of 30


def test_a_run_that_solved_it_is_seldom_called_lucky():
    # The published run is another draw, and it is published because it solved.
    rng = np.random.default_rng(2)
    words = [
        claim_verdict("solved", row[1:]).word
        for rate in (0.1, 0.3, 0.9)
        for row in rng.random((3000, 31)) < rate
        if row[0]
    ]
    assert np.mean([word == "not reproduced" for word in words]) < 0.05


def test_the_claim_decides_where_a_figure_is_given_too():
    assert verdict("never", 0.5, [0.5] * 30, [False] * 29 + [True]).word == "not reproduced"
    assert verdict(None, None, [0.5], [False]) is None


def test_diverged_seeds_are_lower_than_any_figure():
    found = spread(0.9, [np.nan] * 20 + [0.95] * 10)
    assert (found.place, found.low) == ("below", 0.95)
    assert found.p == pytest.approx(2 * 11 / 31)
    assert judged(0.9, [np.nan] * 30).word == "cannot tell"
    with pytest.raises(ValueError, match="finite"):
        spread(0.9, [np.nan])


def test_an_unknown_claim_is_an_error():
    with pytest.raises(ValueError, match="'mostly'"):
        claim_verdict("mostly", [True])


def test_diverged_seeds_prove_nothing_about_the_task():
    nan, finite = [np.nan] * 30, [0.5] * 30
    assert verdict("never", None, nan, [False] * 30).word == "cannot tell"
    assert verdict("solved", None, nan, [False] * 30).word == "cannot tell"
    told = verdict("never", None, finite + nan[:2], [False] * 32)
    assert told.word == "reproduced" and told.why.endswith("2 more diverged.")
