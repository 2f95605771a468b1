"""Every proposal is legal, in any space; illegal spaces are refused before any trial."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._framings import FRAMINGS
from lstm_bench.recipes._recipe import known_settings, recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.search._space import build_space
from lstm_bench.search._study import SearchStudy
from lstm_bench.sweeps._conditions import CONDITIONS, applicable_settings
from lstm_bench.sweeps._search import Search
from lstm_bench.sweeps._sweep import parse_sweep

SAMPLERS = ["tpe", "random", "grid", "qmc", "nsga2"]

OFFERED = {
    "network": ["lstm", "gru", "simple_rnn", "mlp", "conv1d", "lstm_1997"],
    "block_size": [1, 2],
    "output_gate": [False, True],
    "squashing": ["symmetric", "positive"],
    "recurrent_inputs": [False, True],
    "biases": ["none", "gates", "hidden", "all"],
    "initial_range": [0.1, 0.2],
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
    "loss": [
        "categorical_crossentropy",
        "binary_crossentropy",
        "mean_squared_error",
        "summed_squared_error",
    ],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "learning_rate": [0.001, 0.1],
    "momentum": [0.0, 0.5],
    "dropout": [0.0, 0.2],
    "evaluation": ["teacher_forced", "free_running", "cold_start", "step_by_step"],
    "evaluate_every": [1, 7],
    "forget_bias": [0.5, 2, "chrono"],
    "longest_time": [10, 30],
    "clip_norm": [0.1, 1.0],
    "decay": ["linear", "cosine"],
    "truncate": [1, 2, 5],
    "update": ["step"],
    "cells_from": [1, 3],
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
    "clip_norm": {"float": (0.01, 10.0), "log": True},
    "truncate": {"int": (1, 6)},
}

TASK_PARTS = {
    "memory": {"alphabet": [3, 5], "lag": [2, 4]},
    "alphabet": {"letters": [4, 9], "wrap": [False, True]},
    "random_memory": {"alphabet": [5, 6], "lag": [3, 4], "train": [2, 4], "unseen": [2, 4]},
    "cumulative_sum": {"steps": [4, 6], "train": [2, 4], "unseen": [2, 3]},
}

STANDARD = {
    "random_memory": {"new_each_epoch": [True]},
    "multiplication": {"variant": ["1997", "modern"], "misses_below": [13, 140]},
    "temporal_order": {"symbols": [2, 3], "length": [10, 20], "stop": ["rule"]},
    "embedded_reber": {
        "longest_string": [20, 30], "overlap": [True], "recall_weight": [1.0, 5.0],
        "stop_after_solved": [0, 2],
    },
    "long_lag": {"distractors": [2, 3], "variant": ["a", "b", "c"]},
    "noisy_sequences": {"informative": [1, 2]},
    "copy": {"blanks": [3, 4], "copied": [3, 4], "symbols": [4, 5]},
    "parity": {"unseen_length": [50, 60]},
}  # fmt: skip
"""Settings of single tasks, and those that only fit some tasks."""


def search(parts, **options):
    space = {key: v if isinstance(v, dict) else tuple(v) for key, v in parts.items()}
    return Search(space=space, **options)


def proposals(parts, fixed, sampler="random", trials=40, score=lambda _: 0.0, **options):
    """Returns the recipes that a search proposes; `score` returns the score of a recipe."""
    study = SearchStudy(search(parts, sampler=sampler, trials=trials, **options), fixed)
    recipes = []
    for batch in study.batches():
        recipes += [proposed for _, proposed in batch]
        for trial, proposed in batch:
            study.tell(trial, score(proposed), proposed.units * proposed.updates)
    assert len(recipes) == study.trial_count
    return recipes


@st.composite
def spaces(draw):
    """Draws up to six parts, and the fixed settings with a task."""
    task = draw(st.sampled_from(sorted(TASK_PARTS)))
    offered = OFFERED | TASK_PARTS[task]
    keys = draw(st.lists(st.sampled_from(sorted(offered)), min_size=1, max_size=6, unique=True))
    parts = {}
    for key in keys:
        some = st.lists(st.sampled_from(offered[key]), min_size=1, max_size=3, unique_by=repr)
        parts[key] = draw(st.one_of(some, st.just(RANGES[key])) if key in RANGES else some)
    # For most conditional parts the parent gets a fitting value, or few of these would be spaces.
    for key in [key for key in keys if key in CONDITIONS and draw(st.integers(0, 5))]:
        parent, values = CONDITIONS[key]
        value = draw(st.sampled_from(values))
        parts[parent] = [value, *(v for v in parts.get(parent, []) if v != value)]
    small = {"train": 4, "unseen": 4, "lag": 4} if "unseen" in offered else {}
    small = {key: value for key, value in small.items() if key in BUILT_IN_TASKS[task].model_fields}
    return parts, {"task": task} | {k: v for k, v in small.items() if k not in parts}


def values_of(part):
    """Returns every value of a part; of a continuous one, its ends."""
    if isinstance(part, list):
        return part
    return list(part.get("float") or range(part["int"][0], part["int"][1] + 1))


def legal_combinations(parts, fixed):
    """Tries all combinations one by one; returns the legal ones, as sets of their keys."""
    legal = []
    keys = [key for key in parts if key not in ("units", "learning_rate", "dropout")]
    for values in itertools.product(*(values_of(parts[key]) for key in keys)):
        settings = {**fixed, **dict(zip(keys, values, strict=True))}
        chosen = applicable_settings(settings, BUILT_IN_TASKS)
        try:
            recipe(**chosen)
            legal.append(frozenset(chosen) | parts.keys() - set(keys))
        except RecipeError:
            continue
    return set(legal)


def within(value, part):
    if isinstance(part, list):
        return value in part
    low, high = part.get("int") or part["float"]
    return low <= value <= high and ("float" in part or value == int(value))


@pytest.mark.long
@given(spaces(), st.sampled_from(SAMPLERS), st.integers(0, 10**6))
@settings(deadline=None, max_examples=400)
def test_every_proposal_is_legal_and_every_value_comes_from_the_space(drawn, sampler, seed):
    parts, fixed = drawn
    if sampler == "grid":
        parts = {k: OFFERED[k] if "float" in part else part for k, part in parts.items()}
    options = search(parts, sampler=sampler, seed=seed, trials=12, startup=5)
    try:
        study = SearchStudy(options, fixed)
    except RecipeError:
        # Refused only if nothing is legal, or a part applies in no legal combination.
        legal = legal_combinations(parts, fixed)
        assert not all(any(key in combination for combination in legal) for key in parts)
        return
    for batch in study.batches():
        for trial, proposed in batch:  # built by `recipe`, which raises on an illegal one
            assert proposed.settings.items() >= fixed.items()
            applicable = applicable_settings(proposed.settings, BUILT_IN_TASKS)
            for key, part in parts.items():
                if key in applicable:
                    assert within(applicable[key], part), key
                else:
                    assert key in CONDITIONS
            score = None if trial.number == seed % 12 else proposed.units % 5
            study.tell(trial, score, proposed.updates)


def test_every_setting_but_the_seed_can_be_searched():
    every = set().union(*(known_settings(task) for task in BUILT_IN_TASKS.values()))
    excluded = {"symbols"}  # how symbols are shown: it changes no result
    excluded |= {"input_gate_bias", "output_gate_bias"}  # lists, and choices are single values
    excluded |= BUILT_IN_TASKS["csv"].not_searchable  # they define the problem
    more_parts = {"echo": {"delay": [1, 2]}, "csv": {"difference": [False, True]}} | STANDARD
    offered = set(OFFERED).union(*TASK_PARTS.values(), *more_parts.values())
    assert every - excluded == offered - excluded
    for task, parts in [*TASK_PARTS.items(), *more_parts.items()]:
        for key, values in parts.items():
            small = {"train": 4, "unseen": 2, "batch_size": 2} if "unseen" in parts else {}
            fixed = {"task": task} | {k: v for k, v in small.items() if k != key}
            assert build_space(search({key: values}), fixed).keys == (key,)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_conditional_settings_are_chosen_only_where_they_apply(sampler):
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


def test_forget_biases_are_numbers_and_chrono_and_the_longest_time_is_that_of_chrono():
    parts = {"forget_bias": [0.5, 2, "chrono"], "longest_time": [10, 30]}
    parts |= {"network": ["lstm", "gru"], "truncate": [2], "framing": ["pairs", "whole"]}
    grid = proposals(parts, {"task": "memory", "stateful": False}, "grid", 100)
    # Only samples of several time steps can be cut, and only an LSTM has forget gates.
    assert {chosen.framing.name for chosen in grid} == {"whole"}
    seen = [(r.network, r.forget_bias, r.longest_time) for r in grid]
    lstms = [(0.5, None), (2.0, None), ("chrono", 10), ("chrono", 30)]
    assert sorted(seen, key=str) == sorted(
        [("gru", None, None), *(("lstm", *biases) for biases in lstms)], key=str
    )


def test_a_range_of_forget_biases_is_searched():
    parts = {"forget_bias": {"float": (0.0, 5.0)}, "network": ["lstm", "gru"]}
    for proposed in proposals(parts, {"task": "memory"}):
        if proposed.network == "gru":
            assert proposed.forget_bias is None
        else:
            assert 0 <= proposed.forget_bias <= 5


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
        (
            "bidirectional",
            [True, False],
            {"network": "mlp"},
            "network=lstm or gru or simple_rnn or lstm_1997",
        ),
        ("block_size", [1, 2], {"network": "gru"}, "network=lstm_1997"),
        ("start", ["0"], {}, "evaluation=cold_start"),
        ("forget_bias", [1.0], {"network": "gru"}, "network=lstm"),
        ("longest_time", [9], {"forget_bias": 2.0}, "forget_bias=chrono"),
        ("truncate", [1], {"network": "mlp"}, "network=lstm or gru or simple_rnn"),
        ("update", ["step"], {"network": "gru"}, "network=lstm_1997"),
        ("cells_from", [1], {"network": "lstm_1997"}, "update=step"),
    ],
)
def test_a_part_that_can_never_apply_is_refused_with_its_key(key, value, fixed, words):
    with pytest.raises(RecipeError, match=rf"search\.space\.{key}: belongs to {words}, which"):
        build_space(search({key: value, "units": [1, 2]}), {"task": "memory"} | fixed)


def test_a_part_that_applies_only_in_illegal_recipes_is_refused_with_the_reason():
    parts = {"framing": ["pairs", "window"], "window": [30, 40]}
    with pytest.raises(RecipeError, match=r"search\.space\.window: .*no such recipe.*4 steps"):
        build_space(search(parts), {"task": "memory"})
    parts = {"network": ["lstm", "conv1d"], "kernel_size": [2, 3]}
    with pytest.raises(RecipeError, match=r"search\.space\.kernel_size: .*keeps no state"):
        build_space(search(parts), {"task": "memory", "stateful": True})


def test_units_are_proposed_that_fit_the_blocks():
    fixed = {"task": "memory", "network": "lstm_1997", "stateful": False}
    parts = {"units": {"int": (1, 7)}, "block_size": [1, 2, 3]}
    seen = {(p.units, p.block_size) for p in proposals(parts, fixed, "grid", 100)}
    assert seen == {(n, 1) for n in range(1, 8)} | {(2, 2), (4, 2), (6, 2), (3, 3), (6, 3)}
    given_biases = fixed | {"block_size": 2, "input_gate_bias": [-1, -2]}
    assert {p.units for p in proposals({"units": [3, 4, 5, 6]}, given_biases)} == {4}
    parts = {"output_gate": [False, True], "biases": ["none", "all"], "units": [2, 4]}
    given_biases |= {"output_gate_bias": [0, 0]}
    seen = {(p.output_gate, p.biases, p.units) for p in proposals(parts, given_biases, "grid", 9)}
    assert seen == {(True, "all", 4)}
    with pytest.raises(RecipeError, match="units must be a multiple of block_size"):
        build_space(search({"units": [3, 5]}), fixed | {"block_size": 2})


def test_updates_after_every_step_are_proposed_only_where_they_can_be():
    fixed = {"task": "memory", "network": "lstm_1997", "stateful": False, "framing": "whole"}
    fixed |= {"loss": "summed_squared_error", "optimizer": "sgd"}
    parts = {"update": ["step"], "layers": [1, 2], "momentum": [0.0, 0.5], "batch_size": [1, 2]}
    parts |= {"accumulate": [1, 3], "dropout": [0.0, 0.1], "units": [2, 3]}
    seen = proposals(parts, fixed, "grid", 99)
    assert {(p.layers, p.momentum, p.batch_size, p.accumulate, p.dropout) for p in seen} == {
        (1, 0.0, 1, 1, 0.0)
    }
    assert len(seen) == 2
    parts = {"cells_from": [1, 5], "recurrent_inputs": [False, True], "epochs": [2, 3]}
    seen = proposals(parts, fixed | {"update": "step"}, "grid", 99)
    # The task has two sequences, so of two epochs all would be without cells.
    assert {(p.cells_from, p.recurrent_inputs, p.epochs) for p in seen} == {
        (1, False, 2), (1, False, 3), (5, False, 3),
    }  # fmt: skip
    parts = {"network": ["lstm", "lstm_1997"], "update": ["step"], "units": [2, 3]}
    seen = proposals(parts, fixed | {"network": "lstm"}, "grid", 99)
    assert {(p.network, p.update) for p in seen} == {("lstm", None), ("lstm_1997", "step")}


def test_fixed_settings_are_dropped_only_where_they_do_not_apply():
    fixed = {"task": "memory", "momentum": 0.9, "window": 2, "kernel_size": 2, "stateful": False}
    parts = {key: OFFERED[key] for key in ("optimizer", "network")}
    parts |= {"framing": ["window", "pairs"]}
    proposed = [recipe_.settings for recipe_ in proposals(parts, fixed, "grid", 100)]
    assert len(proposed) == 3 * 6 * 2
    for chosen in proposed:
        assert chosen["momentum"] == (0.9 if chosen["optimizer"] == "sgd" else 0.0)
        assert chosen.get("window") == (2 if chosen["framing"] == "window" else None)
        assert chosen.get("kernel_size") == (2 if chosen["network"] == "conv1d" else None)


def test_a_fault_of_a_fixed_setting_is_not_reported_under_the_space():
    with pytest.raises(RecipeError, match=r"^batch_size: "):
        build_space(search({"units": [1, 2]}), {"task": "memory", "batch_size": 3})


def test_the_legal_combinations_are_those_that_recipe_accepts():
    parts = {key: OFFERED[key] for key in ("stateful", "shuffle", "batch_size", "layout")}
    legal = build_space(search(parts), {"task": "memory"}).legal
    accepted = set()
    for stateful, shuffle, size, layout in itertools.product(*parts.values()):
        chosen = {"stateful": stateful, "shuffle": shuffle, "batch_size": size}
        if stateful:
            chosen["layout"] = layout
        try:
            accepted.add(recipe("memory", **chosen).digest)
        except RecipeError:
            continue
    assert {recipe("memory", **combination).digest for combination in legal} == accepted


def test_a_space_that_is_never_legal_is_refused_with_the_rule():
    with pytest.raises(RecipeError, match=r"shuffle.*order of time"):
        build_space(search({"shuffle": ["samples"]}), {"task": "memory"})


def test_free_bounds_are_checked_before_any_trial():
    with pytest.raises(RecipeError, match=r"units.*must be at least 1"):
        build_space(Search(space={"units": {"int": (0, 8)}}), {"task": "memory"})
    with pytest.raises(RecipeError, match="learning_rate"):
        build_space(Search(space={"learning_rate": {"float": (1e-3, 100.0)}}), {"task": "memory"})


def test_an_enormous_space_is_refused_with_its_size():
    with pytest.raises(RecipeError, match="at most 20,000 combinations"):
        parts = {"max_length": {"int": (1, 10_000)}, "substrings": {"int": (1, 10_000)}}
        build_space(Search(space=parts), {"task": "alphabet", "framing": "substrings"})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"framing": ["pairs", "whoel"]}, "search.space.framing: .*did you mean 'whole'"),
        ({"optimizer": ["adam", "adamm"]}, "search.space.optimizer: .*'sgd'.*'adamm'"),
        ({"stateful": [True, "maybe"]}, "search.space.stateful: .*true or false.*'maybe'"),
        ({"batch_size": [1, 0]}, "search.space.batch_size: .*0"),
        ({"lag": [4, "far"]}, "search.space.lag: .*'far'"),
    ],
)
def test_a_choice_that_is_never_legal_is_refused_and_not_left_out(part, message):
    with pytest.raises(RecipeError, match=message):
        parse_sweep("x", {"task": "memory", "search": {"space": part}})
