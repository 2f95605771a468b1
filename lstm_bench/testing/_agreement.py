"""Whether both engines train a recipe alike."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from lstm_bench.errors import RecipeError
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.tasks import Problem, Task
from lstm_bench.training import get_engine, start_tensorflow

SEQUENCES = 8
"""Sequences to train on, and unseen ones, that are enough to see that training works."""

CLEAR = 1e-3
"""How far the best output must be ahead for both engines to be held to the same answer."""


def few(task: Task) -> Task:
    """Returns `task` with its first sequences alone."""
    kind = type(task)

    def problem(self: Any, seed: int) -> Problem:
        whole = kind.problem(self, seed)
        return Problem(whole.train[:SEQUENCES], whole.unseen[:SEQUENCES])

    body = {"__module__": kind.__module__, "__doc__": kind.__doc__, "problem": problem}
    made = types.new_class(kind.__name__, (kind,), exec_body=lambda own: own.update(body))
    fewer = made(**parameters(task))
    assert isinstance(fewer, Task)
    return fewer


def parameters(task: Task) -> dict[str, Any]:
    """Returns the parameters of `task` by name."""
    return {key: getattr(task, key) for key in type(task).model_fields}


def small(task: Task) -> Recipe | None:
    """Returns the default recipe of a few sequences for one epoch; None where there is none."""
    short = {"epochs": 1, "units": 4, "dropout": 0.0}
    fewer = few(task)
    for sizes in ({"batch_size": "all"}, {"batch_size": 1}, {}):
        try:
            return recipe(type(fewer), **parameters(fewer), **short, **sizes)
        except RecipeError:
            continue  # a batch that the task's other settings do not allow
    return None


def differences(asked: Recipe) -> list[str]:
    """Returns what the engines differ in when they train `asked` on seed 0, in words."""
    start_tensorflow(1)
    runs = [get_engine(name).train(asked, [0]).runs[0] for name in ("keras", "compiled")]
    plain, compiled = runs
    losses = [float(run.loss[-1]) for run in runs]
    if not np.isfinite(losses).all() or not all(np.isfinite(run.outputs).all() for run in runs):
        return [f"the loss and the outputs must be finite, but the losses are {losses}"]
    found = []
    if not np.isclose(losses[0], losses[1], rtol=1e-4, atol=1e-7):
        found.append(f"the losses must be equal, but are {losses}")
    scale = max(1.0, float(np.abs(plain.outputs).max()))
    if not np.allclose(plain.outputs, compiled.outputs, rtol=0, atol=1e-4 * scale):
        most = float(np.abs(plain.outputs - compiled.outputs).max())
        found.append(f"the outputs must be equal, but differ by up to {most:.2g}")
    if asked.task.kind == "categorical":
        best = np.sort(plain.outputs, axis=-1)  # (N, M, K)
        clear = best[..., -1] - best[..., -2] > CLEAR if best.shape[-1] > 1 else best[..., 0] > 0
        answers = [run.outputs.argmax(axis=-1) for run in runs]
        wrong = int((clear & (answers[0] != answers[1])).sum())
        if wrong:
            found.append(f"the answers must be equal, but {wrong} are not")
    return found
