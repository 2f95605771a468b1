"""Conditional settings, such as `window`, which applies only with certain framings.

Sweep files, search spaces and the recipes that follow a search all use the conditions listed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstm_bench.recipes import (
    FEEDFORWARD,
    FRAMINGS,
    LEARNING_RATES,
    LSTM_1997_SETTINGS,
    NETWORKS,
    Recipe,
    TaskRegistry,
)

_RECURRENT = tuple(name for name in NETWORKS if name not in FEEDFORWARD)

CONDITIONS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    **{
        key: ("framing", tuple(f.name for f in FRAMINGS.values() if key in f.model_fields))
        for framing in FRAMINGS.values()
        for key in framing.model_fields
    },
    "layout": ("stateful", (True,)),
    "reset": ("stateful", (True,)),
    "bidirectional": ("network", _RECURRENT),
    "truncate": ("network", tuple(name for name in _RECURRENT if name != "lstm_1997")),
    "forget_bias": ("network", ("lstm",)),
    "longest_time": ("forget_bias", ("chrono",)),
    "kernel_size": ("network", ("conv1d",)),
    "momentum": ("optimizer", ("sgd",)),
    "start": ("evaluation", ("cold_start",)),
    "update": ("network", ("lstm_1997",)),
    "cells_from": ("update", ("step",)),
    **dict.fromkeys(LSTM_1997_SETTINGS, ("network", ("lstm_1997",))),
}
"""For each conditional setting: its parent, and the values of the parent with which it applies."""

PARENT_SETTINGS = tuple(dict.fromkeys(parent for parent, _ in CONDITIONS.values()))
"""The settings that others depend on. `forget_bias` and `update` are conditional themselves."""


def setting_applies(key: str, settings: Mapping[str, Any], tasks: TaskRegistry) -> bool:
    """Returns whether the setting `key` applies, given `settings` and the defaults of their task.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS
    >>> setting_applies("window", {"task": "alphabet", "framing": "window"}, BUILT_IN_TASKS)
    True
    >>> [setting_applies("reset", {"task": t}, BUILT_IN_TASKS) for t in ("alphabet", "memory")]
    [False, True]
    """
    task = tasks.get(str(settings.get("task")))
    if key not in CONDITIONS or (task is not None and key in task.model_fields):
        return True
    parent, values = CONDITIONS[key]
    default = "pairs" if parent == "framing" else Recipe.model_fields[parent].default
    if task is not None:
        default = task.defaults.get(parent, default)
    return settings.get(parent, default) in values and setting_applies(parent, settings, tasks)


def parents_of(key: str) -> tuple[str, ...]:
    """Returns the setting that `key` depends on, the one that this depends on, and so on.

    >>> parents_of("longest_time"), parents_of("units")
    (('forget_bias', 'network'), ())
    """
    if key not in CONDITIONS:
        return ()
    parent, _ = CONDITIONS[key]
    return (parent, *parents_of(parent))


def applicable_settings(settings: Mapping[str, Any], tasks: TaskRegistry) -> dict[str, Any]:
    """Returns `settings` without conditional settings that do not apply.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS
    >>> settings = {"task": "memory", "optimizer": "adam", "momentum": 0.0}
    >>> applicable_settings(settings, BUILT_IN_TASKS)
    {'task': 'memory', 'optimizer': 'adam'}
    """
    return {key: value for key, value in settings.items() if setting_applies(key, settings, tasks)}


def overlay_settings(
    below: Mapping[str, Any], above: Mapping[str, Any], tasks: TaskRegistry
) -> dict[str, Any]:
    """Returns `below` updated with `above`; settings of `below` that no longer apply are dropped.

    A conditional setting is dropped if `above` gives its parent a value with which the setting does
    not apply. A new optimizer drops the default learning rate of the old one. `updates` and
    `epochs` replace each other.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS as tasks
    >>> overlay_settings({"stateful": True, "layout": "streams"}, {"stateful": False}, tasks)
    {'stateful': False}
    >>> overlay_settings({"epochs": 20}, {"updates": 400}, tasks)
    {'updates': 400}
    >>> below = {"task": "memory", "network": "conv1d", "kernel_size": 5, "momentum": 0.9}
    >>> overlay_settings(below, {"network": "gru", "optimizer": "sgd"}, tasks)
    {'task': 'memory', 'network': 'gru', 'momentum': 0.9, 'optimizer': 'sgd'}
    """
    merged = {**below, **above}
    dropped = {
        key
        for key in below
        if any(parent in above for parent in parents_of(key))
        and not setting_applies(key, merged, tasks)
    }
    optimizer, rate = below.get("optimizer"), below.get("learning_rate")
    if above.get("optimizer", optimizer) != optimizer and rate == LEARNING_RATES.get(
        str(optimizer)
    ):
        dropped.add("learning_rate")
    for key, replaced in (("epochs", "updates"), ("updates", "epochs")):
        if key in above:
            dropped.add(replaced)
    return {key: value for key, value in merged.items() if key in above or key not in dropped}


def condition_as_text(key: str) -> str:
    """Returns the condition of a conditional setting in words.

    >>> condition_as_text("window")
    'framing=window or feature_window'
    """
    parent, values = CONDITIONS[key]
    return f"{parent}={' or '.join(str(v).lower() if v is True else str(v) for v in values)}"
