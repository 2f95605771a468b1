"""Variance components, compared with draws of known components and closed forms."""

import numpy as np
import pytest

from lstm_bench.statistics._variance_components import seed_variance_fraction, variance_components


def crossed(rng, shape, data=0.0, init=0.0, order=0.0, pair=0.0, rest=0.0):
    """Returns scores whose sources have these standard deviations; `pair` is data with init."""
    d, i, o = shape
    return (
        data * rng.normal(size=(d, 1, 1))
        + init * rng.normal(size=(1, i, 1))
        + order * rng.normal(size=(1, 1, o))
        + pair * rng.normal(size=(d, i, 1))
        + rest * rng.normal(size=shape)
    )


@pytest.mark.parametrize("shape", [(4, 4, 4), (3, 5, 6)])
def test_the_components_are_unbiased(shape):
    rng = np.random.default_rng(1)
    stds = {"data": 2.0, "init": 3.0, "order": 4.0, "pair": 1.0, "rest": 0.5}
    draws = [variance_components(crossed(rng, shape, **stds)) for _ in range(1500)]
    # All components are so large that hardly any estimate falls below 0: they stay unbiased.
    for name, expected in {"data": 4, "init": 9, "order": 16, "together": 1.25}.items():
        values = np.array([getattr(components, name) for components in draws])
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - expected) < 4 * error + 0.05, name


def test_two_by_two_by_two_by_hand():
    scores = np.array([[[0, 0], [1, 1]], [[2, 2], [3, 3]]], dtype=float)  # 2 x data + init
    components = variance_components(scores)
    # A component of two values is their variance with one degree of freedom.
    expected = {"data": 2, "init": 0.5, "order": 0, "together": 0}
    assert vars(components) == pytest.approx(expected)
    fractions = {"data": 0.8, "init": 0.2, "order": 0, "together": 0}
    assert components.fractions == pytest.approx(fractions)


def test_an_order_that_changes_nothing_has_no_component():
    rng = np.random.default_rng(2)
    scores = np.repeat(crossed(rng, (4, 4, 1), data=0.1, init=0.1, pair=0.1), 4, axis=2)
    components = variance_components(0.7 + scores)
    assert components.order == 0 and components.total > 0
    assert sum(components.fractions.values()) == pytest.approx(1)


def test_interactions_are_counted_together():
    scores = crossed(np.random.default_rng(4), (8, 8, 8), pair=1.0, rest=1.0)
    components = variance_components(scores)
    assert components.together == pytest.approx(2, rel=0.3)
    assert components.fractions["together"] > 0.8


def test_constant_scores_have_no_fractions():
    components = variance_components(np.full((3, 3, 3), 0.1))
    assert components.total == 0
    assert np.isnan(list(components.fractions.values())).all()


def test_a_source_with_one_value_and_a_score_that_is_not_finite_are_rejected():
    with pytest.raises(ValueError, match="at least 2 values"):
        variance_components(np.zeros((3, 1, 3)))
    with pytest.raises(ValueError, match="finite"):
        variance_components(np.full((2, 2, 2), np.nan))


@pytest.mark.parametrize(("recipes", "seeds"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 0.0)])
def test_the_fraction_of_the_seeds_equals_that_of_the_draws(recipes, seeds):
    rng = np.random.default_rng(3)
    sizes = rng.integers(3, 24, 400)
    groups = [recipes * rng.normal() + seeds * rng.normal(size=size) for size in sizes]
    expected = seeds**2 / (seeds**2 + recipes**2)
    assert seed_variance_fraction(groups) == pytest.approx(expected, abs=0.06)


def test_the_fraction_of_the_seeds_by_hand():
    # Mean squares between 8 and within 2, two seeds per recipe: (8 - 2) / 2 = 3 between recipes.
    assert seed_variance_fraction([[0, 2], [4, 6], [2, 4]]) == pytest.approx(2 / (2 + 3))


def test_the_fraction_of_the_seeds_is_nan_without_two_recipes_or_two_seeds():
    for groups in ([], [[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 1.0], [1.0]]):
        assert np.isnan(seed_variance_fraction(groups))
