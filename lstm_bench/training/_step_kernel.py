"""An LSTM of 1997 with an update of its weights after every time step, as compiled code.

It computes what `_step_updates` computes, in double precision too: with a rate of 0.1, many updates
are smaller than the last digit of a weight in single precision, and thousands of them add up.

The time steps of all samples follow one another. Their inputs are sparse, since most are one-hot
vectors: the nonzero ones of step t are `value[at[t]:at[t + 1]]`, of the features `column[...]`.

A hidden unit has a row of weights: its bias, those of the activations of the step before (where
these are fed back), zeros up to whole vectors, and those of the inputs. The row of an output has
its bias, those of the cells, zeros, and those of the inputs where it sees them. What comes before
the inputs is the dense part of a row. All rows follow one another. A bias that is not learnt is 0.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lstm_bench.training import _row_products
from lstm_bench.training._row_products import OPTIONS, add, compiled, dot, logistic, padded

OUTPUTS = {"linear": 0, "sigmoid": 1, "softmax": 2}


class Steps(NamedTuple):
    """The time steps of all samples, S in all, with K outputs each."""

    start: NDArray[np.int64]  # (N + 1,): where each sample begins
    at: NDArray[np.int64]  # (S + 1,): where the nonzero inputs of each step begin
    column: NDArray[np.int64]
    value: NDArray[np.float64]
    y: NDArray[np.float32]  # (S, K)
    weight: NDArray[np.float64]  # (S,): of a step in the loss; 0 where it is not scored


class Rows(NamedTuple):
    """The weights of H hidden units (cells, input gates, output gates) and K outputs."""

    hidden: NDArray[np.float64]  # (H * length,)
    output: NDArray[np.float64]  # (K * length,)


class Network(NamedTuple):
    """The sizes of a network, and of what kind it is."""

    units: Any
    block_size: Any
    outputs: Any
    length: Any  # of the row of a hidden unit
    output_length: Any
    output: Any  # a value of `OUTPUTS`
    output_gate: Any
    symmetric: Any
    recurrent: Any  # whether activations are fed back; if not, outputs see the inputs
    biases: Any  # (3,): whether cells, gates and outputs have a bias


@compiled
def _net(net, count, rows, length, dense, fed, column, value, first, last):
    """Writes the net inputs of `count` units: the products of their rows with what they are fed."""
    for unit in range(count):
        row = unit * length
        total = dot(rows, row, fed, dense)
        for n in range(first, last):
            total += rows[row + dense + column[n]] * value[n]
        net[unit] = total


@compiled
def _add_fed(rows, row, factor, fed, dense, column, value, first, last):
    """Adds to a row `factor` times what its unit is fed."""
    add(rows, row, factor, fed, 0, dense)
    for n in range(first, last):
        rows[row + dense + column[n]] += factor * value[n]


@compiled
def _cells(a, s, h, slope, of_cell, of_gate, units, size, has_output, symmetric):
    """Turns the activations `a` of cells and gates into those that are fed back, and updates s.

    Writes the squashed state `h`, the `slope` of the output of a cell by its state, and the slopes
    of the state by the net inputs of the cell and of its input gate, without what came before.
    """
    blocks = units // size
    for b in range(blocks):
        i = a[units + b]
        for j in range(b * size, (b + 1) * size):
            z = a[j]
            g, g_slope = z, z * (1.0 - z)
            if symmetric:
                g, g_slope = 4.0 * z - 2.0, 4.0 * g_slope
            s[j] += i * g
            h[j] = s[j]
            of_cell[j] = i * g_slope
            of_gate[j] = g * i * (1.0 - i)
    if symmetric:
        logistic(h, len(h))
    for b in range(blocks):
        o = a[units + blocks + b] if has_output else 1.0
        for j in range(b * size, (b + 1) * size):
            slope[j] = o
            if symmetric:
                slope[j] = o * 2.0 * h[j] * (1.0 - h[j])
                h[j] = 2.0 * h[j] - 1.0
            a[j] = o * h[j]


@compiled
def _softmax(values, size):
    """Replaces the first `size` values by their softmax."""
    highest, total = values[0], 0.0
    for k in range(size):
        highest = values[k] if values[k] > highest else highest
    for k in range(size):
        values[k] = math.exp(values[k] - highest)
        total += values[k]
    for k in range(size):
        values[k] /= total


@compiled
def _copy(activations, fed, size):
    """Copies the first `size` activations to behind the place of the bias."""
    for j in range(size):
        fed[1 + j] = activations[j]


@compiled
def _deltas(y, targets, t, weight, output, delta):
    """Writes the gradient of a step's loss by the net inputs of the outputs.

    Returns the loss and the largest error.
    """
    loss, mean, largest = 0.0, 0.0, 0.0
    for k in range(len(delta)):
        error = y[k] - targets[t, k]
        delta[k] = weight * error
        loss += error * error
        mean += delta[k] * y[k]
        largest = largest if abs(error) <= largest else abs(error)  # NaN stays, if it is the last
    for k in range(len(delta)):
        if output == 1:
            delta[k] *= y[k] * (1.0 - y[k])
        elif output == 2:
            delta[k] = y[k] * (delta[k] - mean)
    return 0.5 * weight * loss, largest if loss == loss else loss


@compiled
def _samples(order, steps, rows, network, rate, absent, last_step, outputs, errors):
    """Runs the samples `order` (M,), and trains on them unless `rate` is 0; returns the total loss.

    In the first `absent` of them there are no hidden units: their activations are 0, and their
    weights stay. Writes `outputs` (S, K), unless it is empty, and the largest error of a sample at
    a scored step, or at the last one with `last_step`, to `errors` (M,).
    """
    start, at, column, value, targets, step_weight = steps
    hidden, output = rows
    units, size, count, length, output_length, activation = network[:6]
    has_output, symmetric, recurrent, biases = network[6:]
    blocks = units // size
    width = units + (2 * blocks if has_output else blocks)
    fed = np.zeros(padded(width + 1 if recurrent else 1))  # a bias, activations
    shown = np.zeros(padded(units + 1))  # a bias, outputs of the cells
    dense, output_dense = len(fed), len(shown)
    a, y, delta = np.zeros(padded(width)), np.zeros(padded(count)), np.zeros(count)
    s, slope, arriving = np.zeros(units), np.zeros(units), np.zeros(output_dense)
    h = np.zeros(padded(units))
    of_cell, of_gate = np.zeros(units), np.zeros(units)
    cell_trace = np.zeros(units * length)  # the slope of s by the weights of its cell
    gate_trace = np.zeros(units * length)  # and by those of its input gate
    shown[0] = 1.0  # the rest is 0 where there are no hidden units
    total = 0.0
    for number in range(len(order)):
        s[:], fed[:], cell_trace[:], gate_trace[:] = 0.0, 0.0, 0.0, 0.0
        fed[0] = 1.0
        largest, begin = 0.0, start[order[number]]
        for t in range(begin, start[order[number] + 1]):
            first, last = at[t], at[t + 1]
            output_last = first if recurrent else last
            if number >= absent:
                _net(a, width, hidden, length, dense, fed, column, value, first, last)
                logistic(a, len(a))
                _cells(a, s, h, slope, of_cell, of_gate, units, size, has_output, symmetric)
                _copy(a, shown, units)
            _net(
                y, count, output, output_length, output_dense, shown,
                column, value, first, output_last,
            )  # fmt: skip
            if activation == 1:
                logistic(y, len(y))
            elif activation == 2:
                _softmax(y, count)
            if len(outputs) > 0:
                for k in range(count):
                    outputs[t, k] = y[k]
            if rate == 0.0:
                if recurrent and number >= absent:
                    _copy(a, fed, width)
                continue
            if number >= absent:
                for j in range(units):
                    row = j * length
                    _add_fed(cell_trace, row, of_cell[j], fed, dense, column, value, first, last)
                    _add_fed(gate_trace, row, of_gate[j], fed, dense, column, value, first, last)
                    if not biases[0]:
                        cell_trace[row] = 0.0
                    if not biases[1]:
                        gate_trace[row] = 0.0
            if step_weight[t] != 0.0:
                loss, error = _deltas(y, targets, t, step_weight[t], activation, delta)
                total += loss
                if last_step or not error <= largest:
                    largest = error if last_step or largest == largest else largest
                for j in range(output_dense):
                    arriving[j] = 0.0
                for k in range(count):
                    row = k * output_length
                    add(arriving, 0, delta[k], output, row, output_dense)
                    _add_fed(
                        output, row, -rate * delta[k], shown, output_dense,
                        column, value, first, output_last,
                    )  # fmt: skip
                    if not biases[2]:
                        output[row] = 0.0
            if step_weight[t] != 0.0 and number >= absent:
                for b in range(blocks):
                    d_o = 0.0
                    for j in range(b * size, (b + 1) * size):
                        row = j * length
                        e = -rate * arriving[1 + j] * slope[j]
                        d_o += arriving[1 + j] * h[j]
                        add(hidden, row, e, cell_trace, row, length)
                        add(hidden, (units + b) * length, e, gate_trace, row, length)
                    if has_output:
                        o, row = a[units + blocks + b], (units + blocks + b) * length
                        factor = -rate * d_o * o * (1.0 - o)
                        _add_fed(hidden, row, factor, fed, dense, column, value, first, last)
                        if not biases[1]:
                            hidden[row] = 0.0
            if recurrent and number >= absent:
                _copy(a, fed, width)
        if rate != 0.0:
            errors[number] = largest
    return total


@functools.cache
def kernel() -> Any:
    """Returns `_samples` as compiled code, which is kept on disk if that can be."""
    stamp = zlib.crc32(Path(str(_row_products.__file__)).read_bytes())
    try:
        run = njit(cache=True, **OPTIONS)(_stamped(stamp))
        run(*_smallest())
    except Exception:  # no folder to write to, no room, a damaged file
        run = njit(**OPTIONS)(_stamped(stamp))
        run(*_smallest())
    return run


def _stamped(stamp: int) -> Callable[..., float]:
    """Returns the function to compile. Numba keeps one for each `stamp`, and for each file."""

    def run_samples(order, steps, rows, network, rate, absent, last_step, outputs, errors):
        if stamp < 0:
            return 0.0
        return _samples(order, steps, rows, network, rate, absent, last_step, outputs, errors)

    return run_samples


def _smallest() -> tuple[Any, ...]:
    """Returns arguments of `_samples` with no sample in them; compiled for these, it takes any."""
    integers, numbers = np.zeros(1, np.int64), np.zeros(8)
    outputs = np.zeros((0, 1), np.float32)
    steps = Steps(integers, integers, integers, numbers, outputs, numbers)
    network = Network(1, 1, 1, 16, 8, 0, False, False, False, np.zeros(3, bool))
    rows = Rows(np.zeros(32), np.zeros(8))
    return integers[:0], steps, rows, network, 0.0, 0, False, outputs, numbers
