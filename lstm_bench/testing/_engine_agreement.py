"""Whether both engines train a recipe to the same losses and outputs."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from lstm_bench.errors import RecipeError
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.tasks import Problem, Sequence, Task
from lstm_bench.training import get_engine, start_tensorflow

SEQUENCES = 8
"""Training sequences, and unseen ones, that are enough to see whether training works."""

CLEAR = 1e-3
"""Lead of the largest output from which both engines must give the same answer."""


def shortened_task(task: Task) -> Task:
    """Returns `task` with only its first sequences."""
    kind = type(task)

    def problem(self: Any, seed: int) -> Problem:
        full = kind.problem(self, seed)
        return Problem(full.train[:SEQUENCES], full.unseen[:SEQUENCES])

    def epoch_sequences(self: Any, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        full = kind.epoch_sequences(self, seed, epoch)
        return None if full is None else full[:SEQUENCES]

    body: dict[str, Any] = {"__module__": kind.__module__, "__doc__": kind.__doc__}
    body |= {"problem": problem, "epoch_sequences": epoch_sequences}
    subclass = types.new_class(
        kind.__name__, (kind,), exec_body=lambda namespace: namespace.update(body)
    )
    shortened = subclass(**parameters(task))
    assert isinstance(shortened, Task)
    return shortened


def parameters(task: Task) -> dict[str, Any]:
    """Returns the parameters of `task` by name."""
    return {key: getattr(task, key) for key in type(task).model_fields}


def small_recipe(task: Task) -> Recipe | None:
    """Returns the default recipe on few sequences for one epoch; None if no batch size is legal."""
    short = {"epochs": 1, "units": 4, "dropout": 0.0}
    shortened = shortened_task(task)
    for sizes in ({"batch_size": "all"}, {"batch_size": 1}, {}):
        try:
            return recipe(type(shortened), **parameters(shortened), **short, **sizes)
        except RecipeError:
            continue  # the other settings of the task do not allow this batch size
    return None


def engine_differences(recipe: Recipe, draws: bool = False) -> list[str]:
    """Returns how the engines differ when they train `recipe` on seed 0; empty if they agree.

    Engines draw different random numbers. So a network that `draws` some in training, for dropout,
    must have finite losses and outputs in both, and they are not compared.
    """
    start_tensorflow(1)
    runs = [get_engine(name).train(recipe, [0]).runs[0] for name in ("keras", "compiled")]
    plain, compiled = runs
    losses = [float(run.loss[-1]) for run in runs]
    if not np.isfinite(losses).all() or not all(np.isfinite(run.outputs).all() for run in runs):
        return [f"the loss and the outputs must be finite, but the losses are {losses}"]
    differences: list[str] = []
    if draws:
        return differences
    if not np.isclose(losses[0], losses[1], rtol=1e-4, atol=1e-7):
        differences.append(f"the losses must be equal, but are {losses}")
    scale = max(1.0, float(np.abs(plain.outputs).max()))
    if not np.allclose(plain.outputs, compiled.outputs, rtol=0, atol=1e-4 * scale):
        largest = float(np.abs(plain.outputs - compiled.outputs).max())
        differences.append(f"the outputs must be equal, but differ by up to {largest:.2g}")
    if recipe.task.kind == "categorical":
        outputs = np.sort(plain.outputs, axis=-1)  # (N, M, K)
        several = outputs.shape[-1] > 1
        clear = outputs[..., -1] - outputs[..., -2] > CLEAR if several else outputs[..., 0] > 0
        answers = [run.outputs.argmax(axis=-1) for run in runs]
        wrong = int((clear & (answers[0] != answers[1])).sum())
        if wrong:
            differences.append(f"the answers must be equal, but {wrong} are not")
    return differences
