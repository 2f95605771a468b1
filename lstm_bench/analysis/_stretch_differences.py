"""Differences of recipes that are scored on one stretch of data: seeds and steps count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lstm_bench.results import Row, skill_baseline, step_values
from lstm_bench.statistics import (
    ORIGIN,
    ComparisonQuestion,
    Difference,
    StretchMean,
    paired_rate_difference,
    stretch_mean,
    unpaired_rate_difference,
)


def other_baselines(of: Row, to: Row, question: ComparisonQuestion) -> str:
    """Returns why skills cannot be compared: they are measured against other baselines.

    Empty if they can be. A recipe with further inputs has further baselines, so it may have the
    smaller error and the smaller skill.
    """
    if question.measure not in ("skill", "solve_rate"):
        return ""
    parts = [skill_baseline(row.outcome.seeds, row.outcome.predictions) for row in (of, to)]
    (first, error), (second, other) = parts
    if not first or not second or math.isclose(error, other, rel_tol=1e-6):
        return ""
    what = "skills" if question.measure == "skill" else "skills above 0"
    return (
        f"{what} must be measured against one baseline, but that of {question.of} is {first} "
        f"(mean error {error:.4g}), and that of {question.to} is {second} ({other:.4g}); compare "
        "their accuracy"
    )


def counting_steps(
    estimate: Difference, of: Row, to: Row, measure: str, seeds: tuple[list[int], list[int]]
) -> Difference:
    """Returns a difference over seeds with the interval and p value that count the steps too.

    `seeds` are those of both rows that it is over. It stays as it is unless both rows are scored on
    a stretch of data, and for a loss, which is of the training data. Of two recipes that are
    equally good, one is always better on some stretch, and with it most of its seeds.
    """
    if not (of.outcome.on_stretch and to.outcome.on_stretch) or estimate.n == 0:
        return estimate
    if measure == "solve_rate":
        return _rate_difference(estimate, of, to, seeds)
    if measure not in ("accuracy", "sequence_accuracy", "skill"):
        return estimate
    return _with_steps(estimate, _mean_difference(of, to, measure, seeds))


def counting_steps_of_contexts(
    estimate: Difference, pairs: Sequence[tuple[Row, Row]], measure: str
) -> Difference:
    """Returns a mean difference over contexts, `of` and `to` each, that counts the steps too.

    Contexts are recipes, and all are scored on one stretch of data.
    """
    if not all(row.outcome.on_stretch for pair in pairs for row in pair):
        return estimate
    if measure not in ("accuracy", "skill"):
        return estimate
    by_step, by_context, overlap = [], [], 1
    origins = None
    for of, to in pairs:
        shared = set(of.outcome.seeds["seed"]) & set(to.outcome.seeds["seed"])
        tables = [
            step_values(row.outcome.seeds, row.outcome.predictions, measure) for row in (of, to)
        ]
        if not all(len(table) for table in tables):
            return estimate
        first, second = (
            table[table["seed"].isin(shared)].groupby("moment")["value"].mean() for table in tables
        )
        by_step.append(first - second)
        origins = _origins_of_moments(tables[0])
        by_context.append(float((first - second).mean()))
        overlap = max(overlap, of.outcome.overlap, to.outcome.overlap)
    steps = pd.concat(by_step, axis=1, join="inner").mean(axis=1).sort_index()
    numbers = None if origins is None else origins.loc[steps.index].to_numpy(int)
    mean = estimate.difference
    stretch = stretch_mean(
        steps.to_numpy(float), [np.array(by_context)], overlap, mean=mean, origins=numbers
    )
    return _with_steps(estimate, stretch)


def _with_steps(estimate: Difference, stretch: StretchMean) -> Difference:
    """Returns a mean difference with the interval and the p value of seeds and steps."""
    return replace(
        estimate,
        low=stretch.low,
        high=stretch.high,
        # The test over seeds holds its level where few of them fail; the other one counts steps.
        p=max(estimate.p, stretch.p) if not math.isnan(stretch.p) else _p_without_steps(estimate),
        constant=estimate.constant and estimate.n_differing == 0,
        superiority=None,  # its interval counts seeds only
        step_error=stretch.step_error,
    )


def _p_without_steps(estimate: Difference) -> float:
    """Returns 1 if no seed differs; NaN otherwise, because too few steps tell nothing."""
    return 1.0 if estimate.n_differing == 0 else math.nan


def _mean_difference(
    of: Row, to: Row, measure: str, seeds: tuple[list[int], list[int]]
) -> StretchMean:
    """Returns the mean difference over the moments that both rows are scored on."""
    tables = []
    for row, chosen in zip((of, to), seeds, strict=True):
        values = step_values(row.outcome.seeds, row.outcome.predictions, measure)
        tables.append(values[values["seed"].isin(chosen)])
    first, second = (table.groupby("moment")["value"].mean() for table in tables)
    moments = first.index.intersection(second.index).sort_values()
    by_step = first.loc[moments].to_numpy(float) - second.loc[moments].to_numpy(float)
    by_seed = [table.groupby("seed")["value"].mean() for table in tables]
    arrays = [series.to_numpy(float) for series in by_seed]
    if seeds[0] == seeds[1]:
        arrays = [(by_seed[0] - by_seed[1]).to_numpy(float)]
    means = [series.mean() for series in by_seed]
    overlap = max(of.outcome.overlap, to.outcome.overlap)
    mean, origins = float(means[0] - means[1]), _origins_of_moments(tables[0])
    numbers = None if origins is None else origins.loc[moments].to_numpy(int)
    return stretch_mean(by_step, arrays, overlap, mean=mean, origins=numbers)


def _origins_of_moments(values: pd.DataFrame) -> pd.Series | None:
    """Returns the origin of each moment of a table of `step_values`, if there are several."""
    return values.groupby("moment")[ORIGIN].first() if ORIGIN in values else None


def _rate_difference(
    estimate: Difference, of: Row, to: Row, seeds: tuple[list[int], list[int]]
) -> Difference:
    """Returns the difference of the rates of seeds whose skill is above 0.

    Another stretch moves the skills of all seeds of a recipe together. So the interval and the p
    value are the widest and the largest one if each recipe is moved, up or down, by as much as
    steps leave uncertain.
    """
    skills: list[pd.Series] = []
    widths = []
    for row, chosen in zip((of, to), seeds, strict=True):
        stretch = row.outcome.stretch_mean("skill")
        widths.append(stretch.step_half_width if stretch else math.nan)
        skills.append(row.outcome.seeds.set_index("seed")["skill"].loc[chosen])
    if any(map(math.isnan, widths)):
        nan = math.nan
        return replace(
            estimate, low=nan, high=nan, p=_p_without_steps(estimate), constant=False,
            superiority=None, step_error=nan,
        )  # fmt: skip
    paired = seeds[0] == seeds[1]
    compare: Callable[..., Difference] = (
        paired_rate_difference if paired else unpaired_rate_difference
    )
    moved = [
        compare(
            (skills[0] + sign * widths[0] > 0).to_numpy(),
            (skills[1] - sign * widths[1] > 0).to_numpy(),
        )
        for sign in (-1, 1)
    ]
    same_sign = all(part.difference * estimate.difference > 0 for part in moved)
    return replace(
        estimate,
        low=min(estimate.low, moved[0].low),
        high=max(estimate.high, moved[1].high),
        p=max(estimate.p, *(part.p for part in moved)) if same_sign else 1.0,
        constant=estimate.constant and estimate.n_differing == 0,
        superiority=None,
        step_error=max(widths),
    )
