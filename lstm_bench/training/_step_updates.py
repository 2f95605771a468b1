"""Training of an LSTM of 1997 with an update of its weights after every time step, in NumPy.

This is the algorithm of the paper's appendix A.1 (Hochreiter & Schmidhuber 1997), real-time and
local in time. The notation is that of `_lstm_1997`; v(t) is all that a hidden unit is fed: x(t),
a(t-1) and 1 for its bias. For a cell c of block b, the slopes of its state by the weights of the
cell itself and of its input gate are carried forward in time, and no error is carried back::

    ds_c(t) / dw_c = ds_c(t-1) / dw_c + i_b(t) g'(net_c(t)) v(t)
    ds_c(t) / dw_i = ds_c(t-1) / dw_i + g(net_c(t)) i_b(t) (1 - i_b(t)) v(t)

The error E(t) of every step that is scored changes the weights at once, by -rate dE(t) / dw. The
slopes of before are kept, though the weights are others by then. They are cleared with the
activations before each sequence.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe, Samples
from lstm_bench.training._stopping import judges_last_step, largest_errors

Floats = NDArray[np.float64]


class StepUpdates:
    """Trains `model`, a network of `recipe`, on its samples in the order of the calls of `fit`."""

    def __init__(self, recipe: Recipe, model: keras.Model) -> None:
        settings = recipe.lstm_1997
        assert settings is not None
        self.recipe, self.model, self.settings = recipe, model, settings
        self.blocks = recipe.units // settings.block_size
        self.trained = 0  # sequences so far
        layer, head = model.get_layer("rnn_1").cell, model.get_layer("output")
        kernel = _values(layer.kernel)
        width = kernel.shape[1]
        bias = np.zeros(width)
        if settings.biases != "none":
            given = _values(layer.bias)
            bias[width - len(given) :] = given
        fed_back = []
        if settings.recurrent_inputs:
            fed_back = [_values(layer.recurrent_kernel)]
        # A column for each cell, input gate and output gate.
        self.hidden: Floats = np.vstack([kernel, *fed_back, bias])
        self.learns = np.ones_like(self.hidden)
        self.learns[-1, : {"gates": recipe.units, "none": width}.get(settings.biases, 0)] = 0
        self.output: Floats = _values(head.kernel)
        self.output_bias = np.zeros(self.output.shape[1])
        if head.use_bias:
            self.output_bias += _values(head.bias)
        self._show()

    def fit(self, samples: Samples, rng: np.random.Generator) -> tuple[float, NDArray[np.floating]]:
        """Trains one epoch; returns its loss and the largest errors (N,), as `fit_with_errors`."""
        (index,), _ = self.recipe.schedule.epochs(rng, 1)
        weights = samples.weights(self.recipe.recall_weight)
        if weights is None:
            weights = np.ones(samples.scored.shape, np.float32)
        outputs, order, total = np.zeros(samples.y.shape), index.ravel(), 0.0
        # As in Keras, what is too large becomes infinite, without a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            for sample in order:
                total += self._sequence(
                    samples.x[sample], samples.y[sample], weights[sample], outputs[sample]
                )
                self.trained += 1
            self._show()
            errors = largest_errors(outputs, samples, judges_last_step(self.recipe))
            return float(np.float32(total / len(order))), errors[order]

    @property
    def has_cells(self) -> bool:
        """Whether the hidden units are there, and not still to be added."""
        return self.trained >= (self.recipe.cells_from or 0)

    def _sequence(
        self,
        x: NDArray[np.floating],
        targets: NDArray[np.floating],
        weights: NDArray[np.floating],
        outputs: Floats,
    ) -> float:
        """Trains on one sequence; returns its loss and writes its `outputs`."""
        units, size = self.recipe.units, self.settings.block_size
        symmetric, rate = self.settings.squashing == "symmetric", self.recipe.learning_rate
        width, total = self.hidden.shape[1], 0.0
        a, s = np.zeros(width), np.zeros(units)
        by_cell, by_gate = np.zeros((2, units, len(self.hidden)))  # ds / dw
        for t in range(np.flatnonzero(weights).max(initial=-1) + 1):  # to the last scored step
            fed_back = a if self.settings.recurrent_inputs else a[:0]
            v = np.concatenate([x[t], fed_back, [1.0]])
            gates = _logistic((v @ self.hidden)[units:])
            of_cells = np.repeat(gates, size)  # the gates of each cell
            i = of_cells[:units]
            o = of_cells[units:] if self.settings.output_gate else np.ones(units)
            z = _logistic((v @ self.hidden)[:units])
            g, g_slope = (4 * z - 2, 4 * z * (1 - z)) if symmetric else (z, z * (1 - z))
            s = s + i * g
            z = _logistic(s)
            h, h_slope = (2 * z - 1, 2 * z * (1 - z)) if symmetric else (s, np.ones(units))
            a = np.concatenate([o * h, gates])
            by_cell += np.outer(i * g_slope, v)
            by_gate += np.outer(g * i * (1 - i), v)
            if not self.has_cells:
                a = np.zeros(width)
            seen = x[t] if not self.settings.recurrent_inputs else x[t, :0]
            shown = np.concatenate([seen, a[:units]])
            outputs[t] = self._activated(shown @ self.output + self.output_bias)
            if weights[t] == 0:
                continue
            error = outputs[t] - targets[t]
            total += weights[t] * 0.5 * (error**2).sum()
            delta = self._delta(outputs[t], weights[t] * error)
            arriving = (self.output @ delta)[-units:]  # at the outputs of the cells
            self.output -= rate * np.outer(shown, delta)
            if self.model.get_layer("output").use_bias:
                self.output_bias -= rate * delta
            if not self.has_cells:
                continue
            at_states = (arriving * o * h_slope)[:, None]
            gradient = np.zeros_like(self.hidden)
            gradient[:, :units] = (at_states * by_cell).T
            blocks = (at_states * by_gate).reshape(self.blocks, size, -1).sum(axis=1)
            gradient[:, units : units + self.blocks] = blocks.T
            if self.settings.output_gate:
                at_gates = (arriving * h).reshape(self.blocks, size).sum(axis=1)
                slopes = gates[self.blocks :] * (1 - gates[self.blocks :])
                gradient[:, units + self.blocks :] = np.outer(v, at_gates * slopes)
            self.hidden -= rate * gradient * self.learns
        return total

    def _activated(self, net: Floats) -> Floats:
        if self.recipe.output == "linear":
            return net
        if self.recipe.output == "sigmoid":
            return _logistic(net)
        e = np.exp(net - net.max())
        return np.asarray(e / e.sum())

    def _delta(self, y: Floats, d_y: Floats) -> Floats:
        """Returns the gradient by the net inputs of the outputs, from that by the outputs."""
        if self.recipe.output == "linear":
            return d_y
        if self.recipe.output == "sigmoid":
            return d_y * y * (1 - y)
        return np.asarray(y * (d_y - (d_y * y).sum()))

    def _show(self) -> None:
        """Writes the weights to the model; where there are no cells, the outputs take none."""
        features = self.model.input_shape[-1]
        layer, head = self.model.get_layer("rnn_1").cell, self.model.get_layer("output")
        layer.kernel.assign(self.hidden[:features])
        if self.settings.recurrent_inputs:
            layer.recurrent_kernel.assign(self.hidden[features:-1])
        if self.settings.biases != "none":
            layer.bias.assign(self.hidden[-1, len(self.hidden[-1]) - layer.bias.shape[0] :])
        shown = self.output.copy()
        if not self.has_cells:
            shown[-self.recipe.units :] = 0
        head.kernel.assign(shown)
        if head.use_bias:
            head.bias.assign(self.output_bias)


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _values(variable: keras.Variable) -> Floats:
    return np.asarray(variable).astype(float)
