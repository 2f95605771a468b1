"""Shows the results of a recurrent Keras layer with `return_sequences` and `return_state`.

`python -m lstm_bench.returned_states` computes and prints a table. In words:

- the output is h after the last step or, with `return_sequences`, h after every step;
- `return_state` appends the state after the last step: first h, which equals the last output; for
  an LSTM then the cell state c, which is never part of the output;
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
class ReturnedValues:
    """The arrays that a layer with these settings returns, and the states that they equal."""

    network: str
    return_sequences: bool
    return_state: bool
    shapes: tuple[tuple[int, ...], ...]
    equals: tuple[str, ...]  # a key of `states_by_step` for each array

    def __str__(self) -> str:
        pairs = zip(RETURNED, self.equals, strict=False)
        equations = ", ".join(f"{name} = {state}" for name, state in pairs)
        shapes = " ".join(map(str, self.shapes))
        settings = f"{self.return_sequences!s:<17} {self.return_state!s:<13}"
        return f"{self.network:<5} {settings} {shapes:<27} {equations}"


def returned_values(network: str, seed: int = 0) -> list[ReturnedValues]:
    """Returns the arrays of `network` ("LSTM" or "GRU") for all four pairs of settings.

    They are computed from random weights and inputs.
    """
    import keras

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32)  # (B, T, F)
    rows = []
    for sequences, state in itertools.product((False, True), repeat=2):
        options = {"return_sequences": sequences, "return_state": state}
        layer = getattr(keras.layers, network)(UNITS, **options)
        layer.build(x.shape)
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
        arrays = [np.asarray(array) for array in (layer(x) if state else [layer(x)])]
        states = states_by_step(layer.cell, x)
        equals = tuple(_equal_state(array, states) for array in arrays)
        shapes = tuple(array.shape for array in arrays)
        rows.append(ReturnedValues(network, sequences, state, shapes, equals))
    return rows


def states_by_step(cell: Any, x: Array) -> dict[str, Array]:
    """Returns the states of a Keras `cell` that reads `x` (B, T, F) one step at a time.

    "every h" is (B, T, U); "last h" is (B, U), as is "last c" if the cell has a second state.
    """
    states = cell.get_initial_state(batch_size=len(x))
    outputs = []
    for step in range(x.shape[1]):
        _, states = cell(x[:, step], states)
        outputs.append(np.asarray(states[0]))
    last = dict(zip(("last h", "last c"), map(np.asarray, states), strict=False))
    return {"every h": np.stack(outputs, axis=1), **last}


def _equal_state(array: Array, states: dict[str, Array]) -> str:
    """Returns the name of the state that `array` equals; raises `StopIteration` if none."""
    return next(
        name
        for name, value in states.items()
        if value.shape == array.shape and np.allclose(value, array, rtol=0, atol=1e-6)
    )


def print_returned_states() -> None:
    """Prints the table."""
    backend.start_tensorflow(1)
    print(f"x is (rows, time steps, features) = {(ROWS, STEPS, FEATURES)}; {UNITS} units\n")
    print("layer return_sequences  return_state  shapes                      what equals what")
    for network in NETWORKS:
        print(*returned_values(network), sep="\n")
