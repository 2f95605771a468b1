"""What could be answered without a network: pure functions from a series to its next values.

All answers are in the data's own units; symbols are their numbers. Row t of an answer forecasts
row t + horizon from rows up to t.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Windows that are made at a time."""

Floats = NDArray[np.float64]


def last_value(target: Floats, horizon: int) -> Floats:
    """Returns the value at t, for every t of a series (n,) that has a successor: (n - horizon,).

    >>> last_value(np.array([3.0, 4.0, 6.0]), 1).tolist()
    [3.0, 4.0]
    """
    return target[: len(target) - horizon]


def seasonal(target: Floats, horizon: int, season: int) -> Floats:
    """Returns the latest known value a whole number of seasons before t + horizon: (n - horizon,).

    Before there is one, the value at t.

    >>> seasonal(np.array([1.0, 2.0, 3.0, 4.0]), horizon=1, season=2).tolist()
    [1.0, 1.0, 2.0]
    """
    now = np.arange(len(target) - horizon)
    back = now + horizon - season * -(-horizon // season)
    return target[np.where(back >= 0, back, now)]


def windows(inputs: Floats, lags: int) -> Floats:
    """Returns the last `lags` rows of inputs (n, F) at every row from the first full one on.

    Shape (n - lags + 1, lags * F), the oldest row first.

    >>> windows(np.array([[1.0], [2.0], [3.0]]), 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    count, width = len(inputs) - lags + 1, inputs.shape[1]
    if count < 1:
        return np.empty((0, lags * width))
    view = np.lib.stride_tricks.sliding_window_view(inputs, lags, axis=0)  # (count, F, lags)
    return np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(count, lags * width)


def least_squares(x: Floats, y: Floats) -> Floats:
    """Returns the coefficients, the intercept first, of the linear model with the least squares.

    `x` is (n, P), `y` (n,). Of several with the least, the one with the smallest norm, columns
    being centred and scaled.

    >>> least_squares(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])).round(9).tolist()
    [1.0, 2.0]
    """
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    slopes = np.linalg.lstsq((x - centre) / scale, y - y.mean(), rcond=None)[0] / scale
    return np.concatenate([[y.mean() - centre @ slopes], slopes])


def linear(
    learnt: Sequence[tuple[Floats, Floats]], asked: Sequence[Floats], lags: int
) -> list[Floats]:
    """Returns what a linear model of the last `lags` rows answers to every row of `asked`.

    `learnt` are pairs of inputs (n, F) and the value due after each row (n,); `asked` inputs
    (m, F). NaN at rows that have no `lags` rows up to them, and all NaN without a row to learn
    from.
    """
    x = np.concatenate([windows(inputs, lags) for inputs, _ in learnt])
    y = np.concatenate([due[lags - 1 :] for _, due in learnt])
    if not len(x):
        return [np.full(len(inputs), np.nan) for inputs in asked]
    found = least_squares(x, y)
    return [_applied(lambda shown: shown @ found[1:] + found[0], i, lags) for i in asked]


def logistic(
    learnt: Sequence[tuple[Floats, Floats]], asked: Sequence[Floats], lags: int
) -> list[Floats]:
    """Returns `linear`'s counterpart for symbols: logistic regression on the same windows.

    By scikit-learn, with its default penalty (the squared norm of the coefficients, C = 1).
    """
    from sklearn.linear_model import LogisticRegression  # takes half a second to import

    x = np.concatenate([windows(inputs, lags) for inputs, _ in learnt])
    y = np.concatenate([due[lags - 1 :] for _, due in learnt])
    if len(np.unique(y)) < 2:
        fill = y[0] if len(y) else np.nan
        return [np.full(len(inputs), fill) for inputs in asked]
    with warnings.catch_warnings():  # of many symbols for the rows, or of a slow descent
        warnings.simplefilter("ignore", UserWarning)
        model = LogisticRegression(max_iter=1000).fit(x, y)
    return [_applied(model.predict, inputs, lags) for inputs in asked]


def _applied(model: Callable[[Floats], Floats], inputs: Floats, lags: int) -> Floats:
    """Returns what `model` answers to every window of `inputs`, some at a time; NaN before."""
    told = np.full(len(inputs), np.nan)
    for first in range(lags - 1, len(inputs), BLOCK):
        last = min(first + BLOCK, len(inputs))
        told[first:last] = model(windows(inputs[first - lags + 1 : last], lags))
    return told
