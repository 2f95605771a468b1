"""Sequences of a CSV file: inputs and targets scaled, with training and scored parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._series import PreparedFile
from lstm_bench.errors import DataError
from lstm_bench.statistics import Kind
from lstm_bench.tasks import Problem, Sequence

CONTEXT = 256
"""Rows of the true past, at most, that a network sees before the first scored row."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """The rows of a series, from `first` to before `end`, whose inputs are one sequence.

    The targets are `horizon` rows later.
    """

    series: Series
    first: int
    end: int


@dataclass(frozen=True)
class FileSequences:
    """The sequences of a file, and how they are scaled; scaling uses the training part alone."""

    problem: Problem
    segments: tuple[Segment, ...]  # one per sequence, in the order of `problem.sequences`
    shift: float  # target in units = shift + scale * value, + the current value for a difference
    scale: float
    tolerance: float  # scaled
    centre: Floats  # (F,): inputs are (value - centre) / spread
    spread: Floats  # (F,)
    starts: NDArray[np.intp]  # where each sequence begins in the following arrays, (steps,) each
    current: Floats  # the target value at the step
    times: NDArray[np.object_]  # the time of the value to predict, with its series' name
    time_ranks: NDArray[np.integer]  # the rank of that time among all times of the file


def build_sequences(
    data: PreparedFile,
    kind: Kind,
    symbolic: bool,
    difference: bool,
    part: Literal["validation", "test"],
) -> FileSequences:
    """Returns the sequences of a file; the rows of `part` are scored, those before it trained on.

    Raises `DataError` if no series is long enough.
    """
    horizon = data.horizon
    train, scored = [], []  # segments, and the first row whose value is scored
    for series in data.series:
        start, end = (
            (series.test_start, len(series))
            if part == "test"
            else (series.validation_start, series.test_start)
        )
        first = 1 if difference else 0
        if start - horizon > first:
            train.append((Segment(series, first, start - horizon), 0))
        context = max(first, start - horizon - CONTEXT)
        if series.observed[max(start, context + horizon) : end].any():
            scored.append((Segment(series, context, end - horizon), start))
    if not train or not scored:
        use = "learn from" if not train else "be scored on"
        raise DataError(
            f"there must be series that are long enough to {use}, but none is; give longer series, "
            "or a smaller horizon"
        )
    train_segments = [segment for segment, _ in train]
    centre, spread = np.zeros(1), np.ones(1)
    if not symbolic:
        rows = np.concatenate([_features(data, segment, difference) for segment in train_segments])
        centre, spread = rows.mean(axis=0), rows.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
    shift, scale = 0.0, 1.0
    if kind == "regression":
        targets = np.concatenate([_targets(data, s, difference) for s in train_segments])
        shift, scale = float(targets.mean()), float(targets.std()) or 1.0

    def sequence(segment: Segment, scored_from: int) -> Sequence:
        rows = np.arange(segment.first, segment.end) + horizon
        mask = segment.series.observed[rows] & (rows >= scored_from)
        targets = (_targets(data, segment, difference) - shift) / scale
        inputs = network_inputs(data, segment, symbolic, difference, centre, spread)
        if kind == "categorical":
            return Sequence(inputs, targets.astype(np.int64), mask)
        return Sequence(inputs, targets[:, None], mask)

    problem = Problem(
        tuple(sequence(*arguments) for arguments in train),
        tuple(sequence(*arguments) for arguments in scored),
    )
    segments = tuple(segment for segment, _ in [*train, *scored])
    current = [s.series.target[s.first : s.end] for s in segments]
    ahead = [(s.series, slice(s.first + horizon, s.end + horizon)) for s in segments]
    errors = [  # of the last value as a forecast, in the training part
        np.abs(series.target[rows] - values)
        for (series, rows), values in zip(ahead[: len(train)], current, strict=False)
    ]
    names = [f"{series.name} " if series.name else "" for series, _ in ahead]
    return FileSequences(
        problem,
        segments,
        shift,
        scale,
        float(np.median(np.concatenate(errors))) / scale,
        centre,
        spread,
        np.cumsum([0, *map(len, current)]),
        np.concatenate(current),
        np.concatenate([n + s.times[rows] for n, (s, rows) in zip(names, ahead, strict=True)]),
        np.concatenate([series.time_ranks[rows] for series, rows in ahead]),
    )


def _targets(data: PreparedFile, segment: Segment, difference: bool) -> Floats:
    """Returns the target of each row of a segment in the data's units, or as a change."""
    values = segment.series.target
    later = values[segment.first + data.horizon : segment.end + data.horizon]
    return later - values[segment.first : segment.end] if difference else later


def network_inputs(
    columns: Columns,
    segment: Segment,
    symbolic: bool,
    difference: bool,
    centre: Floats,
    spread: Floats,
) -> NDArray[np.generic]:
    """Returns the inputs of a network for a segment: (T,) symbols, or (T, F) scaled features."""
    if symbolic:
        return segment.series.target[segment.first : segment.end].astype(np.int64)
    return np.asarray((_features(columns, segment, difference) - centre) / spread)


def _features(columns: Columns, segment: Segment, difference: bool) -> Floats:
    return feature_columns(columns, segment.series, difference)[segment.first : segment.end]


def feature_columns(columns: Columns, series: Series, difference: bool = False) -> Floats:
    """Returns the unscaled features at each row of a series, (n, F).

    They are the target (its change, or one column for each symbol), unless the horizon is 0, the
    other input columns, and of the known columns the values of the rows to be forecast from this
    one, NaN where the file does not reach so far.
    """
    target = series.target[:, None]
    if difference:
        target = np.diff(series.target, prepend=np.nan)[:, None]
    if columns.labels:
        target = np.eye(len(columns.labels))[series.target.astype(int)]
    parts = [target, series.inputs] if columns.horizon else [series.inputs]
    for step in columns.steps_ahead:
        later = np.full((len(series), series.known.shape[1]), np.nan)
        values = series.known[step : step + len(series)]
        later[: len(values)] = values
        parts.append(later)
    return np.concatenate(parts, axis=1)
