"""The LSTM of Hochreiter & Schmidhuber (1997, section 4 and appendix A.1), as a Keras layer.

A cell has no forget gate. With inputs x, the activations a of all hidden units, and sigma the
logistic function, in block b and its cells c::

    net(t) = W x(t) + R a(t-1) + bias          of cells, input gates and output gates, in this order
    i_b(t) = sigma(net(t)),  o_b(t) = sigma(net(t))
    s_c(t) = s_c(t-1) + i_b(t) g(net_c(t))
    h_c(t) = o_b(t) squash(s_c(t))             the output of the cell
    a(t)   = h(t), i(t), o(t)

The gradient is cut as in the paper: an error that arrives at the net input of a cell or a gate does
not go further back in time, so a(t-1) counts as a constant. Only s carries errors through time.

`squashing` "symmetric" is g = 4 sigma - 2 and squash = 2 sigma - 1; "positive" is g = sigma and
squash the identity, as in experiments 2a and 2b. Without `recurrent_inputs` each layer is fed by
all layers below it, also as there: the hidden units by x alone, and what follows by x and h.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe
from lstm_bench.seeds import stream


@keras.saving.register_keras_serializable("lstm_bench")
class LSTM1997Cell(keras.layers.Layer):  # type: ignore[misc]
    """One time step of an LSTM of 1997: blocks of cells that share an input and an output gate."""

    def __init__(
        self,
        units: int,
        block_size: int = 1,
        output_gate: bool = True,
        squashing: str = "symmetric",
        recurrent_inputs: bool = True,
        biases: str = "all",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = units
        self.block_size = block_size
        self.output_gate = output_gate
        self.squashing = squashing
        self.recurrent_inputs = recurrent_inputs
        self.biases = biases
        self.gates = units // block_size * (2 if output_gate else 1)
        self.state_size = [units + self.gates, units]  # a and s

    def build(self, input_shape: Any) -> None:
        """Creates the weights; their columns are cells, then input gates, then output gates."""
        features, hidden = input_shape[-1], self.units + self.gates
        self.output_size = self.units + (0 if self.recurrent_inputs else features)
        self.kernel = self.add_weight(shape=(features, hidden), name="kernel")
        if self.recurrent_inputs:
            self.recurrent_kernel = self.add_weight(shape=(hidden, hidden), name="recurrent_kernel")
        if self.biases != "none":
            biased = self.gates if self.biases == "gates" else hidden
            self.bias = self.add_weight(shape=(biased,), name="bias")

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Returns the output, (B, units) or with the inputs before it, and the new states."""
        before, content = states
        net = keras.ops.matmul(inputs, self.kernel)  # (B, units + gates)
        if self.recurrent_inputs:
            net = net + keras.ops.matmul(keras.ops.stop_gradient(before), self.recurrent_kernel)
        if self.biases == "gates":
            net = net + keras.ops.pad(self.bias, (self.units, 0))
        elif self.biases != "none":
            net = net + self.bias
        gates = keras.ops.sigmoid(net[:, self.units :])
        of_cells = gates[:, :, None] * keras.ops.ones(self.block_size)  # (B, gates, block_size)
        of_cells = keras.ops.reshape(of_cells, (-1, self.gates * self.block_size))
        candidate = keras.ops.sigmoid(net[:, : self.units])
        if self.squashing == "symmetric":
            candidate = 4 * candidate - 2
        content = content + of_cells[:, : self.units] * candidate
        output = content
        if self.squashing == "symmetric":
            output = 2 * keras.ops.sigmoid(content) - 1
        if self.output_gate:
            output = of_cells[:, self.units :] * output
        states = [keras.ops.concatenate([output, gates], axis=-1), content]
        if not self.recurrent_inputs:
            output = keras.ops.concatenate([inputs, output], axis=-1)
        return output, states


@keras.saving.register_keras_serializable("lstm_bench")
class LSTM1997(keras.layers.RNN):  # type: ignore[misc]
    """The LSTM of Hochreiter & Schmidhuber (1997), with its gradient cut; see `LSTM1997Cell`."""

    def __init__(
        self,
        units: int,
        block_size: int = 1,
        output_gate: bool = True,
        squashing: str = "symmetric",
        recurrent_inputs: bool = True,
        biases: str = "all",
        **options: Any,
    ) -> None:
        cell = LSTM1997Cell(units, block_size, output_gate, squashing, recurrent_inputs, biases)
        super().__init__(cell, **options)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make this layer."""
        names = "units", "block_size", "output_gate", "squashing", "recurrent_inputs", "biases"
        config = {**super().get_config(), **{name: getattr(self.cell, name) for name in names}}
        del config["cell"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns the layer of a `config` from `get_config`."""
        return cls(**config)


def layer_options(recipe: Recipe) -> dict[str, Any]:
    """Returns the arguments of the layer that belong to it alone."""
    assert recipe.lstm_1997 is not None
    return dataclasses.asdict(recipe.lstm_1997)


def initial_weights(model: keras.Model, recipe: Recipe, seed: int) -> list[NDArray[np.float32]]:
    """Returns the initial weights of `seed`, in the order of `model.trainable_variables`.

    All weights and biases are uniform in +- `initial_range`, each variable from its own `init`
    stream; the biases of gates for which the recipe has values are those.
    """
    limit = recipe.initial_range
    assert limit is not None
    values = []
    for number, variable in enumerate(model.trainable_variables):
        value = stream(seed, "init", number).uniform(-limit, limit, tuple(variable.shape))
        if variable.name == "bias" and not variable.path.startswith("output/"):
            for begin, biases in recipe.gate_biases:
                value[len(value) + begin :][: len(biases)] = biases
        values.append(value.astype(np.float32))
    return values
