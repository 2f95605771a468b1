"""Baselines for a CSV file: forecasts without a network, at every step of its sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._forecasts import (
    last_value,
    linear_forecasts,
    logistic_forecasts,
    seasonal_value,
)
from lstm_bench.data._sequences import FileSequences, feature_columns
from lstm_bench.data._series import PreparedFile
from lstm_bench.statistics import Kind

DEFAULT_SEASON = 12
"""The season from which the lags of the linear model are chosen if the data have none."""
MAX_CELLS = 20_000_000
"""Numbers in all training windows of the linear model, 160 MB; a tenth of it for symbols."""
MAX_FEATURES = 2000
"""Numbers in one training window."""

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]  # inputs (n, F) and targets (n,) of a series


def baseline_forecasts(
    data: PreparedFile, sequences: FileSequences, kind: Kind, lags: int | None
) -> dict[str, tuple[Floats, ...]]:
    """Returns the forecasts of each baseline by its name: an array (T,) for each sequence.

    `lags` are the rows that the linear or logistic model uses; None lets `_choose_lags` decide.
    """
    horizon, segments = data.horizon, sequences.segments
    train = segments[: len(sequences.problem.train)]
    past = np.concatenate([s.series.target[s.first + horizon : s.end + horizon] for s in train])
    real = kind == "regression"
    constant_name = "median" if real else "most frequent"
    constant = float(np.median(past)) if real else _most_frequent(past)
    forecasts = {constant_name: [np.full(s.end - s.first, constant) for s in segments]}
    if horizon:
        forecasts["last value"] = [
            last_value(s.series.target, horizon)[s.first : s.end] for s in segments
        ]
        if data.season:
            forecasts[f"value {data.season} rows before"] = [
                seasonal_value(s.series.target, horizon, data.season)[s.first : s.end]
                for s in segments
            ]
    pairs = [
        (feature_columns(data, s.series)[: s.end], s.series.target[horizon : s.end + horizon])
        for s in train
    ]
    width = pairs[0][0].shape[1]
    max_lags = max(1, min(min(s.end for s in train) // 4, MAX_FEATURES // width))
    lags = (
        min(lags, max_lags)
        if lags
        else _choose_lags(pairs, real, data.season or DEFAULT_SEASON, max_lags)
    )
    inputs = [feature_columns(data, s.series)[: s.end] for s in segments]
    model = linear_forecasts if real else logistic_forecasts
    predictions = model(_latest_rows(pairs, lags, real), inputs, lags)
    fallback = forecasts["last value" if horizon else constant_name]  # before the first window
    forecasts[f"{'linear' if real else 'logistic'}, {lags} rows"] = [
        np.where(np.isnan(p[s.first :]), f, p[s.first :])
        for p, s, f in zip(predictions, segments, fallback, strict=True)
    ]
    return {name: tuple(arrays) for name, arrays in forecasts.items()}


def _choose_lags(pairs: list[Pair], real: bool, season: int, max_lags: int) -> int:
    """Returns the number of lags with the smallest error on the last fifth of each training series.

    The scored part has no influence.
    """
    candidates = (1, 2, 3, 6, *(n * season + 1 for n in (1, 2, 3)))
    tried = sorted({min(lags, max_lags) for lags in candidates})
    cuts = [len(targets) - len(targets) // 5 for _, targets in pairs]
    early = [(x[:cut], targets[:cut]) for (x, targets), cut in zip(pairs, cuts, strict=True)]
    model = linear_forecasts if real else logistic_forecasts
    means = []
    for lags in tried:
        predictions = model(_latest_rows(early, lags, real), [x for x, _ in pairs], lags)
        late = [
            (p[cut:], targets[cut:])
            for p, (_, targets), cut in zip(predictions, pairs, cuts, strict=True)
        ]
        errors = [np.abs(p - targets) if real else p != targets for p, targets in late]
        means.append(float(np.nanmean(np.concatenate(errors))))
    return tried[int(np.argmin(means))]


def _latest_rows(pairs: list[Pair], lags: int, real: bool) -> list[Pair]:
    """Returns the latest rows of each series, as many as fit into `MAX_CELLS` as windows."""
    width = lags * pairs[0][0].shape[1]
    rows = max(4 * lags, (MAX_CELLS if real else MAX_CELLS // 10) // (width * len(pairs)))
    return [(x[-rows:], targets[-rows:]) for x, targets in pairs]


def _most_frequent(values: Floats) -> float:
    unique, counts = np.unique(values, return_counts=True)
    return float(unique[counts.argmax()])
