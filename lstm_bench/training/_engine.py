"""Two engines, one signature: `train(recipe, seeds, threads, stop) -> Training`.

`keras_loop` is plain Keras as the tutorials write it and defines what is correct. `compiled` runs
the same training as one XLA program. An engine is imported when it is asked for, because
TensorFlow takes seconds to import.
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
    """What training did for one seed, over E epochs and N samples of M answers.

    `loss` and `right` describe every epoch: the loss as Keras reports it while training, and which
    answers were right in an evaluation after the epoch. `outputs` are those of the last epoch.
    """

    seed: int
    samples: Samples  # what it was trained on, and asked
    loss: NDArray[np.float32]  # (E,)
    right: NDArray[np.bool_]  # (E, N, M)
    outputs: NDArray[np.float32]  # (N, M, K)
    weights: tuple[NDArray[np.float32], ...]
    seconds: float


@dataclass(frozen=True)
class Training:
    """All seeds of a recipe, and what the engine spent besides training them."""

    runs: tuple[SeedRun, ...]
    parameters: int
    multiply_adds: int  # of one sample's way through the network, forward
    compile_seconds: float


class Engine(Protocol):
    """What the two engine modules have in common."""

    def train(
        self,
        recipe: Recipe,
        seeds: Sequence[int],
        threads: int = 1,
        stop: Callable[[], bool] = lambda: False,
    ) -> Training:
        """Returns the training of each seed. `stop` is asked now and then; True ends it early

        with `Interrupted`.
        """
        ...


def get_engine(name: str) -> Engine:
    """Returns the engine module called `name`, a key of `ENGINES`."""
    module: Engine = importlib.import_module(ENGINES[name])
    return module
