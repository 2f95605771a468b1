"""Variance components: the variation of scores by setting, by seed, and by source of a seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.analysis._comparisons import COLUMNS
from lstm_bench.analysis._history import distinct_recipes, objective
from lstm_bench.results import Row, SweepData, measure_values
from lstm_bench.seeds import source_seeds
from lstm_bench.statistics import (
    ALPHA,
    fraction_intervals,
    seed_fraction_interval,
    seed_variance_fraction,
    variance_components,
)

SOURCES = ("data", "init", "order")
"""The sources of randomness that a seed sets: see `seeds.SOURCES`."""


@dataclass(frozen=True)
class SeedVariance:
    """The fraction of the scores' variance that lies between seeds of one recipe."""

    fraction: float
    recipes: int
    runs: int
    low: float = math.nan  # 95 % interval of the fraction
    high: float = math.nan

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "share": self.fraction,
            "recipes": self.recipes,
            "runs": self.runs,
            "between": 1 - self.fraction,
            "ci95": [self.low, self.high],
        }


def seed_variance(result: SweepData) -> SeedVariance | None:
    """Returns the fraction of the variance of random recipes that seeds cause; None if unknown.

    From the trials that were drawn at random, on the first seeds, as many as all of them have: the
    number of seeds that a trial ran on depends on its scores.
    """
    drawn = set(result.analysis.get("random", ()))
    rows = [row for row, _ in distinct_recipes(row for row in result.trials if row.trial in drawn)]
    groups = [measure_values(row.outcome, objective(result)) for row in rows]
    groups = [group for group in groups if np.isfinite(group).all()]
    first = min(map(len, groups), default=0)
    groups = [group[:first] for group in groups]
    runs = sum(map(len, groups))
    if len(groups) < 2 or runs <= len(groups):
        return None
    fraction = seed_variance_fraction(groups)
    if math.isnan(fraction):
        return None
    return SeedVariance(fraction, len(groups), runs, *seed_fraction_interval(np.array(groups)))


@dataclass(frozen=True)
class WinnerVariance:
    """The variance components of one recipe, as fractions, from seeds that cross their sources."""

    row: Row
    fractions: Mapping[str, float]  # data, init, order, together (only in combination)
    draws: tuple[int, int, int]  # of data, initial weights and order
    std: float  # of the score, over all seeds
    intervals: Mapping[str, tuple[float, float]]  # 95 %, of the fractions

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "id": self.row.id,
            "of": self.row.of,
            "draws": self.draws,
            "shares": self.fractions,
            "std": self.std,
            "ci95": {source: list(ends) for source, ends in self.intervals.items()},
        }


def winner_variance(result: SweepData) -> WinnerVariance | None:
    """Returns the variance components of the winner; None without crossed seeds or variance."""
    rows = result.having("split")
    if not rows:
        return None
    table = rows[0].outcome.seeds
    keys = [tuple(source_seeds(int(seed))[source] for source in SOURCES) for seed in table["seed"]]
    levels = [sorted({key[place] for key in keys}) for place in range(len(SOURCES))]
    draws = (len(levels[0]), len(levels[1]), len(levels[2]))
    cube = np.full(draws, np.nan)  # (data, init, order)
    column = COLUMNS.get(objective(result), objective(result))
    for key, score in zip(keys, table[column].to_numpy(float), strict=True):
        cube[tuple(level.index(part) for level, part in zip(levels, key, strict=True))] = score
    if min(draws) < 2 or not np.isfinite(cube).all() or cube.std() < 1e-12:
        return None
    fractions, std = variance_components(cube).fractions, float(cube.std(ddof=1))
    return WinnerVariance(rows[0], fractions, draws, std, fraction_intervals(cube))


@dataclass(frozen=True)
class SettingImportance:
    """The importance of a setting, as shares of that of all settings, by two methods."""

    key: str
    fanova: float
    ped_anova: float
    scaled: float  # `fanova` times the fraction of variance that seeds do not cause, or NaN
    low: float = math.nan  # 95 % interval of the fraction of all variance that it explains alone
    high: float = math.nan
    p: float = math.nan  # of no effect, corrected for all settings; NaN in older results


@dataclass(frozen=True)
class SettingImportances:
    """The importance of all settings, from the random trials."""

    trials: int
    settings: tuple[SettingImportance, ...]  # the most important first
    seeds: SeedVariance | None
    why: str  # the reason why there are none

    @property
    def best(self) -> SettingImportance | None:
        """Of the settings that beat chance, the one that explains the score best; None without.

        The p value allows for the choice among all settings, so that where none has an effect one
        is named in at most 5 % of searches.
        """
        return next((setting for setting in self.settings if setting.p <= ALPHA), None)

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "trials": self.trials,
            "settings": [vars(setting) for setting in self.settings],
            "seeds": self.seeds.fraction if self.seeds else None,
            "why": self.why or None,
        }


def setting_importances(result: SweepData) -> SettingImportances | None:
    """Returns the importance of every setting; None if the search has not computed it."""
    computed = result.analysis.get("importance")
    if not computed:
        return None
    seeds = seed_variance(result)
    rest = math.nan if seeds is None else 1 - seeds.fraction
    settings = [
        SettingImportance(
            str(setting["key"]),
            _to_float(setting.get("fanova")),
            _to_float(setting.get("ped_anova")),
            rest * _to_float(setting.get("fanova")),
            *(_to_float(setting.get(name)) for name in ("low", "high", "p")),
        )
        for setting in computed.get("settings", ())
    ]
    settings.sort(key=lambda setting: (-np.nan_to_num(setting.fanova), setting.key))
    trials, why = int(computed.get("trials", 0)), str(computed.get("why") or "")
    return SettingImportances(trials, tuple(settings), seeds, why)


def _to_float(value: Any) -> float:
    """Returns a number; NaN for None."""
    return math.nan if value is None else float(value)
