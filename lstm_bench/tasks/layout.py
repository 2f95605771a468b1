"""From prepared series to sequences: scaled, cut into what is learnt from and what is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.metrics import Kind
from lstm_bench.tasks import naive
from lstm_bench.tasks.base import Problem, Sequence
from lstm_bench.tasks.prepared import Prepared, Series

CONTEXT = 256
"""Rows of the true past that a network is shown before the first one that is scored."""
LAGS = 12
"""A season, as far as the linear answer goes, where none is found."""

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
    inputs: Inputs


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
        if (
            end > max(cut, start + found.horizon)
            and each.known[max(cut, found.horizon) : end].any()
        ):
            scored.append((Stretch(each, start, end - found.horizon), cut))
    learnt = [stretch for stretch, _ in shown]
    inputs = Inputs(found, symbolic, difference, learnt)
    due = [_due(found, stretch, difference) for stretch in learnt]
    shift, scale = _moments(np.concatenate(due)) if kind == "regression" else (0.0, 1.0)

    def sequence(stretch: Stretch, since: int) -> Sequence:
        rows = np.arange(stretch.first, stretch.end) + found.horizon
        counted = stretch.series.known[rows] & (rows >= since)
        wanted = (_due(found, stretch, difference) - shift) / scale
        if kind == "categorical":
            return Sequence(inputs.of(stretch), wanted.astype(np.int64), counted)
        return Sequence(inputs.of(stretch), wanted[:, None], counted)

    made = [[sequence(*each) for each in part] for part in (shown, scored)]
    stretches = tuple(stretch for stretch, _ in [*shown, *scored])
    errors = [
        np.abs(s.series.target[s.first + found.horizon : s.end + found.horizon]
               - s.series.target[s.first : s.end])
        for s in learnt
    ]  # fmt: skip
    typical = float(np.median(np.concatenate(errors))) / scale
    problem = Problem(tuple(made[0]), tuple(made[1]))
    return Layout(problem, stretches, shift, scale, typical, inputs)


def _due(found: Prepared, stretch: Stretch, difference: bool) -> Floats:
    """Returns what is due at each row of a stretch, in the data's units, or as a change."""
    target = stretch.series.target
    later = target[stretch.first + found.horizon : stretch.end + found.horizon]
    return later - target[stretch.first : stretch.end] if difference else later


def _moments(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


class Inputs:
    """How rows go into a network: columns scaled by the stretches that are learnt from."""

    def __init__(
        self, found: Prepared, symbolic: bool, difference: bool, learnt: list[Stretch]
    ) -> None:
        self.found, self.numbers, self.difference = found, not symbolic, difference
        rows = np.concatenate([self._raw(each) for each in learnt])
        self.centre, self.scale = rows.mean(axis=0), rows.std(axis=0)
        self.scale = np.where(self.scale > 0, self.scale, 1.0)

    def of(self, stretch: Stretch) -> NDArray[np.generic]:
        """Returns (T,) symbols, or (T, F) scaled columns."""
        if not self.numbers:
            return stretch.series.target[stretch.first : stretch.end].astype(np.int64)
        return np.asarray((self._raw(stretch) - self.centre) / self.scale)

    def _raw(self, stretch: Stretch) -> Floats:
        return _columns(self.found, stretch.series, self.difference)[stretch.first : stretch.end]


def _columns(found: Prepared, series: Series, difference: bool = False) -> Floats:
    """Returns what is known at each row of a series, (n, F): its target, and the other columns."""
    own = series.target[:, None]
    if difference:
        own = np.diff(series.target, prepend=np.nan)[:, None]
    if found.labels:
        own = np.eye(len(found.labels))[series.target.astype(int)]
    return np.concatenate([own, series.inputs] if found.horizon else [series.inputs], axis=1)


def naive_answers(
    found: Prepared, layout: Layout, kind: Kind, lags: int | None
) -> dict[str, tuple[Floats, ...]]:
    """Returns by name what could be answered without a network: an array (T,) a sequence."""
    horizon, stretches = found.horizon, layout.stretches
    learnt = stretches[: len(layout.problem.train)]
    past = np.concatenate([s.series.target[s.first + horizon : s.end + horizon] for s in learnt])
    real = kind == "regression"
    usual = float(np.median(past)) if real else _most_frequent(past)
    known = {"median" if real else "most frequent": [np.full(s.end - s.first, usual)
                                                     for s in stretches]}  # fmt: skip
    if horizon:
        known["last value"] = [
            naive.last_value(s.series.target, horizon)[s.first : s.end] for s in stretches
        ]
        if found.season:
            known[f"value {found.season} rows before"] = [
                naive.seasonal(s.series.target, horizon, found.season)[s.first : s.end]
                for s in stretches
            ]
    model = naive.linear if real else naive.logistic
    pairs = [
        (_columns(found, s.series)[: s.end], s.series.target[horizon : s.end + horizon])
        for s in learnt
    ]
    shortest = max(1, min(s.end for s in learnt) // 4)
    reach = min(lags, shortest) if lags else _reach(pairs, model, found.season or LAGS, shortest)
    told = model(pairs, [_columns(found, s.series)[: s.end] for s in stretches], reach)
    fallback = [known["last value"][n] if horizon else known["median" if real else "most frequent"]
                [n] for n in range(len(stretches))]  # fmt: skip
    answers = [np.where(np.isnan(t[s.first :]), f, t[s.first :])
               for t, s, f in zip(told, stretches, fallback, strict=True)]  # fmt: skip
    known[f"{'linear' if real else 'logistic'}, {reach} rows"] = answers
    return {name: tuple(values) for name, values in known.items()}


def _reach(pairs: list[tuple[Floats, Floats]], model: Any, season: int, most: int) -> int:
    """Returns how many latest rows a linear model should see: what errs least on a held-out part.

    That is the last fifth of each series to learn from; the scored part has no say.
    """
    tried = sorted({min(lags, most) for lags in (1, 2, 3, 6, *(n * season + 1 for n in (1, 2, 3)))})
    cuts = [len(due) - len(due) // 5 for _, due in pairs]
    early = [(x[:cut], due[:cut]) for (x, due), cut in zip(pairs, cuts, strict=True)]
    errors = []
    for lags in tried:
        told = model(early, [x for x, _ in pairs], lags)
        late = [(answer[cut:], due[cut:]) for answer, (_, due), cut
                in zip(told, pairs, cuts, strict=True)]  # fmt: skip
        off = [np.abs(a - d) if model is naive.linear else a != d for a, d in late]
        errors.append(float(np.nanmean(np.concatenate(off))))
    return tried[int(np.argmin(errors))]


def _most_frequent(values: Floats) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])
