"""The best of several finalists: bias, coverage and the simplest recipe, in simulations."""

import math

import numpy as np
import pytest
from outcome_builder import build_outcome
from scipy import stats

from lstm_bench.analysis._finalists import FrontPoint, simplest_of
from lstm_bench.results import Row
from lstm_bench.statistics import mean_interval, rate_p_value, solve_rate, winner_score

TRUE = {  # in points
    "equal": lambda recipes: np.zeros(recipes),
    "spread": lambda recipes: np.linspace(-6, 0, recipes),
    "one ahead": lambda recipes: np.r_[np.full(recipes - 1, -5.0), 0],
}


def best_of(kind, recipes, seeds, reports, shared=0.3):
    """Returns the mean errors of the raw and of the corrected score, and the coverage.

    The standard deviation of a seed is 5 points, of which `shared` is common to all recipes.
    """
    rng = np.random.default_rng(seeds)
    true = 80 + TRUE[kind](recipes)
    raw, corrected, plain, together = [], [], 0, 0
    for _ in range(reports):
        noise = math.sqrt(shared) * rng.standard_normal(seeds)
        noise = noise + math.sqrt(1 - shared) * rng.standard_normal((recipes, seeds))
        scores = (true[:, None] + 5 * noise) / 100
        best = int(scores.mean(axis=1).argmax())
        raw.append(100 * scores[best].mean() - true[best])
        corrected.append(100 * winner_score(scores) - true[best])
        for level in (0.05, 0.05 / recipes):
            interval = mean_interval(scores[best], 0.0, 1.0, level)
            covers = interval.low <= true[best] / 100 <= interval.high
            plain, together = (plain + covers, together) if level == 0.05 else (
                plain, together + covers
            )  # fmt: skip
    return np.array(raw), np.array(corrected), plain, together


def test_the_best_of_ten_is_corrected_and_covered():
    raw, corrected, plain, together = best_of("equal", 10, 10, 150)
    error = corrected.std() / math.sqrt(len(corrected))
    assert raw.mean() > 1.5  # the flattery is there
    assert abs(corrected.mean()) < 3 * error
    assert plain / 150 < 0.92
    assert stats.binom.cdf(together, 150, 0.95) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRUE)
@pytest.mark.parametrize(("recipes", "seeds"), [(5, 10), (10, 10), (8, 16), (10, 30)])
def test_the_best_of_several_in_many_reports(kind, recipes, seeds):
    raw, corrected, plain, together = best_of(kind, recipes, seeds, 1000)
    print(
        f"best of {recipes}, {seeds} seeds, {kind}: raw {raw.mean():+.2f} points, corrected "
        f"{corrected.mean():+.2f} (sd {raw.std():.2f}, {corrected.std():.2f}), covered by its own "
        f"interval {plain / 1000:.1%}, by that of all finalists {together / 1000:.1%}"
    )
    assert abs(corrected.mean()) < 0.6  # of a standard deviation of 5 points
    assert stats.binom.cdf(together, 1000, 0.95) > 0.01


def test_a_recipe_that_is_ahead_on_every_seed_keeps_its_mean():
    scores = np.random.default_rng(0).random((4, 12)) * 0.1
    scores[2] += 0.5
    assert winner_score(scores) == pytest.approx(scores[2].mean(), abs=1e-12)
    assert winner_score(scores[2:3]) == pytest.approx(scores[2].mean())
    assert math.isnan(winner_score(scores[:, :2]))
    assert math.isnan(winner_score(np.where(scores > 0.59, np.nan, scores)))


def test_the_corrected_score_is_that_of_all_splits_by_hand():
    # Two recipes and three seeds: two choose, one scores. The splits leave out one seed each.
    scores = np.array([[0.9, 0.5, 0.4], [0.6, 0.6, 0.6]])
    left_out = [0.6, 0.5, 0.4]  # without seed 0 the second is chosen, otherwise the first
    assert winner_score(scores) == pytest.approx(np.mean(left_out), abs=0.03)


def points(rates):
    """Returns confirmed recipes with so many of n seeds solved each."""
    made = []
    for number, solved in enumerate(rates):
        outcome = build_outcome(np.where(solved, 1.0, 0.5), digest=f"{number:012}")
        row = Row(f"confirm-{number}", outcome, role="confirmed", of=f"trial-{number}")
        made.append(FrontPoint(row, number, solve_rate(solved), True))
    return made


def wrongly_named(finalists, seeds, reports):
    """Returns how often any recipe is named although the true rate of all is just below 80 %."""
    rng = np.random.default_rng(finalists)
    solved = rng.random((reports, finalists, seeds)) < 0.799
    p_values = np.array([rate_p_value(k, seeds, 0.8) for k in range(seeds + 1)])
    lows = np.array([solve_rate(np.arange(seeds) < k).low for k in range(seeds + 1)])
    counts = solved.sum(axis=2).max(axis=1)  # Holm's first step decides
    before = (lows[counts] >= 0.8).mean()
    return before, ((lows[counts] >= 0.8) & (finalists * p_values[counts] <= 0.05)).mean()


@pytest.mark.parametrize("seeds", [16, 30])
@pytest.mark.parametrize("finalists", [1, 2, 8])
def test_the_simplest_recipe_is_wrong_in_at_most_5_percent(finalists, seeds):
    before, now = wrongly_named(finalists, seeds, 10_000)
    print(f"{finalists} finalists, {seeds} seeds: wrong {before:.1%} before, {now:.1%} now")
    assert now < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 10_000)
    if (finalists, seeds) == (8, 16):
        assert before > 0.15  # what the correction is for


def test_the_simplest_recipe_is_corrected_for_the_finalists():
    perfect, half = np.ones(16, bool), np.arange(16) < 8
    alone = simplest_of(points([perfect]))
    assert alone.point is not None and "Holm" not in alone.sentence
    among = simplest_of(points([perfect, *[half] * 7]))
    assert among.point is None and "at least 23 seeds" in among.why
    many = simplest_of(points([np.ones(23, bool), *[np.arange(23) < 8] * 7]))
    assert many.point is not None
    assert many.p_holm == pytest.approx(8 * 0.8**23)
    assert "8 finalists" in many.sentence
