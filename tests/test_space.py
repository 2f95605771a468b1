"""Every proposal is legal, whatever the space; illegal spaces are refused before any trial."""

import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.framings import FRAMINGS
from lstm_bench.recipe import known_settings, recipe
from lstm_bench.search.conditions import BELONGS, OWNERS, meaningful
from lstm_bench.search.space import nearest, space
from lstm_bench.search.study import BATCH, Study, scores
from lstm_bench.sweep import Search
from lstm_bench.tasks import TASKS

SAMPLERS = ["tpe", "random", "grid", "qmc", "nsga2"]

OFFERED = {
    "network": ["lstm", "gru", "simple_rnn", "mlp", "conv1d"],
    "bidirectional": [False, True],
    "kernel_size": [1, 2, 3],
    "units": [4, 8],
    "layers": [1, 2],
    "epochs": [10, 20],
    "accumulate": [1, 3],
    "framing": list(FRAMINGS),
    "window": [1, 2, 3],
    "chunk": [1, 2, 4],
    "substrings": [5, 9],
    "max_length": [2, 3],
    "fresh": [0, 4],
    "stateful": [True, False],
    "layout": ["rows", "streams"],
    "reset": ["sequence", "epoch", "never"],
    "shuffle": ["none", "samples", "sequences"],
    "batch_size": [1, 2, 3, 4, 8, "all"],
    "encoding": ["onehot", "scaled", "raw"],
    "output": ["softmax", "sigmoid", "linear"],
    "loss": ["categorical_crossentropy", "binary_crossentropy", "mean_squared_error"],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "learning_rate": [0.001, 0.1],
    "momentum": [0.0, 0.5],
    "dropout": [0.0, 0.2],
    "evaluation": ["teacher_forced", "free_running", "cold_start", "step_by_step"],
    "start": ["0", "2", "B"],
}
"""Some values of every setting that all tasks have, legal or not."""

RANGES = {
    "units": {"int": (2, 64), "log": True},
    "kernel_size": {"int": (1, 3)},
    "window": {"int": (1, 4)},
    "batch_size": {"int": (1, 8), "log": True},
    "fresh": {"int": (0, 3)},
    "learning_rate": {"float": (1e-4, 1e-1), "log": True},
    "dropout": {"float": (0.0, 0.5)},
    "momentum": {"float": (0.1, 0.9)},
}

TASK_PARTS = {
    "memory": {"alphabet": [3, 5], "lag": [2, 4]},
    "alphabet": {"letters": [4, 9], "wrap": [False, True]},
    "random_memory": {"alphabet": [5, 6], "lag": [3, 4], "train": [2, 4], "unseen": [2, 4]},
    "cumulative_sum": {"steps": [4, 6], "train": [2, 4], "unseen": [2, 3]},
}


def search(parts, **options):
    given_ = {key: v if isinstance(v, dict) else tuple(v) for key, v in parts.items()}
    return Search(space=given_, **options)


@st.composite
def spaces(draw):
    """Draws a task, what is fixed, and up to six parts."""
    task = draw(st.sampled_from(sorted(TASK_PARTS)))
    offered = OFFERED | TASK_PARTS[task]
    keys = draw(st.lists(st.sampled_from(sorted(offered)), min_size=1, max_size=6, unique=True))
    parts = {}
    for key in keys:
        some = st.lists(st.sampled_from(offered[key]), min_size=1, max_size=3, unique_by=repr)
        parts[key] = draw(st.one_of(some, st.just(RANGES[key])) if key in RANGES else some)
    # What a part belongs to is mostly beside it: else hardly any of these would be a space.
    for key in [key for key in keys if key in BELONGS and draw(st.integers(0, 5))]:
        owner, beside = BELONGS[key]
        wanted = draw(st.sampled_from(beside))
        parts[owner] = [wanted, *(v for v in parts.get(owner, []) if v != wanted)]
    small = {"train": 4, "unseen": 4, "lag": 4} if "unseen" in offered else {}
    small = {key: value for key, value in small.items() if key in TASKS[task].model_fields}
    return parts, {"task": task} | {k: v for k, v in small.items() if k not in parts}


def listed(part):
    """Returns every value of a part; of a continuous one, its ends."""
    if isinstance(part, list):
        return part
    return list(part.get("float") or range(part["int"][0], part["int"][1] + 1))


def legal_ones(parts, fixed):
    """Returns which of all combinations are legal, tried one by one, as sets of their keys."""
    found = []
    keys = [key for key in parts if key not in ("units", "learning_rate", "dropout")]
    for values in itertools.product(*(listed(parts[key]) for key in keys)):
        chosen = meaningful({**fixed, **dict(zip(keys, values, strict=True))})
        try:
            recipe(**chosen)
            found.append(frozenset(chosen) | parts.keys() - set(keys))
        except RecipeError:
            continue
    return set(found)


def within(value, part):
    if isinstance(part, list):
        return value in part
    low, high = part.get("int") or part["float"]
    return low <= value <= high and ("float" in part or value == int(value))


@given(spaces(), st.sampled_from(SAMPLERS), st.integers(0, 10**6))
@settings(deadline=None, max_examples=400)
def test_every_proposal_is_legal_and_every_value_comes_from_the_space(drawn, sampler, seed):
    parts, fixed = drawn
    if sampler == "grid":
        parts = {k: OFFERED[k] if "float" in part else part for k, part in parts.items()}
    asked = search(parts, sampler=sampler, seed=seed, trials=12, startup=5)
    try:
        study = Study(asked, fixed)
    except RecipeError:
        # Refused only where nothing is legal, or a part has no use in anything that is.
        legal = legal_ones(parts, fixed)
        assert not all(any(key in each for each in legal) for key in parts)
        return
    for batch in study.batches():
        for trial, made in batch:  # by `recipe`, which raises on an illegal one
            proposed = made.settings
            assert proposed.items() >= fixed.items()
            means = meaningful(proposed)
            for key, part in parts.items():
                if key in means:
                    assert within(means[key], part), key
                else:
                    assert key in BELONGS
            study.tell(trial, None if trial.number == seed % 12 else made.units % 5, made.updates)


def test_every_setting_but_the_seed_can_be_searched():
    every = set().union(*(known_settings(task) for task in TASKS.values()))
    named = {"symbols"}  # how symbols are shown: it changes no result
    assert every - named == set(OFFERED) | {"delay"}.union(*TASK_PARTS.values())
    for task, parts in {**TASK_PARTS, "echo": {"delay": [1, 2]}}.items():
        for key, values in parts.items():
            few = {"train": 4, "unseen": 2, "batch_size": 2} if "unseen" in parts else {}
            fixed = {"task": task} | {k: v for k, v in few.items() if k != key}
            assert space(search({key: values}), fixed).keys == (key,)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_a_setting_belongs_to_decides_whether_it_is_chosen(sampler):
    parts = {key: OFFERED[key] for key in ("network", "optimizer", "momentum", "kernel_size")}
    parts |= {"evaluation": ["teacher_forced", "cold_start"], "start": ["A", "B"]}
    parts |= {"stateful": [True, False], "reset": ["epoch", "never"]}
    seen = set()
    for proposed in proposals(parts, {"task": "alphabet", "shuffle": "none"}, sampler, 64):
        assert proposed.momentum in ((0.0, 0.5) if proposed.optimizer == "sgd" else (0.0,))
        assert (proposed.start is None) == (proposed.evaluation != "cold_start")
        assert proposed.kernel_size == 3 or proposed.network == "conv1d"
        assert not proposed.stateful or proposed.reset in ("epoch", "never")
        seen |= {("momentum", proposed.momentum), ("start", proposed.start)}
        seen |= {("kernel", proposed.kernel_size), ("reset", proposed.settings.get("reset"))}
    assert len(seen) == 2 + 3 + 3 + 3


@pytest.mark.parametrize(
    ("key", "value", "fixed", "words"),
    [
        ("window", [2, 3], {"framing": "pairs"}, "framing=window or feature_window"),
        ("chunk", [1], {}, "framing=chunks"),
        ("fresh", [1, 2], {"framing": "prefixes"}, "framing=substrings"),
        ("reset", ["epoch"], {"stateful": False}, "stateful=true"),
        ("layout", ["rows"], {"task": "alphabet"}, "stateful=true"),
        ("momentum", {"float": (0.0, 0.9)}, {}, "optimizer=sgd"),
        ("kernel_size", {"int": (1, 5)}, {}, "network=conv1d"),
        ("bidirectional", [True, False], {"network": "mlp"}, "network=lstm or gru or simple_rnn"),
        ("start", ["0"], {}, "evaluation=cold_start"),
    ],
)
def test_a_part_that_can_never_apply_is_refused_with_its_key(key, value, fixed, words):
    with pytest.raises(RecipeError, match=rf"search\.space\.{key}: belongs to {words}, which"):
        space(search({key: value, "units": [1, 2]}), {"task": "memory"} | fixed)


def test_a_part_that_applies_only_to_what_is_illegal_is_refused_with_the_reason():
    parts = {"framing": ["pairs", "window"], "window": [30, 40]}
    with pytest.raises(RecipeError, match=r"search\.space\.window: .*nothing is legal.*4 steps"):
        space(search(parts), {"task": "memory"})
    parts = {"network": ["lstm", "conv1d"], "kernel_size": [2, 3]}
    with pytest.raises(RecipeError, match=r"search\.space\.kernel_size: .*keeps no state"):
        space(search(parts), {"task": "memory", "stateful": True})


def test_what_is_fixed_gives_way_where_it_means_nothing_and_stays_where_it_does():
    fixed = {"task": "memory", "momentum": 0.9, "window": 2, "kernel_size": 2, "stateful": False}
    parts = {key: OFFERED[key] for key in ("optimizer", "network")}
    parts |= {"framing": ["window", "pairs"]}
    found = [each.settings for each in proposals(parts, fixed, "grid", 100)]
    assert len(found) == 3 * 5 * 2
    for each in found:
        assert each["momentum"] == (0.9 if each["optimizer"] == "sgd" else 0.0)
        assert each.get("window") == (2 if each["framing"] == "window" else None)
        assert each.get("kernel_size") == (2 if each["network"] == "conv1d" else None)


def test_a_fault_of_what_is_fixed_is_not_blamed_on_the_space():
    with pytest.raises(RecipeError, match=r"^batch_size: "):
        space(search({"units": [1, 2]}), {"task": "memory", "batch_size": 3})


def test_conditions_are_those_of_the_recipe():
    """A setting that does not apply is refused by `recipe`, unless it has its default value."""
    for key, (owner, beside) in BELONGS.items():
        assert owner in OWNERS and key not in OWNERS and beside
        task = "alphabet" if key == "start" else "memory"
        base = {"evaluation": "cold_start"} if key == "start" else {"stateful": False}
        value = {"start": "B", "layout": "rows", "bidirectional": True}.get(key, OFFERED[key][1])
        for other in OFFERED[owner]:
            settings_ = {"task": task} | base | {owner: other, key: value}
            if owner == "framing" and other in ("whole", "chunks") and key == "bidirectional":
                continue
            try:
                recipe(**settings_)
                accepted = True
            except RecipeError as error:
                accepted = all(fault.key != key for fault in error.faults)
            assert accepted == (other in beside), (key, other)


def test_the_legal_combinations_are_those_that_recipe_accepts():
    parts = {key: OFFERED[key] for key in ("stateful", "shuffle", "batch_size", "layout")}
    found = space(search(parts), {"task": "memory"})
    accepted = set()
    for stateful, shuffle, size, layout in itertools.product(*parts.values()):
        given_ = {"stateful": stateful, "shuffle": shuffle, "batch_size": size}
        if stateful:
            given_["layout"] = layout
        try:
            accepted.add(recipe("memory", **given_).digest)
        except RecipeError:
            continue
    assert {recipe("memory", **combination).digest for combination in found.legal} == accepted


def test_a_space_that_is_never_legal_is_refused_with_the_rule():
    with pytest.raises(RecipeError, match=r"shuffle.*order of time"):
        space(search({"shuffle": ["samples"]}), {"task": "memory"})


def test_free_bounds_are_checked_before_any_trial():
    with pytest.raises(RecipeError, match=r"units.*greater than or equal to 1"):
        space(Search(space={"units": {"int": (0, 8)}}), {"task": "memory"})
    with pytest.raises(RecipeError, match="learning_rate"):
        space(Search(space={"learning_rate": {"float": (1e-3, 100.0)}}), {"task": "memory"})


def test_an_enormous_space_is_refused_with_its_size():
    with pytest.raises(RecipeError, match="at most 20,000 combinations"):
        parts = {"max_length": {"int": (1, 10_000)}, "substrings": {"int": (1, 10_000)}}
        space(Search(space=parts), {"task": "alphabet", "framing": "substrings"})


def proposals(parts, fixed, sampler="random", trials=40, told=lambda _: 0.0, **options):
    """Returns the recipes of a search in which `told` says what each one scores."""
    study = Study(search(parts, sampler=sampler, trials=trials, **options), fixed)
    found = []
    for batch in study.batches():
        found += [proposed for _, proposed in batch]
        for trial, proposed in batch:
            study.tell(trial, told(proposed), proposed.units * proposed.updates)
    assert len(found) == study.trials
    return found


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
    code = "import test_space as t; print([t.digests(24, each) for each in t.SAMPLERS])"
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
        study = Study(search(parts, sampler=sampler, trials=trials, **options), {"task": "memory"})
        return sum(map(study.random, range(study.trials)))

    assert told("tpe") == told("nsga2") == 16
    assert told("tpe", startup=5) == told("nsga2", startup=5) == 5
    assert told("random") == told("qmc") == 20
    assert (told("grid", 8), told("grid", 9), told("grid", 10)) == (0, 9, 9)


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
        Study(search(parts, sampler="grid"), {"task": "memory"})
    parts = {"epochs": {"int": (1, 10_000)}, "units": {"int": (1, 101)}}
    with pytest.raises(RecipeError, match="at most 1,000,000 recipes, but got 1,010,000"):
        Study(search(parts, sampler="grid"), {"task": "memory"})


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


def test_scores_are_one_value_a_seed():
    import pandas as pd

    class Outcome:
        seeds = pd.DataFrame({"accuracy": [0.5, 1.0], "solved": [False, True]})

    assert scores(Outcome, "accuracy").tolist() == [0.5, 1.0]
    assert scores(Outcome, "solve_rate").tolist() == [0.0, 1.0]
