"""Searches resume exactly where they stopped, with every sampler."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from test_space import SAMPLERS, proposals, search

from lstm_bench.errors import RecipeError
from lstm_bench.search._space import nearest_value
from lstm_bench.search._study import SearchStudy
from lstm_bench.sweeps._search import BATCH as BATCH_SIZE


def landscape(proposed):
    """Returns a score that depends only on the recipe; None for recipes that fail."""
    if proposed.units % 7 == 0:
        return None
    return 1 / (1 + abs(proposed.units - 17)) + proposed.stateful


def digests(trials, sampler="tpe", **options):
    parts = {"units": {"int": (2, 64)}, "stateful": [True, False], "batch_size": [1, 2, 4]}
    parts |= {"framing": ["pairs", "window", "whole"], "window": {"int": (1, 3)}}
    parts |= {"layout": ["rows", "streams"], "optimizer": ["adam", "sgd"], "momentum": [0.0, 0.9]}
    recipes = proposals(parts, {"task": "memory"}, sampler, trials, landscape, **options)
    return [proposed.digest for proposed in recipes]


@pytest.mark.long
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_outcomes_lead_to_the_same_proposals(sampler):
    assert digests(40, sampler) == digests(40, sampler)
    assert digests(40, sampler) != digests(40, sampler, seed=2)


@pytest.mark.long
def test_another_process_proposes_the_same():
    """The hashes of strings differ from process to process, and no order may depend on them."""
    code = "import test_study as t; print([t.digests(24, sampler) for sampler in t.SAMPLERS])"
    folder = Path(__file__).parent
    env = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": f"{folder}:{folder.parent}"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == str([digests(24, name) for name in SAMPLERS]), done.stderr


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_more_trials_extend_a_search_without_changing_it(sampler):
    shorter = digests(3 * BATCH_SIZE, sampler)
    assert digests(5 * BATCH_SIZE + 3, sampler)[: 3 * BATCH_SIZE] == shorter


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_in_which_every_trial_fails_goes_on(sampler):
    parts = {"units": {"int": (2, 64)}, "stateful": [True, False]}
    recipes = proposals(parts, {"task": "memory"}, sampler, 30, lambda _: None, startup=8)
    assert len(recipes) == 30


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_nothing_is_printed_and_no_warning_is_given(sampler, capfd):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        digests(24, sampler)
    assert [str(warning.message) for warning in caught] == []
    assert capfd.readouterr() == ("", "")


def test_the_first_trials_are_drawn_at_random():
    """Scores change no proposal during the random start, and some after it."""
    for sampler in ("tpe", "nsga2"):
        parts = {"units": {"int": (2, 500)}, "epochs": {"int": (1, 900)}}
        high, low = (
            proposals(parts, {"task": "memory"}, sampler, 40, score, startup=12)
            for score in (lambda recipe: recipe.units, lambda recipe: -recipe.units)
        )
        assert high[:12] == low[:12] != []
        assert high[16:] != low[16:]


def test_which_trials_are_random():
    def random_count(sampler, trials=20, parts=None, **options):
        parts = parts or {"units": [1, 2, 3], "epochs": [1, 2, 3]}
        study = SearchStudy(
            search(parts, sampler=sampler, trials=trials, **options), {"task": "memory"}
        )
        return sum(map(study.is_random, range(study.trial_count)))

    assert random_count("tpe") == random_count("nsga2") == 16
    assert random_count("tpe", startup=5) == random_count("nsga2", startup=5) == 5
    assert random_count("random") == random_count("qmc") == 20
    assert [random_count("grid", trials) for trials in (8, 9, 10)] == [0, 9, 9]


def test_no_more_different_recipes_are_proposed_than_there_are():
    parts = {"units": {"int": (2, 5)}, "stateful": [True, False], "shuffle": ["none", "samples"]}
    drawn = {r.digest for r in proposals(parts, {"task": "memory"}, "random", 200)}
    # A stateful network cannot have shuffled samples.
    for sampler, trials, most in (("random", 200, 12), ("tpe", 5, 5), ("grid", 200, 12)):
        study = SearchStudy(search(parts, sampler=sampler, trials=trials), {"task": "memory"})
        assert study.distinct_count == most
    assert len(drawn) == 12 and {r.digest for r in study.sample(50)} == drawn
    rates = {"learning_rate": {"float": (1e-3, 1e-2)}}
    assert SearchStudy(search(rates, trials=50), {"task": "memory"}).distinct_count == 50


def test_a_grid_is_every_legal_recipe_once():
    parts = {"stateful": [True, False], "batch_size": [1, 3, 4], "layout": ["rows", "streams"]}
    parts |= {"units": {"int": (2, 4)}, "optimizer": ["adam", "sgd"], "momentum": [0.1, 0.2]}
    grid = proposals(parts, {"task": "memory"}, "grid", 10_000)
    assert len({proposed.digest for proposed in grid}) == len(grid)
    drawn = proposals(parts, {"task": "memory"}, "random", 1000)
    assert {proposed.digest for proposed in drawn} == {proposed.digest for proposed in grid}
    # Stateless: 3 batch sizes; stateful: 1 and 4 in either layout. 3 units; adam, or sgd and two.
    assert len(grid) == (3 + 2 * 2) * 3 * 3


def test_a_grid_of_floats_or_of_too_many_recipes_is_refused():
    parts = {"learning_rate": {"float": (0.1, 0.2)}, "units": [1, 2]}
    with pytest.raises(RecipeError, match=r"search\.space\.learning_rate: .*give choices"):
        SearchStudy(search(parts, sampler="grid"), {"task": "memory"})
    parts = {"epochs": {"int": (1, 10_000)}, "units": {"int": (1, 101)}}
    with pytest.raises(RecipeError, match="at most 1,000,000 recipes, but got 1,010,000"):
        SearchStudy(search(parts, sampler="grid"), {"task": "memory"})


def test_qmc_is_spread_more_evenly_than_chance():
    """Each 64th of the range has one of 64 Sobol points; of random points 63 % have any."""
    parts = {"units": {"int": (1, 64)}, "stateful": [True, False], "reset": ["epoch", "sequence"]}
    spread = {
        sampler: len({r.units for r in proposals(parts, {"task": "memory"}, sampler, 64)})
        for sampler in ("qmc", "random")
    }
    assert spread["qmc"] == 64 and spread["random"] < 50


def test_a_logarithmic_range_of_a_setting_that_legality_depends_on():
    parts = {"batch_size": {"int": (1, 64), "log": True}}
    fixed = {"task": "alphabet", "letters": 26, "stateful": False}
    sizes = [proposed.batch_size for proposed in proposals(parts, fixed, "random", 300)]
    assert max(sizes) <= 25  # the number of samples
    # In logarithms, 23 % of [0.5, 64.5] are below 1.5, and 34 % from 12.5 on.
    assert 0.15 < np.mean([size == 1 for size in sizes]) < 0.32
    assert 0.25 < np.mean([size >= 13 for size in sizes]) < 0.43
    assert [nearest_value(drawn, [2, 8], log=True) for drawn in (2, 3, 5, 9)] == [2, 2, 8, 8]


def test_tpe_finds_more_of_what_scores_well_than_chance():
    """Half of all random proposals are stateful, and stateful recipes score higher."""
    parts = {"stateful": [True, False], "units": {"int": (2, 64)}}
    recipes = proposals(parts, {"task": "memory"}, "tpe", 64, landscape)
    assert sum(proposed.stateful for proposed in recipes[-32:]) > 24


def test_nsga2_finds_recipes_that_score_well_and_recipes_that_cost_little():
    """Many units score well and few cost little: the front has both."""
    parts = {"units": {"int": (2, 200)}, "epochs": {"int": (10, 400)}}
    recipes = proposals(parts, {"task": "memory"}, "nsga2", 160, lambda r: float(r.units))
    start, end = recipes[:16], recipes[-32:]
    # Epochs cost and do not change the score, so their number falls.
    assert np.median([e.epochs for e in end]) < np.median([e.epochs for e in start]) / 2
    assert max(e.units for e in end) > 150 and min(e.units for e in end) < 50
