"""Baseline forecasts: pure functions from a series to its next values.

All forecasts are in the data's units; symbols are their numbers. Row t of a forecast predicts row
t + horizon from the rows up to t.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Windows that are in memory at one time."""

Floats = NDArray[np.float64]


def last_value(target: Floats, horizon: int) -> Floats:
    """Returns the value at t for every t with a value at t + horizon: (n - horizon,).

    >>> last_value(np.array([3.0, 4.0, 6.0]), 1).tolist()
    [3.0, 4.0]
    """
    return target[: len(target) - horizon]


def seasonal_value(target: Floats, horizon: int, season: int) -> Floats:
    """Returns the latest known value a whole number of seasons before t + horizon: (n - horizon,).

    If there is none yet, the value at t.

    >>> seasonal_value(np.array([1.0, 2.0, 3.0, 4.0]), horizon=1, season=2).tolist()
    [1.0, 1.0, 2.0]
    """
    now = np.arange(len(target) - horizon)
    earlier = now + horizon - season * -(-horizon // season)
    return target[np.where(earlier >= 0, earlier, now)]


def lagged_windows(inputs: Floats, lags: int) -> Floats:
    """Returns the last `lags` rows of inputs (n, F) at every row from the first full window on.

    Shape (n - lags + 1, lags * F), the oldest row first.

    >>> lagged_windows(np.array([[1.0], [2.0], [3.0]]), 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    count, width = len(inputs) - lags + 1, inputs.shape[1]
    if count < 1:
        return np.empty((0, lags * width))
    view = np.lib.stride_tricks.sliding_window_view(inputs, lags, axis=0)  # (count, F, lags)
    return np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(count, lags * width)


def least_squares(x: Floats, y: Floats) -> Floats:
    """Returns the coefficients of a linear regression (1 + P,), the intercept first.

    `x` is (n, P), `y` (n,). If columns are collinear, the solution is the one with the smallest
    norm for standardized columns, so it does not depend on their units. (scikit-learn's
    `LinearRegression` gives other values: it does not standardize, and since version 1.9 ignores
    singular values below 1e-6 of the largest.)

    >>> least_squares(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])).round(9).tolist()
    [1.0, 2.0]
    """
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0, std, 1.0)
    standardized = x - mean
    standardized /= std
    slopes = np.linalg.lstsq(standardized, y - y.mean(), rcond=None)[0] / std
    return np.concatenate([[y.mean() - mean @ slopes], slopes])


def linear_forecasts(
    train: Sequence[tuple[Floats, Floats]], inputs: Sequence[Floats], lags: int
) -> list[Floats]:
    """Returns the predictions (m,) of a linear regression on the last `lags` rows, for each series.

    `train` are pairs of inputs (n, F) and the target of each row (n,); `inputs` are series to
    predict from, (m, F). The first `lags` - 1 predictions are NaN; all are if `train` has no
    complete window.
    """
    x, y = training_windows(train, lags)
    if not len(x):
        return [np.full(len(series), np.nan) for series in inputs]
    coefficients = least_squares(x, y)

    def predict(windows: Floats) -> Floats:
        return np.asarray(windows @ coefficients[1:] + coefficients[0])

    return [predict_windows(predict, series, lags) for series in inputs]


def logistic_forecasts(
    train: Sequence[tuple[Floats, Floats]], inputs: Sequence[Floats], lags: int
) -> list[Floats]:
    """Returns the predictions of a logistic regression for symbols, as `linear_forecasts` does.

    By scikit-learn, with its default penalty (the squared norm of the coefficients, C = 1).
    """
    from sklearn.linear_model import LogisticRegression  # takes half a second to import

    x, y = training_windows(train, lags)
    if len(np.unique(y)) < 2:
        constant = y[0] if len(y) else np.nan
        return [np.full(len(series), constant) for series in inputs]
    with warnings.catch_warnings():  # about many classes for the rows, or slow convergence
        warnings.simplefilter("ignore", UserWarning)
        model = LogisticRegression(max_iter=1000).fit(x, y)
    return [predict_windows(model.predict, series, lags) for series in inputs]


def training_windows(train: Sequence[tuple[Floats, Floats]], lags: int) -> tuple[Floats, Floats]:
    """Returns the complete windows of all training series (N, lags * F), and their targets (N,)."""
    windows = [lagged_windows(inputs, lags) for inputs, _ in train]
    x = windows[0] if len(windows) == 1 else np.concatenate(windows)  # which may take 160 MB
    y = np.concatenate([targets[lags - 1 :] for _, targets in train])
    return x, y


def predict_windows(model: Callable[[Floats], Floats], inputs: Floats, lags: int) -> Floats:
    """Returns the predictions of `model` for every window of `inputs`; NaN before the first."""
    predictions = np.full(len(inputs), np.nan)
    for first in range(lags - 1, len(inputs), BLOCK):
        end = min(first + BLOCK, len(inputs))
        predictions[first:end] = model(lagged_windows(inputs[first - lags + 1 : end], lags))
    return predictions
