"""Recurrent layers as compiled loops over time, forward and backward, in single precision.

In an XLA loop over time, each product with the recurrent weights arranges them in memory anew. Here
they are arranged once for all steps, the activations of a step follow its product directly, and
the gradients of the weights are products over many time steps at once.

T are time steps, B rows, F features and U units. Arrays are flat, with time first: x is (T, B, F).
A forward kernel keeps what its backward kernel needs: h and c in slots 0 to T, of which slot 0 is
the state before the first step, and the values of the gates. Without `training` it keeps only the
latest c and gates, and only the latest h as well unless an output at every step is wanted.
Each kernel gets the addresses of its results and of its operands, as XLA passes them:

`forward`   operands: sizes, x, kernel, recurrent kernel, bias, h, [c]; results: h, gates, [c]
`backward`  operands: sizes, x, kernel, recurrent kernel, gradient of the output, h, gates, [c];
            results: gradients of the kernel, the recurrent kernel, the bias and x

`sizes` are T, B, F, U, the steps of a block, whether to go backward, whether to train (backward:
whether to compute the gradient of x), whether the output has every step, and the steps of a cut:
the gradients of the states do not pass to the step before every so many steps, T for never. The
products with x and the gradients of the weights are computed for a block of steps at once. Every
step takes 6 U numbers a row for an LSTM (four gates, c, h), 5 U for a GRU and U for a simple RNN.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, cfunc, types
from numba import config as config
from numba.core.registry import cpu_target as cpu_target

from lstm_bench.training import _cells, _flat_arrays, _tiles
from lstm_bench.training._cells import gru_step, gru_step_back, lstm_step, lstm_step_back, tanh
from lstm_bench.training._flat_arrays import (
    add_sums,
    add_weight_gradients,
    cleared,
    floats,
    multiply,
)
from lstm_bench.training._tiles import F32, ONE, WIDTH, ZERO, clear, compiled, copy, filled, panels


@compiled
def _sizes(address):
    """Returns T, B, F, U, the steps of a block, the last two flags, and the steps of a cut."""
    sizes = carray(address, (9,), np.int32)
    steps, rows, features = np.int64(sizes[0]), np.int64(sizes[1]), np.int64(sizes[2])
    units, block = np.int64(sizes[3]), np.int64(sizes[4])
    cut = np.int64(sizes[8])
    return steps, rows, features, units, block, sizes[6] != 0, sizes[7] != 0, cut


@compiled
def _is_backward(operands):
    return carray(operands[0], (9,), np.int32)[5] != 0


# ---- LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)
# Gates, in Keras's order: i, f, g, o.


@compiled
def _lstm_forward(results, operands):
    steps, rows, features, units, block, training, every_step, _ = _sizes(operands[0])
    cells, width = rows * units, 4 * units
    h_step = cells if training or every_step else ZERO
    c_step = cells if training else ZERO
    x = floats(operands[1], steps * rows * features)
    kernel = panels(floats(operands[2], features * width), features, width, width, ONE, ZERO)
    recurrent = panels(floats(operands[3], units * width), units, width, width, ONE, ZERO)
    bias = floats(operands[4], width)
    h = floats(results[0], steps * h_step + cells)
    gates = floats(results[1], (steps if training else block) * rows * width)
    c = floats(results[2], steps * c_step + cells)
    copy(floats(operands[5], cells), h, cells)
    copy(floats(operands[6], cells), c, cells)
    offset, factor = filled(width, F32(0.5)), filled(width, F32(0.5))
    for j in range(2 * units, 3 * units):
        offset[j], factor[j] = F32(0), F32(1)
    for t in range(steps):
        now = gates[(t if training else t % block) * rows * width :]
        if t % block == 0:
            inputs, count = x[t * rows * features :], min(block, steps - t) * rows
            multiply(count, inputs, features, kernel, features, width, bias, ZERO, now, width)
        multiply(rows, h[t * h_step :], units, recurrent, units, width, now, width, now, width)
        c_old, c_new = c[t * c_step :], c[(t + 1) * c_step :]
        lstm_step(now, c_old, c_new, h[(t + 1) * h_step :], rows, units, offset, factor)


@compiled
def _lstm_backward(results, operands):
    steps, rows, features, units, block, wants_d_x, every_step, cut = _sizes(operands[0])
    cells, width = rows * units, 4 * units
    x = floats(operands[1], steps * rows * features)
    kernel = floats(operands[2], features * width)
    recurrent = floats(operands[3], units * width)
    d_output = floats(operands[4], steps * cells if every_step else cells)
    h = floats(operands[5], (steps + 1) * cells)
    gates = floats(operands[6], steps * rows * width)
    c = floats(operands[7], (steps + 1) * cells)
    d_kernel = cleared(results[0], features * width)
    d_recurrent = cleared(results[1], units * width)
    d_bias = cleared(results[2], width)
    d_x = floats(results[3], steps * rows * features if wants_d_x else 1)
    recurrent = panels(recurrent, width, units, ONE, width, ZERO)  # transposed
    kernel = panels(kernel, width, features, ONE, width, ZERO) if wants_d_x else recurrent
    d_h, d_c = filled(cells, F32(0)), filled(cells, F32(0))
    zeros = filled(cells + features, F32(0))
    changes = filled(block * rows * width + WIDTH, F32(0))
    for t in range(steps - 1, -1, -1):
        first = t // block * block
        now = changes[(t - first) * rows * width :]
        external = d_output[t * cells :] if every_step else d_output if t == steps - 1 else zeros
        c_old, c_new = c[t * cells :], c[(t + 1) * cells :]
        lstm_step_back(
            gates[t * rows * width :], c_old, c_new, external, d_h, d_c, now, rows, units
        )
        if t % cut:
            multiply(rows, now, width, recurrent, width, units, zeros, ZERO, d_h, units)
        else:
            clear(d_h, cells)
            clear(d_c, cells)
        if t == first:
            inputs, depth = x[t * rows * features :], min(block, steps - t) * rows
            add_weight_gradients(inputs, depth, features, changes, width, width, d_kernel, width)
            add_weight_gradients(
                h[t * cells :], depth, units, changes, width, width, d_recurrent, width
            )
            add_sums(changes, depth, width, width, d_bias)
            if wants_d_x:
                d_inputs = d_x[t * rows * features :]
                multiply(
                    depth, changes, width, kernel, width, features, zeros, ZERO, d_inputs, features
                )


# ---- GRU (Cho et al. 2014), with the reset gate after the product, as in Keras
# Gates: n (the candidate), z, r, and what r multiplies. Keras's weights are in the order z, r, n.


@compiled
def _gru_forward(results, operands):
    steps, rows, features, units, block, training, every_step, _ = _sizes(operands[0])
    cells, width, three = rows * units, 4 * units, 3 * units
    h_step = cells if training or every_step else ZERO
    x = floats(operands[1], steps * rows * features)
    kernel = panels(floats(operands[2], features * three), features, three, three, ONE, 2 * units)
    recurrent = panels(floats(operands[3], units * three), units, three, three, ONE, ZERO)
    both = floats(operands[4], 2 * three)  # the biases of the inputs, then those of h
    h = floats(results[0], steps * h_step + cells)
    gates = floats(results[1], (steps if training else block) * rows * width)
    copy(floats(operands[5], cells), h, cells)
    bias = filled(width, F32(0))
    for j in range(units):
        bias[j] = both[2 * units + j]
        bias[units + j] = both[j] + both[three + j]
        bias[2 * units + j] = both[units + j] + both[three + units + j]
        bias[three + j] = both[three + 2 * units + j]
    for t in range(steps):
        now = gates[(t if training else t % block) * rows * width :]
        if t % block == 0:
            inputs, count = x[t * rows * features :], min(block, steps - t) * rows
            multiply(count, inputs, features, kernel, features, three, bias, ZERO, now, width)
        for row in range(rows):
            copy(bias[three:], now[row * width + three :], units)
        sums = now[units:]
        multiply(rows, h[t * h_step :], units, recurrent, units, three, sums, width, sums, width)
        gru_step(now, h[t * h_step :], h[(t + 1) * h_step :], rows, units)


@compiled
def _gru_backward(results, operands):
    steps, rows, features, units, block, wants_d_x, every_step, cut = _sizes(operands[0])
    cells, width, two, three = rows * units, 4 * units, 2 * units, 3 * units
    x = floats(operands[1], steps * rows * features)
    kernel = floats(operands[2], features * three)
    recurrent = floats(operands[3], units * three)
    d_output = floats(operands[4], steps * cells if every_step else cells)
    h = floats(operands[5], (steps + 1) * cells)
    gates = floats(operands[6], steps * rows * width)
    d_kernel = cleared(results[0], features * three)
    d_recurrent = cleared(results[1], units * three)
    d_bias = cleared(results[2], 2 * three)
    d_x = floats(results[3], steps * rows * features if wants_d_x else 1)
    recurrent = panels(recurrent, three, units, ONE, three, ZERO)  # transposed, as are the next
    of_n = panels(kernel[two:], units, features, ONE, three, ZERO) if wants_d_x else recurrent
    of_z_r = panels(kernel, two, features, ONE, three, ZERO) if wants_d_x else recurrent
    d_h, zeros = filled(cells, F32(0)), filled(cells + features, F32(0))
    changes = filled(block * rows * width + WIDTH, F32(0))
    for t in range(steps - 1, -1, -1):
        first = t // block * block
        now = changes[(t - first) * rows * width :]
        external = d_output[t * cells :] if every_step else d_output if t == steps - 1 else zeros
        gru_step_back(gates[t * rows * width :], h[t * cells :], external, d_h, now, rows, units)
        if t % cut:
            multiply(rows, now[units:], width, recurrent, three, units, d_h, units, d_h, units)
        else:
            clear(d_h, cells)
        if t == first:
            inputs, depth = x[t * rows * features :], min(block, steps - t) * rows
            rest = changes[units:]
            add_weight_gradients(inputs, depth, features, rest, two, width, d_kernel, three)
            add_weight_gradients(
                inputs, depth, features, changes, units, width, d_kernel[two:], three
            )
            add_weight_gradients(
                h[t * cells :], depth, units, rest, three, width, d_recurrent, three
            )
            add_sums(rest, depth, two, width, d_bias)
            add_sums(changes, depth, units, width, d_bias[two:])
            add_sums(rest, depth, three, width, d_bias[three:])
            if wants_d_x:
                d_inputs = d_x[t * rows * features :]
                multiply(depth, rest, width, of_z_r, two, features, zeros, ZERO, d_inputs, features)
                multiply(
                    depth, changes, width, of_n, units,
                    features, d_inputs, features, d_inputs, features,
                )  # fmt: skip


# ---- Simple RNN (Elman 1990)


@compiled
def _simple_rnn_forward(results, operands):
    steps, rows, features, units, block, training, every_step, _ = _sizes(operands[0])
    cells = rows * units
    h_step = cells if training or every_step else ZERO
    x = floats(operands[1], steps * rows * features)
    kernel = panels(floats(operands[2], features * units), features, units, units, ONE, ZERO)
    recurrent = panels(floats(operands[3], units * units), units, units, units, ONE, ZERO)
    bias = floats(operands[4], units)
    h = floats(results[0], steps * h_step + cells)
    sums = floats(results[1], block * cells)
    copy(floats(operands[5], cells), h, cells)
    for t in range(steps):
        now = sums[t % block * cells :]
        if t % block == 0:
            inputs, count = x[t * rows * features :], min(block, steps - t) * rows
            multiply(count, inputs, features, kernel, features, units, bias, ZERO, now, units)
        multiply(rows, h[t * h_step :], units, recurrent, units, units, now, units, now, units)
        after = h[(t + 1) * h_step :]
        for j in range(cells):
            after[j] = tanh(now[j])


@compiled
def _simple_rnn_backward(results, operands):
    steps, rows, features, units, block, wants_d_x, every_step, cut = _sizes(operands[0])
    cells = rows * units
    x = floats(operands[1], steps * rows * features)
    kernel = floats(operands[2], features * units)
    recurrent = floats(operands[3], units * units)
    d_output = floats(operands[4], steps * cells if every_step else cells)
    h = floats(operands[5], (steps + 1) * cells)
    d_kernel = cleared(results[0], features * units)
    d_recurrent = cleared(results[1], units * units)
    d_bias = cleared(results[2], units)
    d_x = floats(results[3], steps * rows * features if wants_d_x else 1)
    recurrent = panels(recurrent, units, units, ONE, units, ZERO)  # transposed
    kernel = panels(kernel, units, features, ONE, units, ZERO) if wants_d_x else recurrent
    d_h, zeros = filled(cells, F32(0)), filled(cells + features, F32(0))
    changes = filled(block * cells + WIDTH, F32(0))
    for t in range(steps - 1, -1, -1):
        first = t // block * block
        now, after = changes[(t - first) * cells :], h[(t + 1) * cells :]
        external = d_output[t * cells :] if every_step else d_output if t == steps - 1 else zeros
        for j in range(cells):
            now[j] = (d_h[j] + external[j]) * (F32(1) - after[j] * after[j])
        if t % cut:
            multiply(rows, now, units, recurrent, units, units, zeros, ZERO, d_h, units)
        else:
            clear(d_h, cells)
        if t == first:
            inputs, depth = x[t * rows * features :], min(block, steps - t) * rows
            add_weight_gradients(inputs, depth, features, changes, units, units, d_kernel, units)
            add_weight_gradients(
                h[t * cells :], depth, units, changes, units, units, d_recurrent, units
            )
            add_sums(changes, depth, units, units, d_bias)
            if wants_d_x:
                d_inputs = d_x[t * rows * features :]
                multiply(
                    depth, changes, units, kernel, units, features, zeros, ZERO, d_inputs, features
                )


# ---- What XLA calls


@functools.cache
def kernel(network: str) -> Any:
    """Returns the compiled kernel of "lstm", "gru" or "simple_rnn", forward and backward.

    Numba keeps it on disk, if it can: compiling takes some seconds.
    """
    return native({"lstm": _lstm, "gru": _gru, "simple_rnn": _simple_rnn}[network](stamp()))


def native(entry: Callable[..., None]) -> Any:
    """Returns `entry` as compiled code that XLA can call."""
    kind = types.void(types.CPointer(types.voidptr), types.CPointer(types.voidptr))
    options = {"error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        return cfunc(kind, cache=True, **options)(entry)
    except Exception:  # no folder to write to, no room, a damaged file
        return cfunc(kind, **options)(entry)


def stamp() -> int:
    """Returns a number that changes with the code of the kernels.

    Numba compares a function kept on disk only with the file in which it is defined.
    """
    paths = (Path(str(module.__file__)) for module in (_tiles, _flat_arrays, _cells))
    return zlib.crc32(b"".join(path.read_bytes() for path in paths))


# The stamp is part of the key under which Numba keeps the code; it is never negative. One function
# for all three, which got the other two as arguments, would be compiled anew in each process.


def _lstm(stamp: int) -> Callable[..., None]:
    def lstm(results, operands):
        if stamp >= 0 and _is_backward(operands):
            _lstm_backward(results, operands)
        else:
            _lstm_forward(results, operands)

    return lstm


def _gru(stamp: int) -> Callable[..., None]:
    def gru(results, operands):
        if stamp >= 0 and _is_backward(operands):
            _gru_backward(results, operands)
        else:
            _gru_forward(results, operands)

    return gru


def _simple_rnn(stamp: int) -> Callable[..., None]:
    def simple_rnn(results, operands):
        if stamp >= 0 and _is_backward(operands):
            _simple_rnn_backward(results, operands)
        else:
            _simple_rnn_forward(results, operands)

    return simple_rnn
