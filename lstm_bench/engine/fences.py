"""Where XLA makes one kernel of a loop, and where it had better not.

The kernel of a whole loop compiles in half the time of a kernel an operation, and spares starting
each of them, which is most of the time that a small network takes. But in it a product of two
matrices is a plain loop, where otherwise it is Eigen's: a loop whose products are large is kept out
by a fence, an operation that XLA cannot put in a kernel with others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

LARGE = 3000
"""Multiply-adds of a product above which it is large: measured, see LOG.md."""


def large(product: int) -> bool:
    """Returns whether a loop with a product of so many multiply-adds does better without."""
    return product > LARGE


def fenced(counter: Any) -> Any:
    """Returns `counter`, an integer: XLA cannot know that it is always the smaller one."""
    return tf.sort(tf.stack([counter, tf.constant(counter.dtype.max)]))[0]


def _over_fences(state: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns `state` (B, units) over a fence, and what leads its gradient over another."""

    def passed(value: Any) -> Any:
        positive = tf.cast(value[0, 0] > 0, tf.int32)
        return tf.where(fenced(positive) < 2, value, 0.0)

    return passed(state), passed


_passed: Callable[[Any], Any] = tf.custom_gradient(_over_fences)


def fence_steps(model: keras.Model) -> None:
    """Puts a fence in each recurrent layer's loop over time, for batches that make it `large`.

    That keeps every loop around it out of one kernel too. Changes the cells of `model`: once only.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            _fence_cell(layer.forward_layer.cell)
            _fence_cell(layer.backward_layer.cell)
        elif isinstance(layer, keras.layers.RNN):
            _fence_cell(layer.cell)


def _fence_cell(cell: Any) -> None:
    call = cell.call

    def fenced_call(inputs: Any, states: Any, **options: Any) -> Any:
        rows, features = inputs.shape
        if large(rows * cell.units * (cell.units + features)):
            first, *others = states
            states = [_passed(first), *others]
        return call(inputs, states, **options)

    cell.call = fenced_call
