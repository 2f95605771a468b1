"""Forecast intervals of the finalists on a file, and their coverage of the test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.results import Outcome, Row, SweepData
from lstm_bench.statistics import (
    LEVELS,
    ORIGIN,
    Coverage,
    conformal_half_width,
    measured_coverage,
)

MAX_SERIES = 10
"""The coverage in single series is measured for so many of them: those that are covered least."""
MIN_PART_STEPS = 5
"""A part of the steps with fewer than this has no coverage of its own."""


@dataclass(frozen=True)
class IntervalResult:
    """The forecast intervals of a recipe: plus and minus a half-width for each level."""

    row: Row
    calibration_rows: int
    half_widths: Mapping[int, float]  # in the unit of the data, by level in percent
    coverages: tuple[Coverage, ...]  # on all steps that were not seen, one for each level
    parts: tuple[tuple[str, Coverage], ...]  # the same for parts of these steps

    @property
    def misses(self) -> tuple[tuple[str, Coverage], ...]:
        """The parts with a nominal coverage outside both 95 % intervals of the measured one."""
        return tuple(part for part in self.parts if part[1].verdict in ("below", "above"))

    @property
    def sentence(self) -> str:
        """The measured coverage, and where it is off."""
        shares = [
            f"{100 * c.share:.1f} % of {c.steps} steps lie in its {c.level} % intervals "
            f"({_words(c)})"
            for c in self.coverages
        ]
        where = [
            f"{name}: {100 * c.share:.0f} % in place of {c.level} %" for name, c in self.misses
        ]
        text = f"Forecast intervals of {self.row.id}: {'; '.join(shares)}."
        if not where:
            return text
        parts = f"Of {len(self.parts)} parts and levels, not corrected for their number"
        return f"{text} {parts}, the coverage is another in {'; '.join(where)}."

    def records(self) -> list[dict[str, Any]]:
        """Returns one flat row for each part and level, all steps first."""
        return [
            {"id": self.row.id, "part": name, "level": c.level,
             "half_width": self.half_widths[c.level], "calibration_rows": self.calibration_rows,
             "steps": c.steps, "coverage": c.share,
             "binomial_low": c.binomial[0], "binomial_high": c.binomial[1],
             "low": c.blocks[0], "high": c.blocks[1], "verdict": c.verdict}
            for name, c in [*(("all", c) for c in self.coverages), *self.parts]
        ]  # fmt: skip


def _words(coverage: Coverage) -> str:
    low, high = coverage.binomial if np.isnan(coverage.blocks[0]) else coverage.blocks
    interval = f"95 % interval {100 * low:.0f} to {100 * high:.0f} %"
    if coverage.verdict == "cannot tell":
        return f"{interval} if the steps were independent; too few to count that they are not"
    return interval if coverage.verdict == "agrees" else f"{interval}: {coverage.verdict} nominal"


def forecast_intervals(outcome: Outcome) -> dict[str, Any]:
    """Returns the half-widths of forecast intervals from the errors of a trial, as plain values.

    Split conformal prediction: the trial was trained on the training set, its errors are those on
    the validation set. Empty unless there is one output, of real values. A level for which the
    rows are too few has None.
    """
    if "mae" not in outcome.seeds or "expected" not in outcome.predictions:
        return {}
    if isinstance(outcome.data.get("shift"), list):  # several outputs
        return {}
    table = outcome.predictions
    errors = (table["predicted"] - table["expected"]).abs().fillna(np.inf)
    by_seed = [errors[table["seed"] == seed].to_numpy() for seed in outcome.seeds["seed"]]
    if not by_seed or not len(by_seed[0]) or len({len(values) for values in by_seed}) > 1:
        return {}
    stacked = np.stack(by_seed)
    widths = {str(level): conformal_half_width(stacked, level) for level in LEVELS}
    return {
        "rows": stacked.shape[1],
        "seeds": stacked.shape[0],
        "half_widths": {k: width if np.isfinite(width) else None for k, width in widths.items()},
    }


def interval_results(data: SweepData) -> tuple[IntervalResult, ...]:
    """Returns the coverage for each confirmed recipe that has forecast intervals, in order."""
    results = (_interval_result(row) for row in data.having("confirmed"))
    return tuple(result for result in results if result is not None)


def _interval_result(row: Row) -> IntervalResult | None:
    stored, table = row.outcome.data.get("intervals"), row.outcome.predictions
    if not isinstance(stored, Mapping) or "moment" not in table or "mae" not in row.outcome.seeds:
        return None
    widths = stored.get("half_widths")
    known = {
        level: float(widths[str(level)])
        for level in LEVELS
        if isinstance(widths, Mapping) and isinstance(widths.get(str(level)), int | float)
    }
    if not known or not isinstance(stored.get("rows"), int):
        return None
    overlap = int(row.outcome.settings.get("horizon", 1))
    errors = (table["predicted"] - table["expected"]).abs().fillna(np.inf)

    def coverage(steps: pd.Series, level: int) -> Coverage:
        covered = errors[steps] <= known[level]
        places = table[steps]
        origin = places.get(ORIGIN)
        return measured_coverage(covered, places["seed"], places["moment"], level, overlap, origin)

    everything = pd.Series(True, index=table.index)
    parts = [
        (name, coverage(steps, level)) for name, steps in _parts(table, errors) for level in known
    ]
    return IntervalResult(
        row,
        int(stored["rows"]),
        known,
        tuple(coverage(everything, level) for level in known),
        tuple(parts),
    )


def _parts(table: pd.DataFrame, errors: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yields the first and the last third of the moments, and the series with the largest errors.

    A series is named by the first time that is scored in it. If there are several origins, they are
    parts in place of series.
    """
    seeds = table["seed"].nunique()
    moments = np.unique(table["moment"])
    third = len(moments) // 3
    if third:
        yield "the first third", table["moment"] < moments[third]
        yield "the last third", table["moment"] >= moments[-third]
    if ORIGIN in table:
        for number in np.unique(table[ORIGIN]):
            yield f"origin {number}", table[ORIGIN] == number
        return
    series = errors.groupby(table["sequence"]).median().sort_values(ascending=False)
    for number in series.index[: MAX_SERIES if len(series) > 1 else 0]:
        steps = table["sequence"] == number
        if steps.sum() >= MIN_PART_STEPS * seeds:
            first = table["input"][steps].iloc[0]
            yield f"the series of {first}", steps
