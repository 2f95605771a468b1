"""A recipe: one immutable, valid training configuration with a name and a digest.

A recipe is written and recorded as one flat mapping, `units: 20, framing: window, window: 3, ...`.
The mapping has the fields of the recipe and the parameters of its task and framing, but never the
seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ValidationError, model_validator

from lstm_bench.errors import Fault, RecipeError, UserError, unknown
from lstm_bench.recipes import _lstm_1997 as lstm_1997
from lstm_bench.recipes import _rules as rules
from lstm_bench.recipes._configuration import Configuration, encodings
from lstm_bench.recipes._framings import FRAMINGS, Framing
from lstm_bench.recipes._own_network import NETWORK_SOURCE
from lstm_bench.recipes._registry import BUILT_IN_TASKS, TaskRegistry, unknown_task_message
from lstm_bench.safety import html_table, pydantic_faults, shown_value
from lstm_bench.tasks import Task, task_faults

LEARNING_RATES: Mapping[str, float] = {"adam": 0.001, "sgd": 0.01, "rmsprop": 0.001}
"""Keras's default learning rate for each optimizer."""

OUTPUT_LAYERS: Mapping[str, tuple[str, str]] = {
    "categorical": ("softmax", "categorical_crossentropy"),
    "binary": ("sigmoid", "binary_crossentropy"),
    "regression": ("linear", "mean_squared_error"),
}
"""The default output activation and loss for each kind of target."""


class Recipe(Configuration):
    """A valid configuration. Build one with `recipe("memory", units=20)`."""

    def __init__(self, **settings: Any) -> None:
        """Raises `RecipeError` for fields that are missing, unknown or of another type."""
        faults = [
            Fault(
                key, f"must be made by recipe(), as in recipe('memory', units=20), but got {shown}"
            )
            for key, part in (("task", Task), ("framing", Framing))
            if not isinstance(settings.get(key), part)
            for shown in [shown_value(settings.get(key))]
        ]
        if faults:
            raise RecipeError(faults)
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise RecipeError(pydantic_faults(error, settings, type(self))) from error

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        """Raises `RecipeError` with all broken rules between settings."""
        faults = list(rules.faults(self))
        if faults:
            raise RecipeError(faults)
        return self

    @property
    def outside_search(self) -> Recipe:
        """This recipe without the settings by which its task holds data back from a search.

        It is the recipe itself if the task holds no data back.
        """
        if not self.task.search_overrides:
            return self
        settings, overrides = self.settings, self.task.search_overrides
        return self.with_settings({key: settings[key] for key in settings if key not in overrides})

    @cached_property
    def at_origins(self) -> tuple[Recipe, ...]:
        """This recipe at each origin where it is trained anew; empty if it is trained once.

        At the last origin it has the most training data, and this network is kept.
        """
        parts = self.task.retrained_at
        return tuple(self.with_settings({**self.settings, **part}) for part in parts)

    @property
    def updates(self) -> int:
        """The number of weight updates of one seed, summed over its origins."""
        return sum(part.updates for part in self.at_origins) or super().updates

    def with_settings(self, settings: Mapping[str, Any]) -> Recipe:
        """Returns a recipe of the same task with these `settings`; a `task` among them is ignored.

        >>> recipe("memory").with_settings({"units": 4, "lag": 6}).settings["task"]
        'memory'
        """
        return recipe(type(self.task), **{k: v for k, v in settings.items() if k != "task"})

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The flat mapping from which `recipe` rebuilds this recipe."""
        fields = self.model_dump(mode="json", exclude_none=True)
        task, framing = fields.pop("task"), fields.pop("framing")
        head = {"task": self.task.name, **task, "framing": self.framing.name, **framing}
        if not self.stateful:
            del fields["layout"], fields["reset"]
        if self.network != "conv1d":
            del fields["kernel_size"]
        if self.own_network is not None:
            fields["network"] = self.own_network  # with its files, which JSON leaves out
        return head | fields

    @cached_property
    def training(self) -> str:
        """A digest of the training: recipes with the same one differ only in their evaluation."""
        settings = self.settings | {"evaluation": "teacher_forced"}
        return self._hash({key: value for key, value in settings.items() if key != "start"})

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that identify this configuration."""
        return self._hash(self.settings)

    def _hash(self, settings: Mapping[str, Any]) -> str:
        data = {"data": self.task.fingerprint} if self.task.fingerprint else {}
        source = {} if self.own_network is None else {NETWORK_SOURCE: self.own_network.digest}
        facts = {**settings, "version": self.task.version, **data, **source}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"Recipe({self.task.name}: {self.name[:500]})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html_table({key: str(value) for key, value in self.settings.items()})

    @cached_property
    def name(self) -> str:
        """A short description that tells the recipes of one task apart.

        >>> recipe("memory").name
        'lstm(20), pairs, stateful, batch 1, 250 epochs'
        """
        depth = f"x{self.layers}" if self.layers > 1 else ""
        direction = "bidirectional " if self.bidirectional else ""
        window = getattr(self.framing, "window", None)
        parts = [
            f"{direction}{self.network}({self.units}{depth})",
            self.framing.name + (f"({window})" if window else ""),
            "stateful" if self.stateful else "stateless",
            f"batch {self.batch_size}",
            f"{self.epochs} epochs",
        ]
        if self.stateful and self.schedule.batch_size > 1:
            parts[3] += f" in {self.layout}"
        if self.stateful and self.reset != "sequence":
            parts[2] += f", reset {self.reset}"
        omitted = {"task", "framing", "window", "network", "units", "layers", "stateful", "layout"}
        omitted |= {"reset", "batch_size", "epochs", "bidirectional"} | self.task.omitted_from_name
        models = (Recipe, type(self.task), type(self.framing))
        defaults = {key: field.default for m in models for key, field in m.model_fields.items()}
        defaults |= lstm_1997.DEFAULTS if self.network == "lstm_1997" else {}
        defaults |= dict(self.task.defaults) | {"shuffle": "none"}
        defaults |= _defaults(type(self.task), {"optimizer": self.optimizer})
        for key, value in self.settings.items():
            if key not in omitted and value != defaults.get(key):
                parts.append(f"{key.replace('_', ' ')} {_shown(value)}")
        return ", ".join(parts)


def _shown(value: object) -> str:
    """Returns a setting's value as names of recipes show it.

    >>> _shown(0.00333), _shown(["price", "promo"]), _shown([])
    ('0.00333', 'price + promo', 'none')
    """
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def recipe(task: str | type[Task], **settings: Any) -> Recipe:
    """Returns a recipe of `task`: the task's defaults, updated by `settings`.

    `task` is the name of a built-in task, or a class. Raises `RecipeError` with all unknown keys,
    wrong values and broken rules at once.

    >>> recipe("alphabet", framing="window").framing.window
    3
    >>> recipe("alphabet", unit=3)
    Traceback (most recent call last):
    lstm_bench.errors.RecipeError: unit: there is no setting 'unit'; did you mean 'units'? ...
    """
    return recipe_from_settings({"task": task, **settings}, BUILT_IN_TASKS)


def recipe_from_settings(settings: Mapping[str, Any], tasks: TaskRegistry) -> Recipe:
    """Returns the recipe for a flat mapping, in which `task` is a name in `tasks` or a class.

    >>> chosen = recipe("echo", units=4)
    >>> recipe_from_settings(chosen.settings, BUILT_IN_TASKS) == chosen
    True
    """
    task = settings.get("task", "")
    settings = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in settings.items()
        if key != "task"
    }
    task_class = tasks.get(task) if isinstance(task, str) else task
    if not isinstance(task_class, type) or not issubclass(task_class, Task):
        raise RecipeError([Fault("task", unknown_task_message(task, tasks))])
    try:
        task_class = task_class.class_for(settings)
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    merged = _defaults(task_class, settings) | settings
    framing_name = merged["framing"]
    if not isinstance(framing_name, str) or framing_name not in FRAMINGS:
        raise RecipeError([Fault("framing", unknown("framing", framing_name, FRAMINGS))])
    framing = FRAMINGS[framing_name]
    # Defaults of the task for a framing that was not chosen are dropped.
    for key in _framing_keys() - set(framing.model_fields) - set(settings):
        merged.pop(key, None)
    faults = list(_misplaced(task_class, framing, settings))
    if merged.get("stateful", False) is False:
        for key in ("layout", "reset"):
            if key in settings:
                faults.append(Fault(key, "belongs to stateful=true, but stateful is false"))
            merged.pop(key, None)
    parts: dict[str, Any] = {}
    for part, model in (("task", task_class), ("framing", framing)):
        values = {key: merged.pop(key) for key in list(merged) if key in model.model_fields}
        parts[part], invalid = _validated(model, values)
        faults += invalid or (task_faults(parts[part]) if part == "task" else [])
    merged = {key: value for key, value in merged.items() if key in Recipe.model_fields}
    if faults:
        # Without a valid task and framing only the types of the other fields can be checked.
        fields = {k: v for k, v in merged.items() if k not in ("task", "framing")}
        stand_in = {"task": BUILT_IN_TASKS["memory"](), "framing": FRAMINGS["pairs"]()}
        invalid = _validated(Configuration, fields | stand_in)[1]
        raise RecipeError(faults + invalid)
    built, invalid = _validated(Recipe, merged | parts)
    if invalid:
        raise RecipeError([_with_origin(fault, task_class, settings) for fault in invalid])
    assert isinstance(built, Recipe)
    return built


def _with_origin(fault: Fault, task: type[Task], settings: Mapping[str, Any]) -> Fault:
    """Returns a fault that names the settings that are defaults of the task, if any.

    Otherwise a user would look in vain for a setting that they did not write.
    """
    keys = {"framing", *_framing_keys()} if fault.key == "framing" else {fault.key}
    defaults = {k: v for k, v in task.defaults.items() if k in keys and k not in settings}
    if "framing" in settings:
        defaults = {key: value for key, value in defaults.items() if key not in _framing_keys()}
    if not defaults:
        return fault
    listed = ", ".join(f"{key}={value}" for key, value in defaults.items())
    return Fault(fault.key, f"{fault.message} ({listed}: by default of {task.name})")


def _defaults(task: type[Task], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the default settings of `task`; output, loss and learning rate fit `settings`."""
    output, loss = OUTPUT_LAYERS[task.kind]
    encoding = encodings(task)[0]
    merged: dict[str, Any] = {"framing": "pairs", "encoding": encoding, "output": output}
    merged |= {"loss": loss, **task.defaults}
    if "loss" in settings and "output" not in settings:
        fitting = rules.FITTING_OUTPUT.get(str(settings["loss"]), (output,))
        merged["output"] = merged["output"] if merged["output"] in fitting else fitting[0]
    if "output" in settings and "loss" not in settings:
        suited = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}
        merged["loss"] = suited.get(str(settings["output"]), "mean_squared_error")
    optimizer = str(settings.get("optimizer", merged.get("optimizer", "adam")))
    merged.setdefault("learning_rate", LEARNING_RATES.get(optimizer, 0.001))
    return {"optimizer": "adam"} | merged


def _framing_keys() -> set[str]:
    return {key for framing in FRAMINGS.values() for key in framing.model_fields}


def known_settings(task: type[Task]) -> set[str]:
    """Returns all keys that the settings of a recipe of `task` may have."""
    return (set(Recipe.model_fields) | set(task.model_fields) | _framing_keys()) - {"task"}


def _misplaced(
    task: type[Task], framing: type[Framing], settings: Mapping[str, Any]
) -> list[Fault]:
    """Returns a fault for each unknown key, and for each key of a framing that is not in use."""
    allowed = known_settings(task)
    # Unknown defaults of a task would otherwise be dropped silently.
    strange = [key for key in task.defaults if key not in allowed]
    faults = [Fault("task", f"defaults: {unknown('setting', key, allowed)}") for key in strange]
    for key in settings:
        owners = [f.name for f in FRAMINGS.values() if key in f.model_fields]
        if key not in allowed:
            faults.append(Fault(key, unknown("setting", key, allowed)))
        elif owners and key not in framing.model_fields and key not in task.model_fields:
            rule = f"belongs to framing {' or '.join(owners)}, but got {framing.name}"
            faults.append(Fault(key, rule))
    return faults


def _validated(
    model: type[BaseModel], values: Mapping[str, Any]
) -> tuple[BaseModel | None, list[Fault]]:
    """Returns an instance of `model` built from `values`, or None and all faults."""
    try:
        return model.model_validate(dict(values)), []
    except RecipeError as error:
        return None, list(error.faults)
    except ValidationError as error:
        return None, pydantic_faults(error, values)
