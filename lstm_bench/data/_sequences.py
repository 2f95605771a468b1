"""From prepared series to sequences: scaled, cut into what is learnt from and what is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._series import Columns, Prepared, Series
from lstm_bench.data._table import DataError
from lstm_bench.statistics import Kind
from lstm_bench.tasks import Problem, Sequence

CONTEXT = 256
"""Rows of the true past that a network is shown before the first one that is scored."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """Rows `first` to `end` of a series: what one sequence shows, and is asked."""

    series: Series
    first: int
    end: int


@dataclass(frozen=True)
class Layout:
    """A file as sequences: scaled by what is learnt from, and back."""

    problem: Problem
    stretches: tuple[Stretch, ...]  # one a sequence, in the order of `problem.sequences`
    shift: float  # of the target: units = shift + scale * value, + what it is a change from
    scale: float
    tolerance: float  # scaled
    centre: Floats  # (F,): of the inputs, which are (value - centre) / spread
    spread: Floats
    starts: NDArray[np.intp]  # where each sequence's steps begin in the following, (steps,) each
    latest: Floats  # the target at a step
    when: NDArray[np.object_]  # the time of what is asked there, with its series' name
    moment: NDArray[np.integer]  # the place of that time among all of the file


def lay_out(
    found: Prepared,
    kind: Kind,
    symbolic: bool,
    difference: bool,
    part: Literal["validation", "test"],
) -> Layout:
    """Returns the sequences of a file, of which the rows in `part` are scored."""
    shown, scored = [], []  # stretches, and from which row on each is scored
    for each in found.series:
        cut, end = (each.test, len(each)) if part == "test" else (each.validation, each.test)
        first = 1 if difference else 0
        if cut - found.horizon > first:
            shown.append((Stretch(each, first, cut - found.horizon), 0))
        start = max(first, cut - found.horizon - CONTEXT)
        if each.known[max(cut, start + found.horizon) : end].any():
            scored.append((Stretch(each, start, end - found.horizon), cut))
    if not shown or not scored:
        does = "learn from" if not shown else "be scored on"
        raise DataError(f"there must be series that are long enough to {does}, but none is")
    learnt = [stretch for stretch, _ in shown]
    centre, spread = np.zeros(1), np.ones(1)
    if not symbolic:
        rows = np.concatenate([_raw(found, each, difference) for each in learnt])
        centre, spread = rows.mean(axis=0), rows.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
    due = [_due(found, stretch, difference) for stretch in learnt]
    shift, scale = _moments(np.concatenate(due)) if kind == "regression" else (0.0, 1.0)

    def sequence(stretch: Stretch, since: int) -> Sequence:
        rows = np.arange(stretch.first, stretch.end) + found.horizon
        counted = stretch.series.known[rows] & (rows >= since)
        wanted = (_due(found, stretch, difference) - shift) / scale
        inputs = shown_to(found, stretch, symbolic, difference, centre, spread)
        if kind == "categorical":
            return Sequence(inputs, wanted.astype(np.int64), counted)
        return Sequence(inputs, wanted[:, None], counted)

    made = [[sequence(*each) for each in half] for half in (shown, scored)]
    stretches = tuple(stretch for stretch, _ in [*shown, *scored])
    ahead = [(s.series, slice(s.first + found.horizon, s.end + found.horizon)) for s in stretches]
    latest = [s.series.target[s.first : s.end] for s in stretches]
    errors = [
        np.abs(series.target[later] - now)
        for (series, later), now in zip(ahead[: len(learnt)], latest, strict=False)
    ]
    names = [f"{series.name} " if series.name else "" for series, _ in ahead]
    return Layout(
        Problem(tuple(made[0]), tuple(made[1])),
        stretches,
        shift,
        scale,
        float(np.median(np.concatenate(errors))) / scale,
        centre,
        spread,
        np.cumsum([0, *map(len, latest)]),
        np.concatenate(latest),
        np.concatenate([n + s.when[rows] for n, (s, rows) in zip(names, ahead, strict=True)]),
        np.concatenate([series.moment[rows] for series, rows in ahead]),
    )


def _due(found: Prepared, stretch: Stretch, difference: bool) -> Floats:
    """Returns what is due at each row of a stretch, in the data's units, or as a change."""
    target = stretch.series.target
    later = target[stretch.first + found.horizon : stretch.end + found.horizon]
    return later - target[stretch.first : stretch.end] if difference else later


def _moments(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


def shown_to(
    found: Columns,
    stretch: Stretch,
    symbolic: bool,
    difference: bool,
    centre: Floats,
    spread: Floats,
) -> NDArray[np.generic]:
    """Returns what a network is shown of a stretch: (T,) symbols, or (T, F) scaled columns."""
    if symbolic:
        return stretch.series.target[stretch.first : stretch.end].astype(np.int64)
    return np.asarray((_raw(found, stretch, difference) - centre) / spread)


def _raw(found: Columns, stretch: Stretch, difference: bool) -> Floats:
    return columns_of(found, stretch.series, difference)[stretch.first : stretch.end]


def columns_of(found: Columns, series: Series, difference: bool = False) -> Floats:
    """Returns what is known at each row of a series, (n, F): its target, and the other columns."""
    own = series.target[:, None]
    if difference:
        own = np.diff(series.target, prepend=np.nan)[:, None]
    if found.labels:
        own = np.eye(len(found.labels))[series.target.astype(int)]
    return np.concatenate([own, series.inputs] if found.horizon else [series.inputs], axis=1)
