"""Gradient boosting of trees on the latest rows, by scikit-learn: forecasts of a baseline.

Row t of a forecast predicts row t + horizon from the rows up to t, as in `_forecasts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._forecasts import predict_windows, training_windows

ITERATIONS, MAX_TREES, MIN_ITERATIONS = 100, 1000, 10
"""Trees for each class, scikit-learn's default; of all classes; and the fewest for each class."""
MAX_CLASSES = 255
"""scikit-learn takes no more categories in a column."""

Floats = NDArray[np.float64]


def boosted_forecasts(
    train: Sequence[tuple[Floats, Floats]],
    inputs: Sequence[Floats],
    lags: int,
    changes: bool = False,
) -> list[Floats]:
    """Returns the predictions (m,) of boosted regression trees, for each series.

    `train` are pairs of inputs (n, F) and the target of each row (n,); `inputs` are series to
    predict from, (m, F). The model is scikit-learn's `HistGradientBoostingRegressor` with its
    defaults but without early stopping, on windows of `lags` rows. With `changes` the first column
    must be the target: the model then predicts the difference to its latest value, and sees the
    earlier values as such differences, because trees cannot predict beyond what they were fitted
    to. The first `lags` - 1 predictions are NaN; all are if `train` has no complete window.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # takes a second to import

    x, y = training_windows(train, lags)
    if not len(x):
        return [np.full(len(series), np.nan) for series in inputs]
    width = x.shape[1] // lags
    latest = (lags - 1) * width

    def seen(windows: Floats) -> Floats:
        relative = windows.copy()
        relative[:, :latest:width] -= windows[:, latest, None]
        return relative if changes else windows

    model = HistGradientBoostingRegressor(max_iter=ITERATIONS, early_stopping=False, random_state=0)
    model.fit(seen(x), y - x[:, latest] if changes else y)

    def predict(windows: Floats) -> Floats:
        change = model.predict(seen(windows))
        return np.asarray(change + windows[:, latest] if changes else change)

    return [predict_windows(predict, series, lags) for series in inputs]


def boosted_classes(
    train: Sequence[tuple[Floats, Floats]], inputs: Sequence[Floats], lags: int, symbols: bool
) -> list[Floats]:
    """Returns the classes that boosted trees predict for each series, as `boosted_forecasts` does.

    By scikit-learn's `HistGradientBoostingClassifier`. With `symbols` the first column holds the
    numbers of symbols, which are categories, not amounts.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y = training_windows(train, lags)
    classes = len(np.unique(y))
    if classes < 2:
        constant = y[0] if len(y) else np.nan
        return [np.full(len(series), constant) for series in inputs]
    model = HistGradientBoostingClassifier(
        max_iter=iterations(classes),
        early_stopping=False,
        random_state=0,
        categorical_features=list(range(0, x.shape[1], x.shape[1] // lags)) if symbols else None,
    )
    model.fit(x, y)
    return [predict_windows(model.predict, series, lags) for series in inputs]


def iterations(classes: int) -> int:
    """Returns the number of iterations with so many classes, each of which takes a tree.

    >>> iterations(2), iterations(20), iterations(200)
    (100, 50, 10)
    """
    return min(ITERATIONS, max(MIN_ITERATIONS, MAX_TREES // classes))
