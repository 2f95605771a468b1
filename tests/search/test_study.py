"""Searches go on exactly where they stopped, whichever sampler leads them."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from test_space import SAMPLERS, proposals, search

from lstm_bench.errors import RecipeError
from lstm_bench.search._space import nearest
from lstm_bench.search._study import BATCH, SearchStudy


def landscape(proposed):
    """A score that depends on the recipe alone; some recipes fail."""
    if proposed.units % 7 == 0:
        return None
    return 1 / (1 + abs(proposed.units - 17)) + proposed.stateful


def digests(trials, sampler="tpe", **options):
    parts = {"units": {"int": (2, 64)}, "stateful": [True, False], "batch_size": [1, 2, 4]}
    parts |= {"framing": ["pairs", "window", "whole"], "window": {"int": (1, 3)}}
    parts |= {"layout": ["rows", "streams"], "optimizer": ["adam", "sgd"], "momentum": [0.0, 0.9]}
    found = proposals(parts, {"task": "memory"}, sampler, trials, landscape, **options)
    return [each.digest for each in found]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_outcomes_lead_to_the_same_proposals(sampler):
    assert digests(40, sampler) == digests(40, sampler)
    assert digests(40, sampler) != digests(40, sampler, seed=2)


def test_another_process_proposes_the_same():
    """Texts are hashed otherwise in every process, and no order may depend on that."""
    code = "import test_study as t; print([t.digests(24, each) for each in t.SAMPLERS])"
    here = Path(__file__).parent
    env = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": f"{here}:{here.parent}"}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert said.stdout.strip() == str([digests(24, each) for each in SAMPLERS]), said.stderr


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_more_trials_extend_a_search_without_changing_it(sampler):
    assert digests(5 * BATCH + 3, sampler)[: 3 * BATCH] == digests(3 * BATCH, sampler)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_of_which_every_trial_fails_goes_on(sampler):
    parts = {"units": {"int": (2, 64)}, "stateful": [True, False]}
    found = proposals(parts, {"task": "memory"}, sampler, 30, lambda _: None, startup=8)
    assert len(found) == 30


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_nothing_is_printed_and_nothing_warned_of(sampler, capfd):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        digests(24, sampler)
    assert [str(each.message) for each in caught] == []
    assert capfd.readouterr() == ("", "")


def test_the_first_trials_are_drawn_at_random():
    """What is told changes nothing before the start is over, and something after it."""
    for sampler in ("tpe", "nsga2"):
        parts = {"units": {"int": (2, 500)}, "epochs": {"int": (1, 900)}}
        high, low = (
            proposals(parts, {"task": "memory"}, sampler, 40, told, startup=12)
            for told in (lambda each: each.units, lambda each: -each.units)
        )
        assert high[:12] == low[:12] != []
        assert high[16:] != low[16:]


def test_which_trials_are_random():
    def told(sampler, trials=20, parts=None, **options):
        parts = parts or {"units": [1, 2, 3], "epochs": [1, 2, 3]}
        study = SearchStudy(
            search(parts, sampler=sampler, trials=trials, **options), {"task": "memory"}
        )
        return sum(map(study.random, range(study.trials)))

    assert told("tpe") == told("nsga2") == 16
    assert told("tpe", startup=5) == told("nsga2", startup=5) == 5
    assert told("random") == told("qmc") == 20
    assert (told("grid", 8), told("grid", 9), told("grid", 10)) == (0, 9, 9)


def test_no_more_different_recipes_are_proposed_than_there_are():
    parts = {"units": {"int": (2, 5)}, "stateful": [True, False], "shuffle": ["none", "samples"]}
    found = {r.digest for r in proposals(parts, {"task": "memory"}, "random", 200)}
    # A kept state goes with none of the shuffled samples.
    for sampler, trials, most in (("random", 200, 12), ("tpe", 5, 5), ("grid", 200, 12)):
        study = SearchStudy(search(parts, sampler=sampler, trials=trials), {"task": "memory"})
        assert study.distinct == most
    assert len(found) == 12 and {r.digest for r in study.drawn(50)} == found
    rates = {"learning_rate": {"float": (1e-3, 1e-2)}}
    assert SearchStudy(search(rates, trials=50), {"task": "memory"}).distinct == 50


def test_a_grid_is_every_legal_recipe_once():
    parts = {"stateful": [True, False], "batch_size": [1, 3, 4], "layout": ["rows", "streams"]}
    parts |= {"units": {"int": (2, 4)}, "optimizer": ["adam", "sgd"], "momentum": [0.1, 0.2]}
    grid = proposals(parts, {"task": "memory"}, "grid", 10_000)
    assert len({each.digest for each in grid}) == len(grid)
    drawn = proposals(parts, {"task": "memory"}, "random", 1000)
    assert {each.digest for each in drawn} == {each.digest for each in grid}
    # Stateless: 3 batch sizes; stateful: 1 and 4 in either layout. 3 units; adam, or sgd and two.
    assert len(grid) == (3 + 2 * 2) * 3 * 3


def test_a_grid_of_floats_or_of_too_many_recipes_is_refused_with_the_repair():
    parts = {"learning_rate": {"float": (0.1, 0.2)}, "units": [1, 2]}
    with pytest.raises(RecipeError, match=r"search\.space\.learning_rate: .*give choices"):
        SearchStudy(search(parts, sampler="grid"), {"task": "memory"})
    parts = {"epochs": {"int": (1, 10_000)}, "units": {"int": (1, 101)}}
    with pytest.raises(RecipeError, match="at most 1,000,000 recipes, but got 1,010,000"):
        SearchStudy(search(parts, sampler="grid"), {"task": "memory"})


def test_qmc_is_spread_more_evenly_than_chance():
    """Of 64 points of a Sobol sequence, each 64th of the range holds one; at random, 63 % do."""
    parts = {"units": {"int": (1, 64)}, "stateful": [True, False], "reset": ["epoch", "sequence"]}
    spread = {
        sampler: len({each.units for each in proposals(parts, {"task": "memory"}, sampler, 64)})
        for sampler in ("qmc", "random")
    }
    assert spread["qmc"] == 64 and spread["random"] < 50


def test_a_logarithmic_range_of_a_setting_that_legality_depends_on():
    parts = {"batch_size": {"int": (1, 64), "log": True}}
    fixed = {"task": "alphabet", "letters": 26, "stateful": False}
    found = [each.batch_size for each in proposals(parts, fixed, "random", 300)]
    assert max(found) <= 25  # as many samples as there are
    # In logarithms, 23 % of [0.5, 64.5] are below 1.5, and 34 % from 12.5 on.
    assert 0.15 < np.mean([size == 1 for size in found]) < 0.32
    assert 0.25 < np.mean([size >= 13 for size in found]) < 0.43
    assert [nearest(drawn, [2, 8], log=True) for drawn in (2, 3, 5, 9)] == [2, 2, 8, 8]


def test_tpe_finds_more_of_what_scores_well_than_chance():
    """Half of all random proposals are stateful; TPE is told that stateful scores higher."""
    parts = {"stateful": [True, False], "units": {"int": (2, 64)}}
    found = proposals(parts, {"task": "memory"}, "tpe", 64, landscape)
    assert sum(each.stateful for each in found[-32:]) > 24


def test_nsga2_finds_what_scores_well_and_what_costs_little():
    """Score asks for many units and cost for few: the front is wider than what tpe looks at."""
    parts = {"units": {"int": (2, 200)}, "epochs": {"int": (10, 400)}}
    found = proposals(parts, {"task": "memory"}, "nsga2", 160, lambda each: float(each.units))
    start, end = found[:16], found[-32:]
    # Epochs cost and bring nothing: they go.
    assert np.median([e.epochs for e in end]) < np.median([e.epochs for e in start]) / 2
    assert max(e.units for e in end) > 150 and min(e.units for e in end) < 50
