"""Which settings mean something only beside a certain value of another one.

A search offers such a setting where it means something and nowhere else; what is compared or put
back is changed together with what belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from lstm_bench.recipes import FEEDFORWARD, FRAMINGS, TASKS, Network, Recipe
from lstm_bench.sweeps import overlay_settings

_RECURRENT = tuple(name for name in get_args(Network) if name not in FEEDFORWARD)

BELONGS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    **{
        key: ("framing", tuple(f.name for f in FRAMINGS.values() if key in f.model_fields))
        for framing in FRAMINGS.values()
        for key in framing.model_fields
    },
    "layout": ("stateful", (True,)),
    "reset": ("stateful", (True,)),
    "bidirectional": ("network", _RECURRENT),
    "kernel_size": ("network", ("conv1d",)),
    "momentum": ("optimizer", ("sgd",)),
    "start": ("evaluation", ("cold_start",)),
}
"""Each conditional setting: the one that it belongs to, and beside which values of that one."""

OWNERS = tuple(dict.fromkeys(owner for owner, _ in BELONGS.values()))
"""The settings that others belong to. None of them belongs to another itself."""


def applies(key: str, settings: Mapping[str, Any]) -> bool:
    """Returns whether `key` means something beside `settings`, or beside what they default to.

    >>> applies("window", {"task": "alphabet", "framing": "window"})
    True
    >>> applies("reset", {"task": "alphabet"}), applies("reset", {"task": "memory"})
    (False, True)
    """
    task = TASKS[str(settings["task"])]
    if key not in BELONGS or key in task.model_fields:
        return True
    owner, beside = BELONGS[key]
    usual = "pairs" if owner == "framing" else Recipe.model_fields[owner].default
    return settings.get(owner, task.defaults.get(owner, usual)) in beside


def meaningful(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `settings` without those that mean nothing beside the others.

    >>> meaningful({"task": "memory", "optimizer": "adam", "momentum": 0.0})
    {'task': 'memory', 'optimizer': 'adam'}
    """
    return {key: value for key, value in settings.items() if applies(key, settings)}


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `above` over `below` as `overlay` does, and goes on from there.

    Whatever belongs to a setting of `above` is dropped where it means nothing any more, and stays
    where it still does.

    >>> below = {"task": "memory", "network": "conv1d", "kernel_size": 5, "momentum": 0.9}
    >>> laid_over(below, {"network": "gru", "optimizer": "sgd"})
    {'task': 'memory', 'network': 'gru', 'optimizer': 'sgd', 'momentum': 0.9}
    """
    merged = overlay_settings(below, above)
    for key in below.keys() - above.keys():
        if key in BELONGS and BELONGS[key][0] in above:
            if applies(key, merged):
                merged[key] = below[key]
            else:
                merged.pop(key, None)
    return merged


def belonging(key: str) -> str:
    """Returns in words what a conditional setting belongs to.

    >>> belonging("window")
    'framing=window or feature_window'
    """
    owner, beside = BELONGS[key]
    return f"{owner}={' or '.join(str(v).lower() if v is True else str(v) for v in beside)}"
