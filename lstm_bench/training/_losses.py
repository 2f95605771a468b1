"""The losses of recipes: those of Keras by their names, and one of our own."""

from __future__ import annotations

from typing import Any

import keras


def summed_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Returns half the squared error, summed over outputs and time steps, for each sample.

    This is the error of Hochreiter & Schmidhuber (1997): with plain gradient descent on one
    sequence at a time, their learning rates apply as they stand. For outputs (B, T, K) it returns
    T times the error of every step, (B, T), because Keras then takes the mean over the steps, and
    steps that are not scored count as 0; for outputs (B, K) it returns (B,).

    >>> y_true, y_pred = keras.ops.zeros((1, 2, 1)), keras.ops.array([[[1.0], [2.0]]])
    >>> print(keras.ops.mean(summed_squared_error(y_true, y_pred)).numpy())  # (1 + 4) / 2
    2.5
    """
    steps = y_pred.shape[1] if len(y_pred.shape) == 3 else 1
    return keras.ops.sum(keras.ops.square(y_pred - y_true), axis=-1) * (0.5 * steps)


def loss(name: str) -> Any:
    """Returns what Keras takes as the loss `name`: a function of our own, or the name itself."""
    return summed_squared_error if name == "summed_squared_error" else name
