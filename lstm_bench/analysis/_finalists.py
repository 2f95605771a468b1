"""The finalists of a search on fresh seeds, and the simplest recipe that solves the task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.analysis._baselines import BaselineResult, baseline_results
from lstm_bench.analysis._history import distinct_recipes, is_stopped, objective
from lstm_bench.results import (
    Row,
    SweepData,
    measure_mean,
    measure_values,
    solve_rate_interval,
)
from lstm_bench.statistics import (
    ALPHA,
    RELIABLE_RATE,
    Mean,
    Rate,
    holm_correction,
    mean_interval,
    rate_p_value,
    solve_rate,
    winner_score,
)


@dataclass(frozen=True)
class Confirmed:
    """A finalist: its score in the search, and on fresh seeds, which the search never saw.

    The intervals on fresh seeds hold for all finalists together (Bonferroni), and so for the best.
    """

    row: Row
    trial: Row | None  # None if the row of the trial is missing
    search: Mean
    fresh: Mean

    @property
    def optimism(self) -> float:
        """The score in the search minus the score on fresh seeds."""
        return float(np.round(self.search.mean - self.fresh.mean, 12))

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "id": self.row.id,
            "of": self.row.of,
            "name": self.row.outcome.name,
            "search": _mean_document(self.search),
            "confirmed": _mean_document(self.fresh),
            "optimism": self.optimism,
        }


@dataclass(frozen=True)
class Confirmations:
    """The finalists, ranked by their score on fresh seeds."""

    measure: str
    finalists: tuple[Confirmed, ...]
    winner: Confirmed | None  # the finalist with the best score in the search
    corrected: float = math.nan  # of the best one: see `winner_score`

    @property
    def optimism(self) -> float:
        """The mean over the finalists whose trial is known; NaN without one."""
        optimisms = [row.optimism for row in self.finalists if row.trial is not None]
        return float(np.round(np.mean(optimisms), 12)) if optimisms else math.nan

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        winner = self.winner
        return {
            "measure": self.measure,
            "optimism": {"mean": self.optimism, "winner": winner.optimism if winner else None},
            "search_winner": winner.row.id if winner else None,
            "finalists": [finalist.document() for finalist in self.finalists],
            "corrected": self.corrected,
        }


def _mean_document(mean: Mean) -> dict[str, Any]:
    return {"mean": mean.mean, "n": mean.n, "ci95": [mean.low, mean.high]}


def confirmations(result: SweepData) -> Confirmations:
    """Returns the search score, confirmed score and optimism of every finalist.

    They are ranked by confirmed score, then by solve rate, then by cost, lower costs first. The
    winner of the search is determined in the same way from the scores of the search.
    """
    measure = objective(result)
    trials = {row.id: row for row in result.trials}
    no_score = mean_interval([])
    finalists = []
    level = ALPHA / max(1, len(result.having("confirmed")))
    for row in result.having("confirmed"):
        trial = trials.get(row.of)
        before = measure_mean(trial.outcome, measure) if trial else no_score
        finalists.append(Confirmed(row, trial, before, measure_mean(row.outcome, measure, level)))
    finalists.sort(key=lambda finalist: _rank(finalist.fresh, finalist.row))
    of_trials = [(finalist, finalist.trial) for finalist in finalists if finalist.trial]
    ranked = sorted(of_trials, key=lambda pair: _rank(pair[0].search, pair[1]))
    winner = ranked[0][0] if ranked else None
    return Confirmations(measure, tuple(finalists), winner, _corrected(finalists, measure))


def _corrected(finalists: Sequence[Confirmed], measure: str) -> float:
    """Returns the score of the best finalist on seeds that did not choose it; NaN if unknown."""
    seeds = {tuple(sorted(finalist.row.outcome.seeds["seed"])) for finalist in finalists}
    if len(seeds) != 1:
        return math.nan
    return winner_score(
        np.array([measure_values(finalist.row.outcome, measure) for finalist in finalists])
    )


def _rank(mean: Mean, row: Row) -> tuple[float, float, int, str]:
    """Returns a key that sorts the best recipe first, and recipes that diverged last."""
    score = math.inf if math.isnan(mean.mean) else -mean.mean
    return (score, -row.outcome.solve_rate.rate, row.outcome.cost, row.outcome.digest)


@dataclass(frozen=True)
class FrontPoint:
    """A recipe on the plane of cost and solve rate."""

    row: Row
    cost: int
    rate: Rate
    on_front: bool  # no recipe is solved as often at a lower cost, or more often at its cost

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        rate, outcome = self.rate, self.row.outcome
        interval = [rate.low, rate.high]
        return {
            "id": self.row.id,
            "role": self.row.role,
            "parameters": outcome.parameters,
            "updates": outcome.updates,
            "cost": self.cost,
            "solve_rate": {"k": rate.k, "n": rate.n, "rate": rate.rate, "ci95": interval},
            "front": self.on_front,
        }


def front(result: SweepData) -> tuple[FrontPoint, ...]:
    """Returns every distinct recipe of the searched problem that has all its seeds, by cost.

    A confirmed recipe replaces its trial, and a fixed recipe a trial of the same recipe: both are
    scored on seeds that did not choose them. Where a task holds data back from the search, the
    other trials are left out, because they were scored on other data. Empty without a search.
    """
    rows = list(result.having("confirmed"))
    confirmed_trials = {row.of for row in rows}
    rows += _rows_of_same_problem(result)
    if not result.trials:
        return ()
    rows += [
        row
        for row, repeats in distinct_recipes(result.trials)
        if not is_stopped(result, row)
        and not confirmed_trials & {row.id, *repeats}
        and not result.holds_data_back(row)
    ]
    single: dict[str, Row] = {}
    for row in rows:
        single.setdefault(row.outcome.digest, row)
    plane = [(row, row.outcome.cost, row.outcome.solve_rate) for row in single.values()]
    points = []
    for row, cost, rate in plane:
        beaten = any(
            (other.rate >= rate.rate and price < cost) or (other.rate > rate.rate and price <= cost)
            for _, price, other in plane
        )
        points.append(FrontPoint(row, cost, rate, not beaten))
    return tuple(sorted(points, key=lambda point: (point.cost, -point.rate.rate, point.row.id)))


def _rows_of_same_problem(result: SweepData) -> list[Row]:
    """Returns the fixed rows whose task, with its parameters, is the one that is searched."""
    if not result.trials:
        return []
    searched = result.trials[0].outcome.settings
    space = (result.search or {}).get("space", {})
    task = result.searched_task
    keys = {"task"} | task.parameters - set(space) - set(task.overrides)
    return [
        row
        for row in result.fixed
        if all(row.outcome.settings.get(key) == searched.get(key) for key in keys)
    ]


@dataclass(frozen=True)
class SimplestRecipe:
    """The cheapest confirmed recipe whose Wilson lower bound of the solve rate reaches `bar`."""

    point: FrontPoint | None  # None where there is no such recipe
    bar: float
    why: str  # the reason why there is none
    fixed: tuple[str, ...] = ()  # fixed recipes that reach the bar too and cost no more
    p_holm: float = math.nan  # of a rate at the bar, corrected for all finalists
    finalists: int = 1
    smallest: Row | None = None  # of the confirmed recipes that reach the bar: fewest parameters

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        point = self.point
        return {
            "bar": self.bar,
            "point": point.document() if point else None,
            "recipe": point.row.outcome.settings if point else None,
            "sentence": self.sentence,
            "p_holm": self.p_holm,
        }

    @property
    def sentence(self) -> str:
        """The recipe with its solve rate and interval, or the reason why there is none."""
        if self.point is None:
            return self.why
        row, rate = self.point.row, self.point.rate
        parameters, updates = row.outcome.parameters, row.outcome.updates
        solved = f"solved by {rate.k} of {rate.n} fresh seeds (95 % Wilson interval"
        if row.outcome.score == "skill":
            solved = (
                f"its skill is above 0 for {rate.k} of {rate.n} fresh seeds (95 % "
                "interval for other data of the kind"
            )
        also = f" At no higher cost, {_clearing(self.fixed)} too." if self.fixed else ""
        among = ""
        if self.finalists > 1:
            among = f"; p {self.p_holm:.2g} after Holm's correction for {self.finalists} finalists"
        return (
            f"The simplest recipe that solves it is {row.id} ({row.outcome.name}): {solved} "
            f"{_percent_interval(rate)} %, all of it at or above {100 * self.bar:g} %{among}), "
            f"with {parameters:,} parameters and {updates:,} updates.{also}"
        )


def simplest_recipe(result: SweepData, bar: float = RELIABLE_RATE) -> SimplestRecipe:
    """Returns the cheapest confirmed recipe that reliably solves the task: see `simplest_of`."""
    return simplest_of(front(result), bar, baseline_results(result))


def simplest_of(
    points: Sequence[FrontPoint],
    bar: float = RELIABLE_RATE,
    baselines: Sequence[BaselineResult] = (),
) -> SimplestRecipe:
    """Returns the simplest recipe of a front that is already computed.

    The Wilson interval of its solve rate lies at or above `bar`, and as many solved seeds are too
    unlikely at a rate of `bar` also after Holm's correction for all finalists: one of many is
    lucky sooner or later. Where there are `baselines`, their
    verdict on it is `better`, too.
    """
    confirmed = [point for point in points if point.row.role == "confirmed"]
    verdicts = {result.row.id: result.verdict for result in baselines}
    p_values = _corrected_p_values(confirmed, bar)
    clear = [
        point
        for point in points
        if point.rate.low >= bar
        and verdicts.get(point.row.id, "better") == "better"
        and p_values.get(point.row.id, 0.0) <= ALPHA
    ]
    rows = [point.row for point in clear if point.row.role == "confirmed"]
    cheapest = next((point for point in clear if point.row.role == "confirmed"), None)
    if cheapest is not None:
        smallest = min(rows, key=lambda row: row.outcome.parameters)
        cost = cheapest.cost
        fixed = [p.row.id for p in clear if p.row.role == "fixed" and p.cost <= cost]
        p = p_values[cheapest.row.id]
        return SimplestRecipe(cheapest, bar, "", tuple(fixed), p, len(confirmed), smallest)
    share = f"{100 * bar:g} %"
    if not confirmed:
        why = "No recipe was run again on fresh seeds, so none can be called the simplest."
        return SimplestRecipe(None, bar, why)
    if baselines and all(verdicts.get(point.row.id) != "better" for point in confirmed):
        why = (
            "No finalist is certain to have a smaller error than the best baseline on other data "
            "of the kind, so none is named as the simplest."
        )
        return SimplestRecipe(None, bar, why)
    if not any(point.rate.k for point in confirmed):
        why = "No finalist is solved by any fresh seed, so none is simplest."
        return SimplestRecipe(None, bar, why)
    most = max(point.rate.n for point in confirmed)
    bound = solve_rate([True] * most).low
    if bound < bar:
        why = (
            f"Too few fresh seeds to name a simplest recipe: even {most} of {most} solved would "
            f"give a lower bound of {100 * bound:.1f} %, below the bar of {share}."
        )
        return SimplestRecipe(None, bar, why)
    best = max(confirmed, key=lambda point: (point.rate.low, -point.cost))
    rate = best.rate
    if rate.low >= bar:
        why = (
            f"No confirmed recipe is sure to be solved by {share} of seeds: the most certain, "
            f"{best.row.id}, is solved by {rate.k} of {rate.n}, but as one of {len(confirmed)} "
            f"finalists that takes more seeds (p {p_values[best.row.id]:.2g} after Holm's "
            f"correction; at least {_fewest_seeds(len(confirmed), bar)} seeds)."
        )
        return SimplestRecipe(None, bar, why)
    if best.row.outcome.score == "skill":
        why = (
            f"No confirmed recipe is sure to have a skill above 0 for {share} of "
            f"seeds: of the most certain, {best.row.id}, {rate.k} of {rate.n} have."
        )
        return SimplestRecipe(None, bar, why)
    why = (
        f"No confirmed recipe is sure to be solved by {share} of seeds: the most certain, "
        f"{best.row.id}, is solved by {rate.k} of {rate.n} (95 % Wilson interval "
        f"{_percent_interval(rate)} %)."
    )
    return SimplestRecipe(None, bar, why)


def _corrected_p_values(confirmed: Sequence[FrontPoint], bar: float) -> dict[str, float]:
    """Returns the p value of a solve rate at the bar for each finalist, after Holm's correction."""
    level = ALPHA / max(1, len(confirmed))
    p_values = []
    for point in confirmed:
        p = rate_p_value(point.rate.k, point.rate.n, bar)
        if (
            point.row.outcome.on_stretch
            and not solve_rate_interval(point.row.outcome, level).low >= bar
        ):
            p = 1.0  # on another stretch fewer seeds may be below the baseline's error
        p_values.append(p)
    corrected = holm_correction(p_values)
    return {point.row.id: p for point, p in zip(confirmed, corrected, strict=True)}


def _fewest_seeds(finalists: int, bar: float) -> int:
    """Returns the fewest seeds, all solved, with which one of so many finalists can be named."""
    return math.ceil(math.log(ALPHA / finalists) / math.log(bar))


def _clearing(ids: Sequence[str]) -> str:
    """Returns `A1 clears it`, or `A1 and A2 clear it`."""
    return f"{' and '.join(ids)} {'clears' if len(ids) == 1 else 'clear'} it"


def _percent_interval(rate: Rate) -> str:
    return f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
