"""What a recurrent layer returns: `return_sequences` and `return_state`, and what equals what.

`python -m lstm_bench.returned_states` computes and prints it. In words:

- the output is h after the last step or, with `return_sequences`, h after every step;
- `return_state` appends the state after the last step: first h, which equals the last output; for
  an LSTM then c, the cell state, which the output never shows;
- a GRU has one state, and it is the output.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.training import _backend as backend

Array = NDArray[np.float32]

NETWORKS = ("LSTM", "GRU")
RETURNED = ("output", "state_h", "state_c")
ROWS, STEPS, FEATURES, UNITS = 2, 3, 1, 4


@dataclass(frozen=True)
class Fact:
    """What a layer with these two settings returns: each array's shape, and what it equals."""

    network: str
    return_sequences: bool
    return_state: bool
    shapes: tuple[tuple[int, ...], ...]
    equals: tuple[str, ...]  # a key of `by_steps` for each array

    def __str__(self) -> str:
        told = (f"{name} = {what}" for name, what in zip(RETURNED, self.equals, strict=False))
        shapes = " ".join(map(str, self.shapes))
        settings = f"{self.return_sequences!s:<17} {self.return_state!s:<13}"
        return f"{self.network:<5} {settings} {shapes:<27} {', '.join(told)}"


def facts(network: str, seed: int = 0) -> list[Fact]:
    """Returns the four facts about `network`, "LSTM" or "GRU", from random weights and inputs."""
    import keras

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32)  # (B, T, F)
    found = []
    for sequences, state in itertools.product((False, True), repeat=2):
        options = {"return_sequences": sequences, "return_state": state}
        layer = getattr(keras.layers, network)(UNITS, **options)
        layer.build(x.shape)
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
        arrays = [np.asarray(array) for array in (layer(x) if state else [layer(x)])]
        known = by_steps(layer.cell, x)
        equals = tuple(_equal(array, known) for array in arrays)
        shapes = tuple(array.shape for array in arrays)
        found.append(Fact(network, sequences, state, shapes, equals))
    return found


def by_steps(cell: Any, x: Array) -> dict[str, Array]:
    """Returns the states of a Keras `cell` that reads `x` (B, T, F) a step at a time.

    "every h" is (B, T, U); "last h" and, where the cell has a second state, "last c" are (B, U).
    """
    states = cell.get_initial_state(batch_size=len(x))
    every = []
    for step in range(x.shape[1]):
        _, states = cell(x[:, step], states)
        every.append(np.asarray(states[0]))
    last = dict(zip(("last h", "last c"), map(np.asarray, states), strict=False))
    return {"every h": np.stack(every, axis=1), **last}


def _equal(array: Array, known: dict[str, Array]) -> str:
    """Returns which of `known` the array is; raises `StopIteration` if it is none."""
    return next(
        name
        for name, value in known.items()
        if value.shape == array.shape and np.allclose(value, array, rtol=0, atol=1e-6)
    )


def main() -> None:
    """Prints the table."""
    backend.start_tensorflow(1)
    print(f"x is (rows, time steps, features) = {(ROWS, STEPS, FEATURES)}; {UNITS} units\n")
    print("layer return_sequences  return_state  shapes                      what equals what")
    for network in NETWORKS:
        print(*facts(network), sep="\n")


if __name__ == "__main__":
    main()
