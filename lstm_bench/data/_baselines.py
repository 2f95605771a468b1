"""What could be answered about a file of data without a network, on every step of its sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data import _forecasts as naive
from lstm_bench.data._sequences import Layout, columns_of
from lstm_bench.data._series import Prepared
from lstm_bench.statistics import Kind

LAGS = 12
"""A season, as far as the linear answer goes, where none is found."""
CELLS = 20_000_000
"""Numbers that the windows a linear model is fitted to may hold, 160 MB; a tenth for symbols."""
MOST_FEATURES = 2000
"""Numbers in one such window."""

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]


def unaided(
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
        (columns_of(found, s.series)[: s.end], s.series.target[horizon : s.end + horizon])
        for s in learnt
    ]
    wide = pairs[0][0].shape[1]
    shortest = max(1, min(min(s.end for s in learnt) // 4, MOST_FEATURES // wide))
    reach = min(lags, shortest) if lags else _reach(pairs, model, found.season or LAGS, shortest)
    asked = [columns_of(found, s.series)[: s.end] for s in stretches]
    told = model(_latest(pairs, reach, real), asked, reach)
    fallback = [known["last value"][n] if horizon else known["median" if real else "most frequent"]
                [n] for n in range(len(stretches))]  # fmt: skip
    answers = [np.where(np.isnan(t[s.first :]), f, t[s.first :])
               for t, s, f in zip(told, stretches, fallback, strict=True)]  # fmt: skip
    known[f"{'linear' if real else 'logistic'}, {reach} rows"] = answers
    return {name: tuple(values) for name, values in known.items()}


def _reach(pairs: list[Pair], model: Any, season: int, most: int) -> int:
    """Returns how many latest rows a linear model should see: what errs least on a held-out part.

    That is the last fifth of each series to learn from; the scored part has no say.
    """
    tried = sorted({min(lags, most) for lags in (1, 2, 3, 6, *(n * season + 1 for n in (1, 2, 3)))})
    cuts = [len(due) - len(due) // 5 for _, due in pairs]
    early = [(x[:cut], due[:cut]) for (x, due), cut in zip(pairs, cuts, strict=True)]
    errors = []
    for lags in tried:
        told = model(_latest(early, lags, model is naive.linear), [x for x, _ in pairs], lags)
        late = [(answer[cut:], due[cut:]) for answer, (_, due), cut
                in zip(told, pairs, cuts, strict=True)]  # fmt: skip
        off = [np.abs(a - d) if model is naive.linear else a != d for a, d in late]
        errors.append(float(np.nanmean(np.concatenate(off))))
    return tried[int(np.argmin(errors))]


def _latest(pairs: list[Pair], lags: int, real: bool) -> list[Pair]:
    """Returns the latest rows of each series, as many as `CELLS` of windows have room for."""
    wide = lags * pairs[0][0].shape[1]
    rows = max(4 * lags, (CELLS if real else CELLS // 10) // (wide * len(pairs)))
    return [(x[-rows:], due[-rows:]) for x, due in pairs]


def _most_frequent(values: Floats) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])
