"""Whose variance it is: the settings', the seeds', and of the latter the data's or the weights'."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.analysis._history import COLUMNS, distinct, objective, scores
from lstm_bench.results import Row, SweepResult
from lstm_bench.seeds import uncrossed
from lstm_bench.statistics import seed_variance_share, variance_split

SOURCES = ("data", "init", "order")
"""What a seed decides: see `seeds.SOURCES`."""


@dataclass(frozen=True)
class SeedShare:
    """The part of the scores' variance that lies between seeds of one recipe."""

    share: float
    recipes: int
    runs: int


def seed_share(result: SweepResult) -> SeedShare | None:
    """Returns how much of the variance among random recipes is the seeds'; None if unknown.

    Of the trials that were drawn at random, on as many first seeds as all of them have: how many
    more a trial was given depends on what it had scored.
    """
    drawn = set(result.analysis.get("random", ()))
    rows = [row for row, _ in distinct(row for row in result.trials if row.trial in drawn)]
    groups = [scores(row.outcome, objective(result)) for row in rows]
    groups = [group for group in groups if np.isfinite(group).all()]
    first = min(map(len, groups), default=0)
    groups = [group[:first] for group in groups]
    runs = sum(map(len, groups))
    if len(groups) < 2 or runs <= len(groups):
        return None
    share = seed_variance_share(groups)
    return None if math.isnan(share) else SeedShare(share, len(groups), runs)


@dataclass(frozen=True)
class Split:
    """The shares of one recipe's variance: data, initial weights, order, and all together."""

    row: Row
    shares: Mapping[str, float]  # data, init, order, together
    draws: tuple[int, int, int]  # of data, initial weights and order
    std: float  # of the score, over all of them


def split(result: SweepResult) -> Split | None:
    """Returns how a recipe's variance splits; None without crossed seeds, or without variance."""
    rows = result.having("split")
    if not rows:
        return None
    table = rows[0].outcome.seeds
    keys = [tuple(uncrossed(int(seed))[source] for source in SOURCES) for seed in table["seed"]]
    levels = [sorted({key[place] for key in keys}) for place in range(len(SOURCES))]
    draws = (len(levels[0]), len(levels[1]), len(levels[2]))
    cube = np.full(draws, np.nan)  # (data, init, order)
    column = COLUMNS.get(objective(result), objective(result))
    for key, score in zip(keys, table[column].to_numpy(float), strict=True):
        cube[tuple(level.index(part) for level, part in zip(levels, key, strict=True))] = score
    if min(draws) < 2 or not np.isfinite(cube).all() or cube.std() < 1e-12:
        return None
    return Split(rows[0], variance_split(cube).shares, draws, float(cube.std(ddof=1)))


@dataclass(frozen=True)
class Weight:
    """A setting's importance: `fanova` and `ped_anova` as shares over the settings."""

    key: str
    fanova: float
    ped_anova: float
    scaled: float  # fanova's share of what is not the seeds'; NaN where their share is unknown


@dataclass(frozen=True)
class Importance:
    """What the random trials say of the settings' importance; `why` where they say nothing."""

    trials: int
    weights: tuple[Weight, ...]  # the most important first
    seeds: SeedShare | None
    why: str


def importance(result: SweepResult) -> Importance | None:
    """Returns the settings' importances beside the seeds' share; None if nothing was worked out."""
    told = result.analysis.get("importance")
    if not told:
        return None
    share = seed_share(result)
    rest = math.nan if share is None else 1 - share.share
    weights = [
        Weight(
            str(each["key"]),
            _number(each.get("fanova")),
            _number(each.get("ped_anova")),
            rest * _number(each.get("fanova")),
        )
        for each in told.get("settings", ())
    ]
    weights.sort(key=lambda each: (-np.nan_to_num(each.fanova), each.key))
    return Importance(int(told.get("trials", 0)), tuple(weights), share, str(told.get("why") or ""))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
