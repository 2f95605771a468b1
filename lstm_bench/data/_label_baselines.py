"""Baselines for one label a sequence: the most frequent one, and models of summary features."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._baselines import Baselines
from lstm_bench.data._boosting import MAX_CLASSES, iterations
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._sequences import FileSequences, feature_columns
from lstm_bench.data._series import PreparedFile

SUMMARY = ("mean", "standard deviation", "smallest", "largest", "last")
"""The features of each input column; the number of rows is one more, of the sequence."""

Floats = NDArray[np.float64]


def summary_features(columns: Columns, series: Sequence[Series]) -> Floats:
    """Returns the summary features of each sequence (N, 5 F + 1): those of each input, the length.

    The standard deviation has the divisor T.
    """
    rows = []
    for one in series:
        x = feature_columns(columns, one)
        parts = [x.mean(0), x.std(0), x.min(0), x.max(0), x[-1]]
        rows.append(np.concatenate([np.stack(parts, axis=1).ravel(), [len(x)]]))
    return np.array(rows)


def predicted_labels(
    columns: Columns, train: Sequence[Series], series: Sequence[Series]
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Returns the numbers of the labels (N,) that each baseline predicts, and what is left out.

    Logistic regression (scikit-learn, with its default penalty, on standardized features) and
    gradient boosting (`HistGradientBoostingClassifier`, its defaults without early stopping) are
    fitted to the summary features of the sequences `train`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = summary_features(columns, train), np.array([one.target[-1] for one in train])
    features = summary_features(columns, series)
    classes, counts = np.unique(y, return_counts=True)
    predictions = {"most frequent": np.full(len(series), classes[counts.argmax()])}
    left_out: tuple[str, ...] = ()
    models = {
        "logistic regression of summary features": make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=1000)
        )
    }
    if len(classes) > MAX_CLASSES:
        left_out = (
            f"gradient boosting: it takes at most {MAX_CLASSES} labels, but there are "
            f"{len(classes):,}",
        )
    else:
        models["gradient boosting of summary features"] = HistGradientBoostingClassifier(
            max_iter=iterations(len(classes)), early_stopping=False, random_state=0
        )
    # Several threads would only wait for one another: workers have one core each.
    with importlib.import_module("threadpoolctl").threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about many classes, or slow convergence
        for name, model in models.items():
            predictions[name] = np.asarray(model.fit(x, y).predict(features), float)
    return predictions, left_out


def label_baselines(data: PreparedFile, sequences: FileSequences) -> Baselines:
    """Returns the predictions of each baseline: an array (T,) for each sequence, all the same."""
    segments = sequences.segments
    train = [s.series for s in segments[: len(sequences.problem.train)]]
    predictions, left_out = predicted_labels(data, train, [s.series for s in segments])
    forecasts = {
        name: tuple(
            np.full(s.end - s.first, label) for s, label in zip(segments, labels, strict=True)
        )
        for name, labels in predictions.items()
    }
    return Baselines(forecasts, left_out)
