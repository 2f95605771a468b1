"""Truncated back-propagation through time, in layers that Keras itself computes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

from lstm_bench.training._models import recurrent_parts


def cut_gradients(model: keras.Model, steps: int) -> None:
    """Makes each recurrent layer of `model` cut its gradient after every `steps` time steps.

    In training a layer then reads slices of its input, one after the other, and the states pass
    from slice to slice through `stop_gradient`; all else, and what a layer returns, stays the same
    (Williams & Peng 1990, section 3, with as many steps back as steps between). This changes the
    layers of `model`, so call it only once.
    """
    for layer in model.layers:
        for part in recurrent_parts(layer):
            part.inner_loop = functools.partial(_sliced, part.inner_loop, steps)


def _sliced(
    loop: Callable[..., Any],
    steps: int,
    sequences: Any,
    initial_state: Any,
    mask: Any,
    training: bool = False,
) -> tuple[Any, Any, Any]:
    """Returns the last output, the outputs (B, T, U) and the states: Keras's `RNN.inner_loop`.

    `loop` is the layer's method of this name.
    """
    if not training:
        return loop(sequences, initial_state, mask, training=training)  # type: ignore[no-any-return]
    states, parts = initial_state, []
    for first in range(0, sequences.shape[1], steps):
        if first:
            states = [keras.ops.stop_gradient(state) for state in states]
        part = sequences[:, first : first + steps]
        last, outputs, states = loop(part, states, mask, training=training)
        parts.append(outputs)
    return last, keras.ops.concatenate(parts, axis=1), states
