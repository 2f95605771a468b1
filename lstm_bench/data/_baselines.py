"""Baselines for a CSV file: forecasts without a network, at every step of its sequences."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._boosting import (
    ITERATIONS,
    MAX_CLASSES,
    boosted_classes,
    boosted_forecasts,
    iterations,
)
from lstm_bench.data._columns import Series
from lstm_bench.data._exponential_smoothing import best_form, fit_smoothing, smoothing_forecasts
from lstm_bench.data._forecasts import (
    last_value,
    linear_forecasts,
    logistic_forecasts,
    seasonal_value,
)
from lstm_bench.data._messages import list_names
from lstm_bench.data._sequences import FileSequences, Segment, feature_columns
from lstm_bench.data._series import PreparedFile
from lstm_bench.data._shared_cache import SharedCache
from lstm_bench.statistics import Kind

DEFAULT_SEASON = 12
"""The season from which the lags of the linear model are chosen if the data have none."""
MAX_CELLS = 20_000_000
"""Numbers in all training windows of the linear model, 160 MB; a tenth of it for symbols."""
MAX_FEATURES = 2000
"""Numbers in one training window."""
MAX_BOOSTED_CELLS = 2_000_000
"""Numbers in all training windows of gradient boosting: a fit then takes two or three seconds."""
MAX_BOOSTED_FEATURES = 250
"""Numbers in one of its windows: it takes fewer rows than the linear model if these are more."""
OPERATION_SECONDS, BOOSTING_SECONDS = 1e-10, 4.4e-7
"""Seconds of an operation of the linear model, and of a number in 100 boosted trees, about."""
MAX_SELECTED = 20
"""Exponential smoothing chooses a model for each of so many series, else one form for all."""
MAX_SERIES = 500
"""Exponential smoothing is left out if more series than this are scored."""

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]  # inputs (n, F) and targets (n,) of a series
Features = Callable[[PreparedFile, Series], Floats]


Model = Callable[[list[Pair], list[Floats], int], list[Floats]]
"""From training pairs, inputs (m, F) and lags to the predictions (m,) for each of the inputs."""


@dataclass(frozen=True)
class Baselines:
    """The forecasts of each baseline by its name: an array (T,) for each sequence."""

    forecasts: dict[str, tuple[Floats, ...]]
    left_out: tuple[str, ...]  # baselines that the file has not, each with its reason

    def from_steps(self, firsts: Sequence[int]) -> Baselines:
        """Returns the same forecasts from a later step of each sequence on."""
        later = {
            name: tuple(array[first:] for array, first in zip(arrays, firsts, strict=True))
            for name, arrays in self.forecasts.items()
        }
        return Baselines(later, self.left_out)


FITTED_BASELINES: SharedCache[Hashable, Baselines] = SharedCache("baselines", 64)
"""The baselines of tasks. Processes can share them: of a long file they take ten seconds."""


def baseline_forecasts(
    data: PreparedFile, sequences: FileSequences, kind: Kind, lags: int | None
) -> Baselines:
    """Returns the baselines, fitted to the training set of the sequences.

    `lags` are the rows that the linear or logistic model uses. None lets `_choose_lags` decide, and
    adds the baselines that need no such number from a recipe: exponential smoothing, and gradient
    boosting on the lags that were chosen.
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
    fallback = forecasts["last value" if horizon else constant_name]  # before the first window

    def complete(predictions: Iterable[Floats]) -> list[Floats]:
        return [
            np.where(np.isnan(p[s.first : s.end]), f, p[s.first : s.end])
            for p, s, f in zip(predictions, segments, fallback, strict=True)
        ]

    pairs, inputs = _pairs(data, train, feature_columns), _inputs(data, segments, feature_columns)
    width = pairs[0][0].shape[1]
    max_lags = max(1, min(min(s.end for s in train) // 4, MAX_FEATURES // width))
    model: Model = linear_forecasts if real else logistic_forecasts
    cells = MAX_CELLS if real else MAX_CELLS // 10
    used = min(lags, max_lags) if lags else _choose_lags(
        model, pairs, real, data.season or DEFAULT_SEASON, max_lags, cells
    )  # fmt: skip
    forecasts[f"{'linear' if real else 'logistic'}, {used} rows"] = complete(
        model(_latest_rows(pairs, used, cells), inputs, used)
    )
    left_out: tuple[str, ...] = ()
    if lags is None:
        further, left_out = _further_baselines(data, train, segments, used, real)
        forecasts |= {name: complete(predictions) for name, predictions in further.items()}
    return Baselines({name: tuple(a) for name, a in forecasts.items()}, left_out)


def _further_baselines(
    data: PreparedFile,
    train: Sequence[Segment],
    segments: Sequence[Segment],
    lags: int,
    real: bool,
) -> tuple[dict[str, list[Floats]], tuple[str, ...]]:
    """Returns exponential smoothing and gradient boosting by name, and what is left out of them.

    A forecast is an array from the first row of a segment's series on, NaN where there is none.
    """
    import sklearn.ensemble  # noqa: F401  the limit below is of libraries that are loaded

    forecasts, left_out = {}, []
    # Several threads would only wait for one another: workers have one core each.
    with importlib.import_module("threadpoolctl").threadpool_limits(1):
        if real and data.horizon:
            name, smoothed, reason = _smoothing(data, segments, len(train))
            if reason:
                left_out.append(f"{name}: {reason}")
            else:
                forecasts[name] = smoothed
        if len(data.labels) > MAX_CLASSES:
            left_out.append(
                f"gradient boosting: it takes at most {MAX_CLASSES} symbols, but there are "
                f"{len(data.labels):,}"
            )
        else:
            columns = _raw_columns(data, segments[0].series).shape[1]
            fewer = max(1, min(lags, MAX_BOOSTED_FEATURES // columns))
            name = f"gradient boosting, {fewer} rows"
            forecasts[name] = _boosting(data, train, segments, fewer, real)
    return forecasts, tuple(left_out)


def _pairs(data: PreparedFile, segments: Iterable[Segment], features: Features) -> list[Pair]:
    """Returns the features and the target of each row of the segments' series, from the start."""
    return [
        (features(data, s.series)[: s.end], s.series.target[data.horizon : s.end + data.horizon])
        for s in segments
    ]


def _inputs(data: PreparedFile, segments: Iterable[Segment], features: Features) -> list[Floats]:
    return [features(data, s.series)[: s.end] for s in segments]


def _smoothing(
    data: PreparedFile, segments: Sequence[Segment], train: int
) -> tuple[str, list[Floats], str]:
    """Returns the name of exponential smoothing, its forecasts, and why it is left out, or "".

    Each series has its own parameters, fitted to the rows of its training segment. With more than
    `MAX_SELECTED` series, the form of the model is that with the smallest sum of AICc on those with
    the most rows, and all are fitted with it.
    """
    name = "exponential smoothing"
    ends = {s.series.name: s.end + data.horizon for s in segments[:train]}
    series = {s.series.name: s.series for s in segments[:train]}
    scored = {s.series.name for s in segments[train:]}
    if scored - ends.keys():
        reason = "it is fitted to a series' own past, and some series have none before the scored"
        return name, [], f"{reason} part"
    if len(scored) > MAX_SERIES:
        return name, [], f"there are {len(scored):,} series, and it is fitted to {MAX_SERIES}"
    past = {key: series[key].target[: ends[key]] for key in ends if key in scored}
    form = None
    if len(past) > MAX_SELECTED:
        form = best_form(sorted(past.values(), key=len)[-MAX_SELECTED:], data.season)
    models = {key: fit_smoothing(values, data.season, form) for key, values in past.items()}
    failed = [key for key, model in models.items() if model is None]
    if failed:
        where = f" of {data.group} {list_names(failed)}" if data.group else ""
        return name, [], f"no model could be fitted to the training set{where}"
    forms = sorted({model.form for model in models.values() if model})
    forecasts = []
    for segment in segments:
        target, model = segment.series.target, models.get(segment.series.name)
        forecasts.append(
            smoothing_forecasts(model, target, segment.series.observed, data.horizon)
            if model
            else np.full(len(target), np.nan)
        )
    return f"{name} ({forms[0]})" if len(forms) == 1 else name, forecasts, ""


def _boosting(
    data: PreparedFile,
    train: Sequence[Segment],
    segments: Sequence[Segment],
    lags: int,
    real: bool,
) -> list[Floats]:
    """Returns the forecasts of gradient boosting on the last `lags` rows.

    Real values are predicted as they are or as changes, whichever has the smaller error on the last
    fifth of each training series.
    """
    pairs, inputs = _pairs(data, train, _raw_columns), _inputs(data, segments, _raw_columns)
    trees, models = 1.0, [boosted_forecasts]
    if real and data.horizon:
        models.append(functools.partial(boosted_forecasts, changes=True))
    elif not real:
        symbols = bool(data.labels and data.horizon)
        classes = max(2, len(data.labels))
        trees = iterations(classes) * classes / ITERATIONS if classes > 2 else 1
        models = [functools.partial(boosted_classes, symbols=symbols)]
    cells = int(MAX_BOOSTED_CELLS / trees)
    model = models[0]
    if len(models) > 1:
        model = min(models, key=lambda model: _late_error(model, pairs, real, lags, cells))
    return model(_latest_rows(pairs, lags, cells), inputs, lags)


def _raw_columns(data: PreparedFile, series: Series) -> Floats:
    """Returns the columns of a series as they are, (n, F): symbols as their numbers."""
    features = feature_columns(data, series)
    if not (data.labels and data.horizon):
        return features
    return np.column_stack([series.target, features[:, len(data.labels) :]])


def baseline_seconds(rows: int, features: int, season: int | None) -> float:
    """Returns about how many seconds the baselines of so many rows take on one core.

    Gradient boosting is fitted three times, to up to `MAX_BOOSTED_CELLS` numbers; the linear model
    to a window of each number of rows that may serve it best.
    """
    widths = [features * lags for lags in _candidate_lags(season or DEFAULT_SEASON)]
    solved = sum(4 * min(rows, MAX_CELLS / width) * width**2 for width in widths
                 if width <= MAX_FEATURES)  # fmt: skip
    boosted = min(3.0 * rows * max(widths), 3.0 * MAX_BOOSTED_CELLS)
    return OPERATION_SECONDS * solved + BOOSTING_SECONDS * boosted


def _candidate_lags(season: int) -> tuple[int, ...]:
    """Returns the numbers of rows that the linear model may use."""
    return (1, 2, 3, 6, *(n * season + 1 for n in (1, 2, 3)))


def _choose_lags(
    model: Model, pairs: list[Pair], real: bool, season: int, max_lags: int, cells: int
) -> int:
    """Returns the number of lags with the smallest error on the last fifth of each training series.

    The scored part has no influence.
    """
    tried = sorted({min(lags, max_lags) for lags in _candidate_lags(season)})
    return min(tried, key=lambda lags: _late_error(model, pairs, real, lags, cells))


def _late_error(model: Model, pairs: list[Pair], real: bool, lags: int, cells: int) -> float:
    """Returns the mean error of a model on the last fifth of each series, fitted to the rest."""
    cuts = [len(targets) - len(targets) // 5 for _, targets in pairs]
    early = [(x[:cut], targets[:cut]) for (x, targets), cut in zip(pairs, cuts, strict=True)]
    predictions = model(_latest_rows(early, lags, cells), [x for x, _ in pairs], lags)
    late = [
        (p[cut:], targets[cut:])
        for p, (_, targets), cut in zip(predictions, pairs, cuts, strict=True)
    ]
    errors = [np.abs(p - targets) if real else p != targets for p, targets in late]
    return float(np.nanmean(np.concatenate(errors)))


def _latest_rows(pairs: list[Pair], lags: int, cells: int) -> list[Pair]:
    """Returns the latest rows of each series, as many as fit into `cells` numbers as windows."""
    width = lags * pairs[0][0].shape[1]
    rows = max(4 * lags, cells // (width * len(pairs)))
    return [(x[-rows:], targets[-rows:]) for x, targets in pairs]


def _most_frequent(values: Floats) -> float:
    unique, counts = np.unique(values, return_counts=True)
    return float(unique[counts.argmax()])
