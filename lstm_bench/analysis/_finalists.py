"""What of a search holds on fresh seeds, and the simplest recipe that solves its task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_bench.analysis._history import distinct, is_stopped, objective, score
from lstm_bench.recipes import TASKS, holds_data_back
from lstm_bench.results import Row, SweepResult
from lstm_bench.statistics import RELIABLE, Mean, Rate, mean_interval, solve_rate


@dataclass(frozen=True)
class Confirmed:
    """A finalist: what it scored in the search, and on seeds that the search never saw."""

    row: Row
    trial: Row | None  # None if the trial's own row is not there
    search: Mean
    fresh: Mean

    @property
    def optimism(self) -> float:
        """What the search promised beyond what fresh seeds hold."""
        return float(np.round(self.search.mean - self.fresh.mean, 12))


@dataclass(frozen=True)
class Confirmations:
    """The finalists, ranked by what they scored on fresh seeds."""

    measure: str
    finalists: tuple[Confirmed, ...]
    winner: Confirmed | None  # the finalist that the search itself would have named

    @property
    def optimism(self) -> float:
        """Mean over the finalists whose trial is known; NaN without one."""
        known = [each.optimism for each in self.finalists if each.trial is not None]
        return float(np.round(np.mean(known), 12)) if known else math.nan


def confirmations(result: SweepResult) -> Confirmations:
    """Returns search score, confirmed score and the optimism between them, for each finalist.

    Ranked by the confirmed score, then by solve rate, then by cost, the lower one first; the
    search's own winner is found in the same way from its own scores.
    """
    measure = objective(result)
    trials = {row.id: row for row in result.trials}
    none = mean_interval([])
    found = []
    for row in result.having("confirmed"):
        trial = trials.get(row.of)
        before = score(trial.outcome, measure) if trial else none
        found.append(Confirmed(row, trial, before, score(row.outcome, measure)))
    found.sort(key=lambda each: _rank(each.fresh, each.row))
    known = [(each, each.trial) for each in found if each.trial is not None]
    ranked = sorted(known, key=lambda pair: _rank(pair[0].search, pair[1]))
    return Confirmations(measure, tuple(found), ranked[0][0] if ranked else None)


def _rank(mean: Mean, row: Row) -> tuple[float, float, int, str]:
    """Returns a key that sorts the best first; one that diverged comes last."""
    score = math.inf if math.isnan(mean.mean) else -mean.mean
    return (score, -row.outcome.solve_rate.rate, row.outcome.cost, row.outcome.digest)


@dataclass(frozen=True)
class Point:
    """A recipe on the plane of cost and solve rate."""

    row: Row
    cost: int
    rate: Rate
    best: bool  # no other recipe is solved as often at a lower cost, or more often at its cost


def front(result: SweepResult) -> tuple[Point, ...]:
    """Returns every distinct recipe of the search's problem that has all its seeds, by cost.

    A confirmed outcome stands in for that of its trial, and a fixed recipe for a trial of the same
    recipe: both on seeds that did not choose it. Where a task keeps data back from a search, its
    other trials are left out, for they were scored on other data. Empty without a search.
    """
    rows = list(result.having("confirmed"))
    gone = {row.of for row in rows}
    rows += _of_the_same_problem(result)
    if not result.trials:
        return ()
    rows += [
        row
        for row, repeats in distinct(result.trials)
        if not is_stopped(result, row)
        and not gone & {row.id, *repeats}
        and not holds_data_back(row.outcome.settings)
    ]
    single: dict[str, Row] = {}
    for row in rows:
        single.setdefault(row.outcome.digest, row)
    plane = [(row, row.outcome.cost, row.outcome.solve_rate) for row in single.values()]
    found = []
    for row, price, rate in plane:
        beaten = any(
            (other.rate >= rate.rate and own < price) or (other.rate > rate.rate and own <= price)
            for _, own, other in plane
        )
        found.append(Point(row, price, rate, not beaten))
    return tuple(sorted(found, key=lambda each: (each.cost, -each.rate.rate, each.row.id)))


def _of_the_same_problem(result: SweepResult) -> list[Row]:
    """Returns the fixed rows whose task, with its parameters, is the one that is searched."""
    if not result.trials:
        return []
    own = result.trials[0].outcome.settings
    space = (result.search or {}).get("space", {})
    name = own.get("task")
    fields = set(TASKS[name].model_fields) if name in TASKS else set()
    held_back = set(TASKS[name].in_search) if name in TASKS else set()
    keys = {"task"} | fields - set(space) - held_back
    return [
        row
        for row in result.fixed
        if all(row.outcome.settings.get(key) == own.get(key) for key in keys)
    ]


@dataclass(frozen=True)
class Simplest:
    """The cheapest confirmed recipe that is sure to clear `bar`; None with the reason in `why`."""

    point: Point | None
    bar: float
    why: str
    fixed: tuple[str, ...] = ()  # fixed recipes that clear it too and cost no more

    @property
    def sentence(self) -> str:
        """Which recipe it is and how sure that is, or why there is none."""
        if self.point is None:
            return self.why
        row, rate = self.point.row, self.point.rate
        also = f" At no higher cost, {_and(self.fixed)} too." if self.fixed else ""
        return (
            f"The simplest recipe that solves it is {row.id} ({row.outcome.name}): solved by "
            f"{rate.k} of {rate.n} fresh seeds (95 % Wilson interval {_span(rate)} %, all of it "
            f"at or above {100 * self.bar:g} %), with {row.outcome.parameters:,} parameters and "
            f"{row.outcome.updates:,} updates.{also}"
        )


def simplest(result: SweepResult, bar: float = RELIABLE) -> Simplest:
    """Returns the cheapest confirmed recipe whose Wilson lower bound is at least `bar`."""
    return simplest_of(front(result), bar)


def simplest_of(points: Sequence[Point], bar: float = RELIABLE) -> Simplest:
    """Returns `simplest` of a front that is known already."""
    confirmed = [point for point in points if point.row.role == "confirmed"]
    clear = [point for point in points if point.rate.low >= bar]
    found = next((point for point in clear if point.row.role == "confirmed"), None)
    if found is not None:
        price = found.cost
        fixed = [p.row.id for p in clear if p.row.role == "fixed" and p.cost <= price]
        return Simplest(found, bar, "", tuple(fixed))
    share = f"{100 * bar:g} %"
    if not confirmed:
        why = "No recipe was run again on fresh seeds, so none can be called the simplest."
        return Simplest(None, bar, why)
    if not any(point.rate.k for point in confirmed):
        return Simplest(None, bar, "No finalist is solved by any fresh seed, so none is simplest.")
    most = max(point.rate.n for point in confirmed)
    bound = solve_rate([True] * most).low
    if bound < bar:
        why = (
            f"Too few fresh seeds to name a simplest recipe: even {most} of {most} solved would "
            f"give a lower bound of {100 * bound:.1f} %, below the bar of {share}."
        )
        return Simplest(None, bar, why)
    best = max(confirmed, key=lambda point: (point.rate.low, -point.cost))
    rate = best.rate
    why = (
        f"No confirmed recipe is sure to be solved by {share} of seeds: the most certain, "
        f"{best.row.id}, is solved by {rate.k} of {rate.n} (95 % Wilson interval {_span(rate)} %)."
    )
    return Simplest(None, bar, why)


def _and(ids: Sequence[str]) -> str:
    return f"{' and '.join(ids)} {'clears' if len(ids) == 1 else 'clear'} it"


def _span(rate: Rate) -> str:
    return f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
