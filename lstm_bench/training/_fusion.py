"""Where XLA makes one kernel of a loop, and where it had better not.

The kernel of a whole loop compiles in half the time of a kernel an operation, and spares starting
each of them, which is most of the time that a small network takes. But in it a gradient's product
of two matrices is a plain loop, where otherwise it is Eigen's: a loop over such products that are
large is kept out by a fence, an operation that XLA cannot put in a kernel with others. A vector
times a matrix is fast in a kernel, and so are the products of an evaluation, which XLA unrolls
there as `backend.XLA_FLAGS` tell it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

LARGE = 10_000
"""Multiply-adds of a product of two matrices above which it is large: measured, see LOG.md."""


def large(model: keras.Model, rows: int) -> bool:
    """Returns whether a training step of `model` with so many rows has a large product."""
    return any(_product(layer, shape, rows) > LARGE for layer, shape in _layers(model))


def fenced(counter: Any) -> Any:
    """Returns `counter`, an integer: XLA cannot know that it is always the smaller one."""
    return tf.sort(tf.stack([counter, tf.constant(counter.dtype.max)]))[0]


def fence_steps(model: keras.Model, rows: int) -> None:
    """Puts a fence in the loop over time of each recurrent layer that has a large product.

    That keeps every loop around it out of one kernel too. Changes the cells of `model`: once only.
    """
    for layer, shape in _layers(model):
        loop = isinstance(layer, keras.layers.RNN) and shape[0] > 1
        if loop and _product(layer, shape, rows) > LARGE:
            _fence_cell(layer.cell)


def in_one_kernel(compute: Callable[..., Any], values: Sequence[Any], once: Any) -> Sequence[Any]:
    """Returns `compute(*values)`, which must look like `values`, computed in one kernel.

    What lies beyond a fence is a kernel an operation, but for its loops: this makes a loop of it.
    `once` is a 1 that XLA cannot know.
    """

    def turn(done: Any, *held: Any) -> tuple[Any, ...]:
        return done + 1, *compute(*held)

    made: Sequence[Any] = tf.while_loop(lambda done, *_: done < once, turn, (0, *values))
    return made[1:]


def _layers(model: keras.Model) -> Iterator[tuple[keras.Layer, tuple[int, ...]]]:
    """Yields each layer with weights and the shape of a row of its input: (T, F) or (F,)."""
    for layer in filter(lambda layer: layer.trainable_variables, model.layers):
        both = isinstance(layer, keras.layers.Bidirectional)
        for one in (layer.forward_layer, layer.backward_layer) if both else (layer,):
            yield one, layer.input.shape[1:]


def _product(layer: keras.Layer, shape: tuple[int, ...], rows: int) -> int:
    """Returns the multiply-adds of a layer's largest product of two matrices, 0 if it has none.

    Of a recurrent layer that is a product at one time step.
    """
    left_out = {"bias"}
    if not isinstance(layer, keras.layers.RNN):
        rows *= math.prod(shape[:-1])
    elif shape[0] == 1 and not layer.stateful:
        left_out.add("recurrent_kernel")  # applied to zeros alone
    if rows == 1:
        return 0
    weights = (each for each in layer.trainable_variables if each.name not in left_out)
    return rows * max((math.prod(weight.shape) for weight in weights), default=0)


def _over_fences(state: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns `state` (B, units) over a fence, and what leads its gradient over another."""

    def passed(value: Any) -> Any:
        positive = tf.cast(value[0, 0] > 0, tf.int32)
        return tf.where(fenced(positive) < 2, value, 0.0)

    return passed(state), passed


_passed: Callable[[Any], Any] = tf.custom_gradient(_over_fences)


def _fence_cell(cell: Any) -> None:
    call = cell.call

    def fenced_call(inputs: Any, states: Any, training: bool = False) -> Any:
        if training:
            first, *others = states
            states = [_passed(first), *others]
        return call(inputs, states, training=training)

    cell.call = fenced_call
