"""The interface of the two engines: `train(recipe, seeds, threads, stop) -> Training`.

`keras` is plain Keras as the tutorials write it; it defines what is correct. `compiled` runs the
same training as one XLA program. Neither updates weights within a sequence: with `update=step` the
first trains in plain NumPy (and evaluates in Keras), and the second in code compiled by Numba. An
engine is imported on first use, because TensorFlow takes seconds to import.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe, Samples

ENGINES = {
    "compiled": "lstm_bench.training._compiled_engine",
    "keras": "lstm_bench.training._keras_engine",
}


@dataclass(frozen=True)
class SeedRun:
    """The training of one seed over E epochs, with N samples of M outputs of K values.

    `loss` is the loss of each epoch as Keras reports it during training. `correct` tells which
    outputs were correct in the evaluations after the epochs `evaluated`, which count from 1.
    `outputs` are those of the last epoch. E is smaller than the recipe's epochs if training ended
    because the task was solved. With fresh sequences the samples are the unseen ones alone.
    """

    seed: int
    samples: Samples  # those that are evaluated: training and unseen samples
    loss: NDArray[np.float32]  # (E,)
    evaluated: NDArray[np.int64]  # (V,)
    correct: NDArray[np.bool_]  # (V, N, M)
    outputs: NDArray[np.float32]  # (N, M, K)
    weights: tuple[NDArray[np.float32], ...]
    seconds: float
    rule_met_after: int | None = None  # training sequences, with `stop=rule`


@dataclass(frozen=True)
class Training:
    """The training of all seeds of a recipe, and facts about its network."""

    runs: tuple[SeedRun, ...]
    parameters: int
    multiply_adds: int  # of the forward pass of one sample
    compile_seconds: float


class Engine(Protocol):
    """The interface of the two engine modules."""

    def train(
        self,
        recipe: Recipe,
        seeds: Sequence[int],
        threads: int = 1,
        stop: Callable[[], bool] = lambda: False,
    ) -> Training:
        """Returns the training of each seed.

        `stop` is called regularly; if it returns True, training ends with `Interrupted`.
        """
        ...


def get_engine(name: str) -> Engine:
    """Returns the engine module called `name`, a key of `ENGINES`."""
    module: Engine = importlib.import_module(ENGINES[name])
    return module
