"""Conditional settings: the conditions of `recipe`, and what an overlay of settings drops."""

import pytest

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._framings import FRAMINGS
from lstm_bench.recipes._recipe import recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.sweeps._conditions import CONDITIONS, PARENT_SETTINGS, overlay_settings
from lstm_bench.sweeps._sweep import load_sweep

PARENT_VALUES = {
    "framing": list(FRAMINGS),
    "stateful": [True, False],
    "network": ["lstm", "gru", "simple_rnn", "mlp", "conv1d", "lstm_1997"],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "forget_bias": ["chrono", 1.0, 0.5],
    "update": ["step", None],
    "evaluation": ["teacher_forced", "free_running", "cold_start", "step_by_step"],
}
VALUES = {"window": 2, "chunk": 2, "substrings": 9, "max_length": 3, "fresh": 4, "layout": "rows"}
VALUES |= {"reset": "epoch", "bidirectional": True, "kernel_size": 2, "momentum": 0.5, "start": "B"}
VALUES |= {"forget_bias": 2.0, "longest_time": 30, "truncate": 1}
VALUES |= {"block_size": 2, "output_gate": False, "squashing": "positive", "biases": "none"}
VALUES |= {"recurrent_inputs": False, "initial_range": 0.2, "update": "step", "cells_from": 3}
VALUES |= {"input_gate_bias": [-1.0] * 20, "output_gate_bias": [-1.0] * 20}  # a block for each unit
"""A value of every conditional setting that is not the default of the setting."""

ON_LINE = {"framing": "whole", "loss": "summed_squared_error", "optimizer": "sgd"}
"""What else `update=step` needs."""


def test_conditions_are_those_of_the_recipe():
    """A setting that does not apply is refused by `recipe`, unless it has its default value."""
    assert CONDITIONS.keys() == VALUES.keys() and set(PARENT_SETTINGS) == PARENT_VALUES.keys()
    for key, (parent, values) in CONDITIONS.items():
        assert parent in PARENT_SETTINGS and values
        assert key not in PARENT_SETTINGS or key in ("forget_bias", "update")
        task = "alphabet" if key == "start" else "memory"
        base = {"evaluation": "cold_start"} if key == "start" else {"stateful": False}
        base |= {"framing": "whole"} if key == "truncate" else {}
        base |= ON_LINE if key == "update" else {}
        for value in PARENT_VALUES[parent]:
            settings = {"task": task} | base | {parent: value, key: VALUES[key]}
            if parent == "framing" and value in ("whole", "chunks") and key == "bidirectional":
                continue
            try:
                recipe(**settings)
                accepted = True
            except RecipeError as error:
                accepted = all(fault.key != key for fault in error.faults)
            assert accepted == (value in values), (key, value)


def test_an_overlay_keeps_settings_that_still_apply():
    below = {"framing": "window", "window": 2, "units": 7, "stateful": True, "reset": "epoch"}
    merged = overlay_settings(below, {"framing": "feature_window"}, BUILT_IN_TASKS)
    assert merged == below | {"framing": "feature_window"}
    assert overlay_settings(below, {"framing": "pairs", "stateful": False}, BUILT_IN_TASKS) == {
        "framing": "pairs", "units": 7, "stateful": False,
    }  # fmt: skip
    assert below["window"] == 2  # the arguments are not changed


@pytest.mark.parametrize("key", CONDITIONS)
def test_an_overlay_drops_a_setting_only_with_a_value_of_its_parent_that_excludes_it(key):
    parent, values = CONDITIONS[key]
    # The parent of `cells_from` applies itself only with the network of 1997.
    fixed = {"task": "memory"} | ({"network": "lstm_1997"} if key == "cells_from" else {})
    below = fixed | {key: VALUES[key]}
    for value in PARENT_VALUES[parent]:
        merged = overlay_settings(below, {parent: value}, BUILT_IN_TASKS)
        assert merged == fixed | {parent: value} | ({key: VALUES[key]} if value in values else {})
    assert overlay_settings(below, {"units": 3}, BUILT_IN_TASKS) == below | {"units": 3}
    chosen = {parent: PARENT_VALUES[parent][0], key: VALUES[key]}
    task = {"task": "memory"}
    assert overlay_settings(task, chosen, BUILT_IN_TASKS) == task | chosen


def test_an_overlay_drops_what_depends_on_a_setting_that_it_drops():
    below = {"task": "memory", "forget_bias": "chrono", "longest_time": 30}
    merged = overlay_settings(below, {"network": "gru"}, BUILT_IN_TASKS)
    assert merged == {"task": "memory", "network": "gru"}


def test_an_optimizer_comes_with_its_default_rate_and_without_momentum_that_it_has_none_of():
    adam = recipe("memory").settings
    changed = overlay_settings(adam, {"optimizer": "sgd"}, BUILT_IN_TASKS)
    assert recipe(**changed).learning_rate == 0.01
    chosen = recipe("memory", learning_rate=0.3).settings
    changed = overlay_settings(chosen, {"optimizer": "sgd"}, BUILT_IN_TASKS)
    assert recipe(**changed).learning_rate == 0.3
    sgd = recipe("memory", optimizer="sgd", momentum=0.9).settings
    changed = overlay_settings(sgd, {"optimizer": "adam"}, BUILT_IN_TASKS)
    assert recipe(**changed).momentum == 0


def test_shared_settings_reach_the_recipes_in_which_they_apply(tmp_path):
    """A sweep with settings that only some of its recipes can have."""
    path = tmp_path / "mixed.yaml"
    path.write_text(
        "{task: memory, stateful: false, momentum: 0.9, kernel_size: 2, recipes: {"
        "A: {optimizer: sgd, network: mlp}, B: {optimizer: adam, network: conv1d}}}"
    )
    entries = load_sweep(path).entries
    assert entries["A"].recipe == recipe(
        "memory", stateful=False, optimizer="sgd", network="mlp", momentum=0.9
    )
    assert entries["B"].recipe == recipe(
        "memory", stateful=False, optimizer="adam", network="conv1d", kernel_size=2
    )
