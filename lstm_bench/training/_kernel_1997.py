"""The loop over time of an LSTM of 1997, forward and backward, as compiled code.

The equations and the names a, s, g, h, i and o are those of `_lstm_1997`. Arrays are flat, with
time first, as in `_kernels`; a block has U / N cells, and H = U + N or U + 2 N units are hidden.

`forward`   operands: sizes, x, kernel, recurrent kernel, bias, a, s;
            results: a (T + 1, B, H), s (B, U), g and squash(s) (T, B, U)
`backward`  operands: sizes, x, kernel, gradient of the output, a, g, squash(s);
            results: gradients of the kernel, the recurrent kernel, the bias and x

`sizes` are T, B, F, U, N, whether to go backward, whether to compute the gradient of x, whether the
output has every step, and whether there are output gates, symmetric squashing and recurrent inputs.

The gradient is cut where activations are fed back, so nothing in the backward loop is a product of
matrices: it goes through s alone. The gradients of the weights are products over all steps at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray

from lstm_bench.training import _kernels
from lstm_bench.training._cells import tanh
from lstm_bench.training._flat_arrays import (
    add_sums,
    add_weight_gradients,
    cleared,
    floats,
    multiply,
)
from lstm_bench.training._tiles import F32, ONE, WIDTH, ZERO, compiled, copy, filled, panels

SIZES = 11


@compiled
def _sizes(address):
    """Returns T, B, F, U, N, H and the last five of the sizes."""
    sizes = carray(address, (SIZES,), np.int32)
    steps, rows, features = np.int64(sizes[0]), np.int64(sizes[1]), np.int64(sizes[2])
    units, blocks = np.int64(sizes[3]), np.int64(sizes[4])
    width = units + (2 * blocks if sizes[8] != 0 else blocks)
    flags = sizes[6] != 0, sizes[7] != 0, sizes[8] != 0, sizes[9] != 0, sizes[10] != 0
    return steps, rows, features, units, blocks, width, flags


@compiled
def _step(a, s, g, h, units, blocks, width, has_output, symmetric, offset, factor):
    """Turns the net inputs of one row in `a` (H) into activations, and writes s, g and h (U)."""
    half, size = F32(0.5), units // blocks
    for j in range(width):  # sigma(x) = 0.5 + 0.5 tanh(0.5 x)
        a[j] = offset[j] + factor[j] * tanh(half * a[j])
    for block in range(blocks):
        i = a[units + block]
        for j in range(block * size, (block + 1) * size):
            g[j] = a[j]
            s[j] += i * a[j]
    for j in range(units):
        h[j] = tanh(half * s[j]) if symmetric else s[j]
    for block in range(blocks):
        o = a[units + blocks + block] if has_output else F32(1)
        for j in range(block * size, (block + 1) * size):
            a[j] = o * h[j]


@compiled
def _step_back(a, g, h, d_output, d_s, changes, units, blocks, has_output, symmetric):
    """Writes the gradients of the net inputs of one row to `changes` (H) and updates `d_s` (U)."""
    one, size = F32(1), units // blocks
    for block in range(blocks):
        i = a[units + block]
        o = a[units + blocks + block] if has_output else one
        d_i, d_o = F32(0), F32(0)
        for j in range(block * size, (block + 1) * size):
            slope = F32(0.5) * (one - h[j] * h[j]) if symmetric else one
            d = d_s[j] + d_output[j] * o * slope
            d_s[j] = d
            d_i += d * g[j]
            d_o += d_output[j] * h[j]
            of_g = one - F32(0.25) * g[j] * g[j] if symmetric else g[j] * (one - g[j])
            changes[j] = d * i * of_g
        changes[units + block] = d_i * i * (one - i)
        if has_output:
            changes[units + blocks + block] = d_o * o * (one - o)


@compiled
def _forward(results, operands):
    steps, rows, features, units, blocks, width, flags = _sizes(operands[0])
    _, _, has_output, symmetric, recurs = flags
    x = floats(operands[1], steps * rows * features)
    kernel = panels(floats(operands[2], features * width), features, width, width, ONE, ZERO)
    bias = floats(operands[4], width)
    a = floats(results[0], (steps + 1) * rows * width)
    s = floats(results[1], rows * units)
    g = floats(results[2], steps * rows * units)
    h = floats(results[3], steps * rows * units)
    copy(floats(operands[5], rows * width), a, rows * width)
    copy(floats(operands[6], rows * units), s, rows * units)
    recurrent = kernel
    if recurs:
        recurrent = panels(floats(operands[3], width * width), width, width, width, ONE, ZERO)
    offset, factor = filled(width, F32(0.5)), filled(width, F32(0.5))
    if symmetric:
        for j in range(units):
            offset[j], factor[j] = F32(0), F32(2)
    net = a[rows * width :]  # becomes the activations step by step
    multiply(steps * rows, x, features, kernel, features, width, bias, ZERO, net, width)
    for t in range(steps):
        now = net[t * rows * width :]
        if recurs:
            before = a[t * rows * width :]
            multiply(rows, before, width, recurrent, width, width, now, width, now, width)
        for row in range(rows):
            cells = slice((t * rows + row) * units, (t * rows + row + 1) * units)
            hidden, state = now[row * width : (row + 1) * width], s[row * units : (row + 1) * units]
            _step(
                hidden, state, g[cells], h[cells],
                units, blocks, width, has_output, symmetric, offset, factor,
            )  # fmt: skip


@compiled
def _backward(results, operands):
    steps, rows, features, units, blocks, width, flags = _sizes(operands[0])
    wants_d_x, every_step, has_output, symmetric, recurs = flags
    depth = steps * rows
    x = floats(operands[1], depth * features)
    d_output = floats(operands[3], depth * units if every_step else rows * units)
    a = floats(operands[4], (depth + rows) * width)
    g, h = floats(operands[5], depth * units), floats(operands[6], depth * units)
    d_kernel = cleared(results[0], features * width)
    d_recurrent = cleared(results[1], width * width if recurs else 1)
    d_bias = cleared(results[2], width)
    d_x = floats(results[3], depth * features if wants_d_x else 1)
    d_s, zeros = filled(rows * units, F32(0)), filled(rows * units + features, F32(0))
    changes = filled(depth * width + WIDTH, F32(0))
    for t in range(steps - 1, -1, -1):
        external = d_output if t == steps - 1 else zeros
        if every_step:
            external = d_output[t * rows * units :]
        for row in range(rows):
            n = t * rows + row
            cells, state = slice(n * units, (n + 1) * units), slice(row * units, (row + 1) * units)
            _step_back(
                a[(n + rows) * width :], g[cells], h[cells],
                external[state], d_s[state], changes[n * width :],
                units, blocks, has_output, symmetric,
            )  # fmt: skip
    add_weight_gradients(x, depth, features, changes, width, width, d_kernel, width)
    add_sums(changes, depth, width, width, d_bias)
    if recurs:
        add_weight_gradients(a, depth, width, changes, width, width, d_recurrent, width)
    if wants_d_x:
        kernel = panels(floats(operands[2], features * width), width, features, ONE, width, ZERO)
        multiply(depth, changes, width, kernel, width, features, zeros, ZERO, d_x, features)


@functools.cache
def kernel() -> Any:
    """Returns the compiled kernel, forward and backward; see `_kernels.kernel`."""
    return _kernels.native(_lstm_1997(_kernels.stamp()))


def _lstm_1997(stamp: int) -> Callable[..., None]:
    def lstm_1997(results, operands):
        if stamp >= 0 and carray(operands[0], (SIZES,), np.int32)[5] != 0:
            _backward(results, operands)
        else:
            _forward(results, operands)

    return lstm_1997
