"""One frozen training configuration: legal, named and digested.

A recipe is written and recorded as one flat mapping, `units: 20, framing: window, window: 3, ...`:
its own fields, the parameters of its task and those of its framing. The seed is never part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from lstm_bench.errors import Fault, RecipeError, UserError, unknown
from lstm_bench.recipes import _rules as rules
from lstm_bench.recipes._configuration import Configuration, encodings
from lstm_bench.recipes._framings import FRAMINGS, Framing
from lstm_bench.recipes._registry import TASKS, unknown_task_message
from lstm_bench.safety import pydantic_faults
from lstm_bench.tasks import Task, task_faults

LEARNING_RATES: Mapping[str, float] = {"adam": 0.001, "sgd": 0.01, "rmsprop": 0.001}
"""Keras's own default for each optimizer."""

OUTPUT_LAYERS: Mapping[str, tuple[str, str]] = {
    "categorical": ("softmax", "categorical_crossentropy"),
    "binary": ("sigmoid", "binary_crossentropy"),
    "regression": ("linear", "mean_squared_error"),
}
"""Output activation and loss for each kind of target, unless a recipe says otherwise."""


class Recipe(Configuration):
    """A legal configuration. Build one with `recipe("memory", units=20)`."""

    @model_validator(mode="after")
    def _legal(self) -> Self:
        """Refuses settings that do not fit one another, all at once."""
        found = list(rules.faults(self))
        if found:
            raise RecipeError(found)
        return self

    @property
    def judged(self) -> Recipe:
        """This recipe on what a search has not seen: itself, unless its task keeps data back."""
        kept = {key: own for key, own in self.settings.items() if key not in self.task.in_search}
        return recipe(**kept) if self.task.in_search else self

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The flat mapping that `recipe` rebuilds this recipe from."""
        fields = self.model_dump(mode="json", exclude_none=True)
        task, framing = fields.pop("task"), fields.pop("framing")
        head = {"task": self.task.name, **task, "framing": self.framing.name, **framing}
        if not self.stateful:
            del fields["layout"], fields["reset"]
        if self.network != "conv1d":
            del fields["kernel_size"]
        return head | fields

    @cached_property
    def training(self) -> str:
        """The digest of what is trained: recipes that share it differ in how they are asked."""
        settings = self.settings | {"evaluation": "teacher_forced"}
        return self._hash({key: value for key, value in settings.items() if key != "start"})

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that no other configuration shares."""
        return self._hash(self.settings)

    def _hash(self, settings: Mapping[str, Any]) -> str:
        data = {"data": self.task.fingerprint} if self.task.fingerprint else {}
        facts = {**settings, "version": self.task.version, **data}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def name(self) -> str:
        """A short description: what a reader needs to tell recipes of one task apart.

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
        quiet = {"task", "framing", "window", "network", "units", "layers", "stateful", "layout"}
        quiet |= {"reset", "batch_size", "epochs", "bidirectional"} | self.task.unnamed
        models = (Recipe, type(self.task), type(self.framing))
        plain = {key: field.default for m in models for key, field in m.model_fields.items()}
        plain |= dict(self.task.defaults) | {"shuffle": "none"}
        plain |= _defaults(type(self.task), {"optimizer": self.optimizer})
        for key, value in self.settings.items():
            if key not in quiet and value != plain.get(key):
                shown = f"{value:.3g}" if isinstance(value, float) else value
                parts.append(f"{key.replace('_', ' ')} {shown}")
        return ", ".join(parts)


def recipe(task: str | type[Task], **settings: Any) -> Recipe:
    """Returns the recipe of `task`, a name or a class, with `settings` over the task's defaults.

    Raises `RecipeError` with every unknown key, wrong value and broken rule at once.

    >>> recipe("alphabet", framing="window").framing.window
    3
    >>> recipe("alphabet", unit=3)
    Traceback (most recent call last):
    lstm_bench.errors.RecipeError: unit: there is no setting 'unit'; did you mean 'units'? ...
    """
    chosen = TASKS.get(task) if isinstance(task, str) else task
    if not isinstance(chosen, type) or not issubclass(chosen, Task):
        raise RecipeError([Fault("task", unknown_task_message(task))])
    try:
        chosen = chosen.suited(settings)
    except UserError as error:
        raise RecipeError([Fault("file", str(error))]) from error
    merged = _defaults(chosen, settings) | settings
    framing_name = merged["framing"]
    if not isinstance(framing_name, str) or framing_name not in FRAMINGS:
        raise RecipeError([Fault("framing", unknown("framing", framing_name, FRAMINGS))])
    framing = FRAMINGS[framing_name]
    # A default of the task gives way where the user chose a framing that it does not belong to.
    for key in _framing_keys() - set(framing.model_fields) - set(settings):
        merged.pop(key, None)
    found = list(_misplaced(chosen, framing, settings))
    if merged.get("stateful", False) is False:
        for key in ("layout", "reset"):
            if key in settings:
                found.append(Fault(key, "belongs to stateful=true, but stateful is false"))
            merged.pop(key, None)
    parts: dict[str, Any] = {}
    for part, model in (("task", chosen), ("framing", framing)):
        own = {key: merged.pop(key) for key in list(merged) if key in model.model_fields}
        parts[part], wrong = _validated(model, own)
        found += wrong or (task_faults(parts[part]) if part == "task" else [])
    merged = {key: value for key, value in merged.items() if key in Recipe.model_fields}
    if found:
        # The parts are broken: check the other fields' types alone, and report all together.
        fields = {k: v for k, v in merged.items() if k not in ("task", "framing")}
        stand_in = {"task": TASKS["memory"](), "framing": FRAMINGS["pairs"]()}
        wrong = _validated(Recipe, fields | stand_in, types_only=True)[1]
        raise RecipeError(found + wrong)
    built, wrong = _validated(Recipe, merged | parts)
    if wrong:
        raise RecipeError(wrong)
    assert isinstance(built, Recipe)
    return built


def _defaults(task: type[Task], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of `task` where the user is silent, optimizer and head resolved."""
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
    """Returns every key that a recipe of `task` may carry."""
    return (set(Recipe.model_fields) | set(task.model_fields) | _framing_keys()) - {"task"}


def _misplaced(task: type[Task], framing: type[Framing], given: Mapping[str, Any]) -> list[Fault]:
    known = known_settings(task)
    strange = [key for key in task.defaults if key not in known]  # left out, and nobody would know
    found = [Fault("task", f"defaults: {unknown('setting', key, known)}") for key in strange]
    for key in given:
        owners = [f.name for f in FRAMINGS.values() if key in f.model_fields]
        if key not in known:
            found.append(Fault(key, unknown("setting", key, known)))
        elif owners and key not in framing.model_fields and key not in task.model_fields:
            rule = f"belongs to framing {' or '.join(owners)}, but got {framing.name}"
            found.append(Fault(key, rule))
    return found


def _validated(
    model: type[BaseModel], values: Mapping[str, Any], types_only: bool = False
) -> tuple[BaseModel | None, list[Fault]]:
    """Returns `model` made from `values`, or None and every fault found."""
    try:
        return model.model_validate(dict(values)), []
    except RecipeError as error:
        return None, [] if types_only else list(error.faults)
    except ValidationError as error:
        return None, pydantic_faults(error, values)
