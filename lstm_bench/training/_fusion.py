"""Controls which loops XLA compiles into one kernel.

One kernel for a whole loop compiles in half the time of one kernel per operation, and saves the
start of each operation, which is most of the time that a small network takes. But inside such a
kernel a matrix product of a gradient is a plain loop instead of a call of Eigen. So loops over
large products of this kind are kept out of one kernel by a fence: an operation that XLA cannot
fuse with others. A vector times a matrix is fast inside a kernel, and so are the products of an
evaluation, which XLA unrolls there because of `XLA_FLAGS` in `config.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from lstm_bench.training._models import layer_parts
from lstm_bench.training._own_network import is_own

LARGE = 10_000
"""Multiply-adds above which a matrix product counts as large; measured, see LOG.md."""


def has_large_product(model: keras.Model, rows: int) -> bool:
    """Returns whether a training step of `model` on `rows` samples has a large product."""
    if is_own(model):
        return True  # or not: its products are unknown
    return any(_largest_product(layer, shape, rows) > LARGE for layer, shape in _layers(model))


def fenced(counter: Any) -> Any:
    """Returns the integer `counter` behind a fence.

    The fence is a sort of two numbers: XLA cannot know that `counter` is always the smaller one.
    """
    return tf.sort(tf.stack([counter, tf.constant(counter.dtype.max)]))[0]


def fence_steps(model: keras.Model, rows: int) -> None:
    """Puts a fence in the loop over time of each recurrent layer that has a large product.

    This also keeps all loops around it out of one kernel. It changes the cells of `model`, so call
    it only once.
    """
    if is_own(model):
        return
    for layer, shape in _layers(model):
        has_loop = isinstance(layer, keras.layers.RNN) and shape[0] > 1
        if has_loop and _largest_product(layer, shape, rows) > LARGE:
            _fence_cell(layer.cell)


def in_one_kernel(compute: Callable[..., Any], values: Sequence[Any], once: Any) -> Sequence[Any]:
    """Returns `compute(*values)`, computed in one kernel; it must have the structure of `values`.

    Outside a fenced loop XLA makes one kernel per operation, except for inner loops, so this wraps
    the computation in a loop with one iteration. `once` is the number 1 as a tensor, so that XLA
    cannot know it.
    """

    def iterate(done: Any, *current: Any) -> tuple[Any, ...]:
        return done + 1, *compute(*current)

    end: Sequence[Any] = tf.while_loop(lambda done, *_: done < once, iterate, (0, *values))
    return end[1:]


def _layers(model: keras.Model) -> Iterator[tuple[keras.Layer, tuple[int, ...]]]:
    """Yields each layer with weights, and the shape of one sample of its input: (T, F) or (F,)."""
    for layer in filter(lambda layer: layer.trainable_variables, model.layers):
        for part in layer_parts(layer):
            yield part, layer.input.shape[1:]


def _largest_product(layer: keras.Layer, shape: tuple[int, ...], rows: int) -> int:
    """Returns the multiply-adds of a layer's largest product of two matrices, 0 if it has none.

    For a recurrent layer it is a product at one time step.
    """
    excluded = {"bias"}
    if not isinstance(layer, keras.layers.RNN):
        rows *= math.prod(shape[:-1])
    elif shape[0] == 1 and not layer.stateful:
        excluded.add("recurrent_kernel")  # only multiplied by a state of zeros
    if rows == 1:
        return 0
    weights = (weight for weight in layer.trainable_variables if weight.name not in excluded)
    return rows * max((math.prod(weight.shape) for weight in weights), default=0)


def _fenced_both_ways(state: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns `state` (B, units) behind a fence, and a function that fences its gradient."""

    def fence(value: Any) -> Any:
        positive = tf.cast(value[0, 0] > 0, tf.int32)
        return tf.where(fenced(positive) < 2, value, 0.0)

    return fence(state), fence


_fenced_state: Callable[[Any], Any] = tf.custom_gradient(_fenced_both_ways)


def _fence_cell(cell: Any) -> None:
    call = cell.call

    def fenced_call(inputs: Any, states: Any, training: bool = False) -> Any:
        if training:
            first, *others = states
            states = [_fenced_state(first), *others]
        return call(inputs, states, training=training)

    cell.call = fenced_call
