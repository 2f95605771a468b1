"""Sequences of a CSV file: inputs and targets scaled, with training and scored parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns, Series, scored_steps
from lstm_bench.data._series import PreparedFile
from lstm_bench.data._split import origin_starts
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
    """The sequences of a file, and how they are scaled; scaling uses the training set alone."""

    problem: Problem
    segments: tuple[Segment, ...]  # one per sequence, in the order of `problem.sequences`
    shift: Floats  # (K,): in units = shift + scale * value, + the current value for a difference
    scale: Floats  # (K,)
    tolerance: float  # scaled
    centre: Floats  # (F,): inputs are (value - centre) / spread
    spread: Floats  # (F,)
    starts: NDArray[np.intp]  # where each sequence begins in the following arrays, (steps,) each
    current: Floats  # (steps, K): the target value at the step
    times: NDArray[np.object_]  # (steps, K): the time of the value to predict, with its series
    time_ranks: NDArray[np.integer]  # the rank of the first of them among all times of the file


def build_sequences(
    data: PreparedFile,
    kind: Kind,
    symbolic: bool,
    difference: bool,
    part: Literal["validation", "test"],
    origin: tuple[int, int] = (1, 1),
) -> FileSequences:
    """Returns the sequences of a file; the rows of `part` are scored, those before it trained on.

    `origin` is the number of a stretch of the test set, from 1, and how many there are: its rows
    are scored, and all rows before it trained on. Raises `DataError` if no series is long enough.
    """
    horizon, first_step = data.horizon, data.steps[0]
    train, scored = [], []  # segments, and the first row whose value is scored
    for series, (start, end) in zip(data.series, _bounds(data, part, origin), strict=True):
        first = 1 if difference else 0
        if start - horizon > first:
            train.append((Segment(series, first, start - horizon), 0))
        context = max(first, start - first_step - CONTEXT)
        if scored_steps(data, series, context, end - horizon, start).any():
            scored.append((Segment(series, context, end - horizon), start))
    if not scored and origin[1] > 1:
        raise DataError(
            f"origins: each of {origin[1]} stretches of the test set must have steps to be scored "
            f"on, but stretch {origin[0]} has none; use fewer origins, or a larger unseen"
        )
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
    count = len(data.outputs)
    shift, scale = np.zeros(count), np.ones(count)
    if kind == "regression":
        targets = np.concatenate([_targets(data, s, difference) for s in train_segments])
        columns = np.ascontiguousarray(targets.T)
        shift = np.array([column.mean() for column in columns])
        scale = np.array([column.std() or 1.0 for column in columns])

    def sequence(segment: Segment, scored_from: int) -> Sequence:
        mask = scored_steps(data, segment.series, segment.first, segment.end, scored_from)
        targets = (_targets(data, segment, difference) - shift) / scale
        inputs = network_inputs(data, segment, symbolic, difference, centre, spread)
        if kind == "categorical":
            return Sequence(inputs, targets[:, 0].astype(np.int64), mask)
        return Sequence(inputs, targets, mask)

    problem = Problem(
        tuple(sequence(*arguments) for arguments in train),
        tuple(sequence(*arguments) for arguments in scored),
    )
    segments = tuple(segment for segment, _ in [*train, *scored])
    places = [place for place, _ in data.outputs]
    current = [s.series.targets[s.first : s.end, places] for s in segments]
    errors = np.concatenate([  # of the last value as a forecast, in the training set
        np.abs(_targets(data, segment, False) - values)
        for segment, values in zip(train_segments, current, strict=False)
    ])  # fmt: skip
    medians = [float(np.median(column)) for column in np.ascontiguousarray(errors.T)]
    return FileSequences(
        problem,
        segments,
        shift,
        scale,
        float(np.median(medians / scale)),
        centre,
        spread,
        np.cumsum([0, *map(len, current)]),
        np.concatenate(current),
        np.concatenate([_times(data, segment) for segment in segments]),
        np.concatenate(
            [s.series.time_ranks[s.first + first_step : s.end + first_step] for s in segments]
        ),
    )


def _bounds(
    data: PreparedFile, part: Literal["validation", "test"], origin: tuple[int, int]
) -> list[tuple[int, int]]:
    """Returns the first row to be scored in each series, and the end of its scored rows."""
    if part == "validation":
        return [(series.validation_start, series.test_start) for series in data.series]
    number, count = origin
    starts = origin_starts(
        [series.time_ranks for series in data.series],
        [series.test_start for series in data.series],
        count,
        common=data.time is not None,
    )
    return [(int(edges[number - 1]), int(edges[number])) for edges in starts]


def _times(data: PreparedFile, segment: Segment) -> NDArray[np.object_]:
    """Returns the times of the values to predict (T, K), with the name of their series.

    With one label a sequence they are its name.
    """
    if data.label_per_sequence:
        return np.full((segment.end - segment.first, 1), segment.series.name, object)
    series, name = segment.series, f"{segment.series.name} " if segment.series.name else ""
    return np.column_stack(
        [name + series.times[segment.first + h : segment.end + h] for _, h in data.outputs]
    )


def _targets(data: PreparedFile, segment: Segment, difference: bool) -> Floats:
    """Returns the targets of each row of a segment (T, K) in units, or as changes."""
    values, first, end = segment.series.targets, segment.first, segment.end
    later = np.column_stack([values[first + h : end + h, place] for place, h in data.outputs])
    current = values[first:end, [place for place, _ in data.outputs]]
    return later - current if difference else later


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

    They are the targets (their changes, or one column for each symbol), unless the horizon is 0,
    the other input columns, and of the known columns the values of the rows to be forecast from
    this one, NaN where the file does not reach so far.
    """
    target = series.targets
    if difference:
        target = np.diff(target, axis=0, prepend=np.nan)
    if columns.labels:
        target = np.eye(len(columns.labels))[series.target.astype(int)]
    parts = [target, series.inputs] if columns.horizon else [series.inputs]
    for step in columns.steps_ahead:
        later = np.full((len(series), series.known.shape[1]), np.nan)
        values = series.known[step : step + len(series)]
        later[: len(values)] = values
        parts.append(later)
    return np.concatenate(parts, axis=1)
