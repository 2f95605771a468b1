"""The history of a search: trials in order, their scores, and the runs that stopping saved."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.results import Row, SweepData, measure_mean


def objective(result: SweepData) -> str:
    """Returns the search's measure: accuracy, sequence_accuracy, solve_rate or skill."""
    return str((result.search or {}).get("objective", "accuracy"))


def seeds_per_trial(result: SweepData) -> int:
    """Returns the number of seeds that a trial runs on unless it is stopped."""
    return result.seeds or max((len(row.outcome.seeds) for row in result.trials), default=0)


def is_stopped(result: SweepData, row: Row) -> bool:
    """Returns whether `row` is a trial that was stopped before it had all of its seeds."""
    return row.role == "trial" and len(row.outcome.seeds) < seeds_per_trial(result)


def distinct_recipes(rows: Iterable[Row]) -> list[tuple[Row, list[str]]]:
    """Returns one row for each distinct recipe, with the ids of the other rows of that recipe.

    The row is the one with the most seeds; of several, the first. The order is that of `rows`.
    """
    same: dict[str, list[Row]] = {}
    for row in rows:
        same.setdefault(row.outcome.digest, []).append(row)
    distinct = []
    for group in same.values():
        first = max(group, key=lambda row: len(row.outcome.seeds))
        distinct.append((first, [row.id for row in group if row is not first]))
    return distinct


@dataclass(frozen=True)
class TrialScore:
    """A trial: its mean score, and the best score until then of trials that ran all seeds."""

    id: str
    number: int
    score: float
    seeds: int
    stopped: bool
    best: float  # NaN until a trial has run all its seeds


def history(result: SweepData) -> tuple[TrialScore, ...]:
    """Returns the trials in order, each with the best score until then of trials run in full."""
    scores, best = [], math.nan
    for row in sorted(result.trials, key=_trial_number):
        mean, stopped = measure_mean(row.outcome, objective(result)).mean, is_stopped(result, row)
        if not stopped:
            best = float(np.fmax(best, mean))
        count = len(row.outcome.seeds)
        scores.append(TrialScore(row.id, _trial_number(row), mean, count, stopped, best))
    return tuple(scores)


def _trial_number(row: Row) -> int:
    return -1 if row.trial is None else row.trial


@dataclass(frozen=True)
class StoppingSavings:
    """The seed runs of a search, and those that all seeds of all its recipes would take."""

    runs: int
    full_runs: int  # without stopping
    recipes: int
    stopped: int

    @property
    def share(self) -> float:
        """The share of the seed runs that was saved; 0 without a search."""
        return 1 - self.runs / self.full_runs if self.full_runs else 0.0

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "made": self.runs,
            "full": self.full_runs,
            "recipes": self.recipes,
            "stopped": self.stopped,
            "share": self.share,
        }


def stopping_savings(result: SweepData) -> StoppingSavings:
    """Returns the seed runs that stopping early has saved; each distinct recipe counts once."""
    rows = [row for row, _ in distinct_recipes(result.trials)]
    runs = sum(len(row.outcome.seeds) for row in rows)
    stopped = sum(is_stopped(result, row) for row in rows)
    return StoppingSavings(runs, len(rows) * seeds_per_trial(result), len(rows), stopped)
