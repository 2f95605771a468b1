"""The weights of a Keras model as rows for `_step_kernel`, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe
from lstm_bench.training._row_products import padded
from lstm_bench.training._step_kernel import OUTPUTS, Network, Rows

Float32 = NDArray[np.float32]


class StepNetwork:
    """A network of `recipe` with F `features` that is trained step by step.

    `weights` are those of its Keras model, in the order of its variables.
    """

    def __init__(self, recipe: Recipe, features: int, weights: list[Float32]) -> None:
        settings = recipe.lstm_1997
        assert settings is not None
        self.units, self.features, self.settings = recipe.units, features, settings
        kernel, *rest = weights
        self.width = kernel.shape[1]
        self.dense = padded(self.width + 1 if settings.recurrent_inputs else 1)
        hidden = np.zeros((self.width, padded(self.dense + features)))
        hidden[:, self.dense : self.dense + features] = kernel.T
        if settings.recurrent_inputs:
            hidden[:, 1 : self.width + 1] = rest.pop(0).T
        if settings.biases != "none":
            bias = rest.pop(0)
            hidden[self.width - len(bias) :, 0] = bias
        to_outputs = rest.pop(0).T  # (K, U) or (K, F + U)
        self.shown = padded(self.units + 1)
        seen = 0 if settings.recurrent_inputs else features
        output = np.zeros((len(to_outputs), padded(self.shown + seen)))
        output[:, 1 : self.units + 1] = to_outputs[:, seen:]
        output[:, self.shown : self.shown + seen] = to_outputs[:, :seen]
        if settings.biases == "all":
            output[:, 0] = rest.pop(0)
        self.rows = Rows(hidden.ravel(), output.ravel())
        self.kind = Network(
            units=recipe.units,
            block_size=settings.block_size,
            outputs=len(output),
            length=hidden.shape[1],
            output_length=output.shape[1],
            output=OUTPUTS[recipe.output],
            output_gate=settings.output_gate,
            symmetric=settings.squashing == "symmetric",
            recurrent=settings.recurrent_inputs,
            biases=np.array(
                [
                    settings.biases in ("hidden", "all"),
                    settings.biases != "none",
                    settings.biases == "all",
                ]
            ),
        )

    def weights(self, has_cells: bool) -> tuple[Float32, ...]:
        """Returns the weights of the Keras model; without cells, the outputs take none of them."""
        settings = self.settings
        hidden = self.rows.hidden.reshape(self.width, -1)
        output = self.rows.output.reshape(self.kind.outputs, -1)
        values = [hidden[:, self.dense : self.dense + self.features].T]
        if settings.recurrent_inputs:
            values.append(hidden[:, 1 : self.width + 1].T)
        if settings.biases != "none":
            begin = self.units if settings.biases == "gates" else 0
            values.append(hidden[begin:, 0])
        seen = 0 if settings.recurrent_inputs else self.features
        cells = output[:, 1 : self.units + 1] * has_cells
        values.append(np.hstack([output[:, self.shown : self.shown + seen], cells]).T)
        if settings.biases == "all":
            values.append(output[:, 0])
        return tuple(np.ascontiguousarray(single(value)) for value in values)


def single(values: Any) -> Any:
    """Returns `values` in single precision; those that are too large become infinite."""
    with np.errstate(over="ignore"):
        return np.float32(values)
