"""How a search went: its trials in order, what each scored on which seeds, what stopping saved."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lstm_bench.results import Outcome, Row, SweepResult
from lstm_bench.statistics import WORST, Mean, mean_interval

COLUMNS = {"solve_rate": "solved"}
"""Where the seeds' table calls an objective by another name."""


def objective(result: SweepResult) -> str:
    """Returns what the search maximises: accuracy, sequence_accuracy, solve_rate or skill."""
    return str((result.search or {}).get("objective", "accuracy"))


def bounds(measure: str) -> tuple[float, float]:
    """Returns between which two values an objective lies."""
    return (WORST, 1.0) if measure == "skill" else (0.0, 1.0)


def scores(outcome: Outcome, measure: str) -> np.ndarray:
    """Returns one value a seed of `measure`, in the order of the seeds; solved counts as 1.

    All NaN where it was not measured.
    """
    if COLUMNS.get(measure, measure) not in outcome.seeds:
        return np.full(len(outcome.seeds), np.nan)
    return outcome.seeds.sort_values("seed")[COLUMNS.get(measure, measure)].to_numpy(float)


def score(outcome: Outcome, measure: str) -> Mean:
    """Returns the mean of `measure` over the seeds, with its interval, within its `bounds`.

    The interval is Wilson's for a rate, else that of a mean.
    """
    mean = mean_interval(scores(outcome, measure), *bounds(measure))
    if measure != "solve_rate":
        return mean
    rate = outcome.solve_rate
    return Mean(mean.n, mean.mean, mean.std, rate.low, rate.high)


def asked(result: SweepResult) -> int:
    """Returns the seeds that a trial runs on unless it is stopped."""
    return result.seeds or max((len(row.outcome.seeds) for row in result.trials), default=0)


def is_stopped(result: SweepResult, row: Row) -> bool:
    """Returns whether `row` is a trial that was stopped before it had all of its seeds."""
    return row.role == "trial" and len(row.outcome.seeds) < asked(result)


def distinct(rows: Iterable[Row]) -> list[tuple[Row, list[str]]]:
    """Returns each recipe once, with the ids of the rows that repeat it, in order.

    Of the rows of one recipe, the first of those with the most seeds.
    """
    same: dict[str, list[Row]] = {}
    for row in rows:
        same.setdefault(row.outcome.digest, []).append(row)
    found = []
    for group in same.values():
        first = max(group, key=lambda row: len(row.outcome.seeds))
        found.append((first, [row.id for row in group if row is not first]))
    return found


@dataclass(frozen=True)
class Tried:
    """A trial: its score over the seeds it had, and the best so far of those with all seeds."""

    id: str
    number: int
    score: float
    seeds: int
    stopped: bool
    best: float  # NaN until a trial has all of its seeds


def history(result: SweepResult) -> tuple[Tried, ...]:
    """Returns the trials in order, each with the best score among those run in full until then."""
    found, best = [], math.nan
    for row in sorted(result.trials, key=_number):
        mean, stopped = score(row.outcome, objective(result)).mean, is_stopped(result, row)
        if not stopped:
            best = float(np.fmax(best, mean))
        count = len(row.outcome.seeds)
        found.append(Tried(row.id, _number(row), mean, count, stopped, best))
    return tuple(found)


def _number(row: Row) -> int:
    return -1 if row.trial is None else row.trial


@dataclass(frozen=True)
class Saved:
    """Seed runs that a search made, of those that all seeds of all its recipes would take."""

    made: int
    full: int
    recipes: int
    stopped: int

    @property
    def share(self) -> float:
        """The part of the seed runs that was not needed; 0 where nothing was searched."""
        return 1 - self.made / self.full if self.full else 0.0


def saved(result: SweepResult) -> Saved:
    """Returns how many seed runs stopping early has saved, each distinct recipe counted once."""
    rows = [row for row, _ in distinct(result.trials)]
    made = sum(len(row.outcome.seeds) for row in rows)
    stopped = sum(is_stopped(result, row) for row in rows)
    return Saved(made, len(rows) * asked(result), len(rows), stopped)
