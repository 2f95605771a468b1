"""The ranking of the recipes of a sweep over several tasks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_bench.results import Row, SweepData, TaskGrid, counted, listed, measure_values
from lstm_bench.statistics import (
    ALPHA,
    RELIABLE_RATE,
    Bootstrapped,
    critical_difference,
    fewest_tasks,
    friedman_test,
    improvement_intervals,
    interquartile_mean_interval,
    performance_profile,
    profile_band,
    task_ranks,
)

Floats = NDArray[np.float64]

THRESHOLDS = np.round(np.linspace(0, 1, 51), 12)
"""The scores at which a performance profile is computed."""
MAX_MEANS = 5
"""Recipes whose interquartile means are in a sentence."""
MAX_TIED = 3
"""Recipes that solve a task equally often are named up to this number, else counted."""
LOW, HIGH = 0.5, 0.9
"""A recipe below the first mean score on a task, of which another is above the second, is named."""


@dataclass(frozen=True)
class RankedRecipe:
    """What a recipe reached on all tasks. Scores are 0 at chance and 1 at a task's ceiling."""

    name: str  # without the task
    scores: tuple[tuple[float, ...], ...]  # of each task and seed
    iqm: Bootstrapped  # interquartile mean over tasks and seeds
    mean_rank: float  # over the tasks; 1 is the best
    solved_tasks: tuple[str, ...]  # the whole interval of the solve rate is above `RELIABLE_RATE`
    solved: tuple[int, ...]  # the runs of each task that solve it, of those that have a score
    profile: pd.DataFrame  # threshold, share of runs above it, low, high

    @property
    def solved_runs(self) -> int:
        """The runs that solve their task."""
        return sum(self.solved)

    @property
    def task_means(self) -> tuple[float, ...]:
        """The mean score on each task."""
        return tuple(float(np.mean(row)) for row in self.scores)


@dataclass(frozen=True)
class Improvement:
    """How likely a run of the recipe `of` scores above one of `to`, on a task drawn at random."""

    of: str
    to: str
    probability: Bootstrapped


@dataclass(frozen=True)
class Ranking:
    """The recipes of a sweep over several tasks, best first by interquartile mean.

    `friedman_p` and `critical_difference` are about the tasks as a sample of tasks; the intervals
    of `iqm` and `improvements` are about further seeds on the same tasks.
    """

    tasks: tuple[str, ...]
    seeds: int
    recipes: tuple[RankedRecipe, ...]
    improvements: tuple[Improvement, ...]  # of every pair, the recipe that is ranked first as `of`
    friedman: float
    friedman_p: float
    critical_difference: float
    fewest_tasks: int  # with which a difference of mean ranks can be significant
    missing: Mapping[str, tuple[str, ...]]  # the tasks on which recipes that are left out lack one

    @property
    def different(self) -> tuple[tuple[str, str], ...]:
        """The pairs whose mean ranks differ significantly, the better recipe first."""
        if not self.friedman_p < ALPHA:
            return ()
        ordered = sorted(self.recipes, key=lambda recipe: recipe.mean_rank)
        return tuple(
            (better.name, worse.name)
            for better, worse in itertools.combinations(ordered, 2)
            if worse.mean_rank - better.mean_rank >= self.critical_difference
        )

    @property
    def sentence(self) -> str:
        """What the mean ranks tell, and the interquartile means of the recipes."""
        if len(self.recipes) < 2:
            return f"Across {len(self.tasks)} tasks: {self.statement}"
        shown = self.recipes[:MAX_MEANS]
        iqms = [f"{recipe.name} {percent_interval(recipe.iqm)}" for recipe in shown]
        rest = len(self.recipes) - len(shown)
        more = f" and {rest} more" if rest else ""
        return (
            f"{self.statement} Interquartile mean of the score across "
            f"{counted(len(self.tasks), 'task')}, {counted(self.seeds, 'seed')} each (0 at "
            f"chance, 100 at the ceiling): {', '.join(iqms)}{more}."
        )

    @property
    def points(self) -> list[str]:
        """What interquartile means and ranks hide: runs that solve a task, and low scores."""
        if len(self.recipes) < 2:
            return []
        most = [f"{task} {self._most_solved(i)}" for i, task in enumerate(self.tasks)]
        runs = len(self.tasks) * self.seeds
        shown = self.recipes[:MAX_MEANS]
        solved = ", ".join(f"{recipe.name} {recipe.solved_runs}" for recipe in shown)
        more = f", and {len(self.recipes) - len(shown)} more" * (len(self.recipes) > len(shown))
        points = [
            f"Most often solved, of {counted(self.seeds, 'run')}: {'; '.join(most)}.",
            f"Runs that solve their task, of {runs}: {solved}{more}.",
        ]
        low = []
        best = [max(r.task_means[i] for r in self.recipes) for i in range(len(self.tasks))]
        for recipe in self.recipes:
            scores = zip(self.tasks, recipe.task_means, best, strict=True)
            failed = [t for t, mean, highest in scores if mean < LOW and highest > HIGH]
            if failed:
                low.append(f"{recipe.name} on {listed(failed)}")
        if low:
            points.append(
                f"Scores below {100 * LOW:.0f} where another recipe has more than "
                f"{100 * HIGH:.0f}: {'; '.join(low)}."
            )
        return points

    def _most_solved(self, task: int) -> str:
        """Returns which recipes solve a task most often: `by gru (10)`; `by 4 recipes (10)`."""
        most = max(recipe.solved[task] for recipe in self.recipes)
        if not most:
            return "by none"
        names = [recipe.name for recipe in self.recipes if recipe.solved[task] == most]
        shown = listed(names) if len(names) <= MAX_TIED else counted(len(names), "recipe")
        return f"by {shown} ({most})"

    @property
    def statement(self) -> str:
        """What the mean ranks tell about differences between the recipes."""
        count, tasks = len(self.recipes), len(self.tasks)
        if count < 2:
            return "Fewer than two recipes have a score on every task, so that none can be ranked."
        limit = f"{self.critical_difference:.2f}"
        if tasks < self.fewest_tasks:
            return (
                f"With {tasks} tasks no two mean ranks can be told apart: even the largest "
                f"difference that {count} recipes can have, {count - 1}, is below the critical "
                f"difference, {limit}; {self.fewest_tasks} tasks are the fewest that could."
            )
        p = f"p = {self.friedman_p:.2g}" if self.friedman_p >= 0.001 else "p < 0.001"
        if math.isnan(self.friedman_p):
            return "All recipes have equal mean scores on every task, so that none ranks higher."
        if not self.friedman_p < ALPHA:
            return f"The mean ranks of the recipes cannot be told apart (Friedman's test, {p})."
        pairs = self.different
        if not pairs:
            return (
                f"The recipes do not all rank alike (Friedman's test, {p}), but no two mean ranks "
                f"differ by the critical difference, {limit}."
            )
        groups = [
            f"{better} ranks higher than {listed([worse for _, worse in group])}"
            for better, group in itertools.groupby(pairs, key=lambda pair: pair[0])
        ]
        every = len(pairs) == count * (count - 1) // 2
        rest = "" if every else "; no other two mean ranks can be told apart"
        return f"{listed(groups)} (critical difference {limit}; Friedman's test, {p}){rest}."

    def table(self) -> pd.DataFrame:
        """Returns one row per recipe: estimates with intervals, mean rank, and solved tasks."""
        return pd.DataFrame(
            {
                "recipe": recipe.name,
                "tasks": len(self.tasks),
                "seeds": self.seeds,
                "iqm": recipe.iqm.estimate,
                "iqm_low": recipe.iqm.low,
                "iqm_high": recipe.iqm.high,
                "mean_rank": recipe.mean_rank,
                "solved_tasks": len(recipe.solved_tasks),
                "solved_runs": recipe.solved_runs,
            }
            for recipe in self.recipes
        )

    def scores_table(self) -> pd.DataFrame:
        """Returns one row per recipe and task: the mean score, and the rank by it."""
        ranks = task_ranks(np.array([recipe.scores for recipe in self.recipes]))
        return pd.DataFrame(
            {"recipe": recipe.name, "task": task, "score": mean, "rank": rank}
            for recipe, of_recipe in zip(self.recipes, ranks, strict=True)
            for task, mean, rank in zip(self.tasks, recipe.task_means, of_recipe, strict=True)
        )

    def profiles_table(self) -> pd.DataFrame:
        """Returns the performance profiles: one row per recipe and threshold."""
        return pd.concat(
            [recipe.profile.assign(recipe=recipe.name) for recipe in self.recipes],
            ignore_index=True,
        )[["recipe", "threshold", "share", "low", "high"]]

    def improvements_table(self) -> pd.DataFrame:
        """Returns the probability of improvement of every pair of recipes."""
        return pd.DataFrame(
            {
                "of": pair.of,
                "to": pair.to,
                "probability": pair.probability.estimate,
                "low": pair.probability.low,
                "high": pair.probability.high,
            }
            for pair in self.improvements
        )

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "tasks": list(self.tasks),
            "seeds": self.seeds,
            "recipes": {
                recipe.name: {
                    "iqm": {"estimate": recipe.iqm.estimate, "ci95": _ends(recipe.iqm)},
                    "mean_rank": recipe.mean_rank,
                    "scores": dict(zip(self.tasks, recipe.task_means, strict=True)),
                    "solved_tasks": list(recipe.solved_tasks),
                    "solved_runs": recipe.solved_runs,
                }
                for recipe in self.recipes
            },
            "improvement": [
                {
                    "of": pair.of,
                    "to": pair.to,
                    "probability": pair.probability.estimate,
                    "ci95": _ends(pair.probability),
                }
                for pair in self.improvements
            ],
            "friedman": {"chi2": self.friedman, "p": self.friedman_p},
            "critical_difference": self.critical_difference,
            "fewest_tasks": self.fewest_tasks,
            "different": [list(pair) for pair in self.different],
            "missing": {name: list(tasks) for name, tasks in self.missing.items()},
            "says": self.sentence,
        }


def ranking(result: SweepData) -> Ranking | None:
    """Returns the ranking of the recipes of a sweep; None if it has fewer than two tasks."""
    grid = result.grid
    if grid is None or len(grid.tasks) < 2 or not result.fixed:
        return None
    tasks = tuple(task.name for task in grid.tasks)
    placed = {grid.places[row.id]: row for row in result.fixed if row.id in grid.places}
    scores = _scores(grid, placed)
    missing = {
        recipe: tuple(task for task in tasks if (recipe, task) not in scores)
        for recipe in grid.recipes
    }
    complete = [recipe for recipe in grid.recipes if not missing[recipe]]
    left_out = {recipe: lacking for recipe, lacking in missing.items() if lacking}
    ranked = {(recipe, task): scores[recipe, task] for recipe in complete for task in tasks}
    seeds = sorted(set.intersection(*(set(part) for part in ranked.values()))) if ranked else []
    if len(complete) < 2 or not seeds:
        nan = math.nan
        return Ranking(tasks, len(seeds), (), (), nan, nan, nan, 0, left_out)
    array = np.array(
        [[[ranked[recipe, task][seed] for seed in seeds] for task in tasks] for recipe in complete]
    )  # (recipes, tasks, seeds)
    ranks = task_ranks(array)
    recipes = [
        _ranked(
            recipe, array[k], float(ranks[k].mean()), seeds, {t: placed[recipe, t] for t in tasks}
        )
        for k, recipe in enumerate(complete)
    ]
    recipes.sort(key=lambda recipe: (-recipe.iqm.estimate, recipe.mean_rank))
    statistic, p = friedman_test(ranks)
    probabilities = improvement_intervals(np.array([recipe.scores for recipe in recipes]))
    return Ranking(
        tasks,
        len(seeds),
        tuple(recipes),
        tuple(
            Improvement(of.name, to.name, probability)
            for (of, to), probability in zip(
                itertools.combinations(recipes, 2), probabilities, strict=True
            )
        ),
        statistic,
        p,
        critical_difference(len(recipes), len(tasks)),
        fewest_tasks(len(recipes)),
        left_out,
    )


def _scores(
    grid: TaskGrid, placed: Mapping[tuple[str, str], Row]
) -> dict[tuple[str, str], dict[int, float]]:
    """Returns the scores by seed of each recipe on each task, if they are all numbers.

    On a task with baselines the score is the skill, which is 0 for the best baseline.
    """
    scores = {}
    for task in grid.tasks:
        rows = {place: row for place, row in placed.items() if place[1] == task.name}
        by_skill = all(row.outcome.score == "skill" for row in rows.values())
        for place, row in rows.items():
            values = measure_values(row.outcome, "skill" if by_skill else "accuracy")
            if not by_skill and task.ceiling > task.chance:
                values = (values - task.chance) / (task.ceiling - task.chance)
            elif not by_skill:  # no network can be better than chance
                values = np.full(len(values), np.nan)
            if np.isfinite(values).all():
                seeds = sorted(row.outcome.seeds["seed"].tolist())
                scores[place] = dict(zip(seeds, values.tolist(), strict=True))
    return scores


def _ranked(
    name: str,
    scores: Floats,
    mean_rank: float,
    seeds: Sequence[int],
    rows: Mapping[str, Row],
) -> RankedRecipe:
    """Returns the record of a recipe with `scores` (tasks, seeds) and its row on each task."""
    tables = [row.outcome.seeds for row in rows.values()]
    solved = [table.loc[table["seed"].isin(seeds), "solved"].sum() for table in tables]
    rates = {task: row.outcome.solve_rate for task, row in rows.items()}
    low, high = profile_band(scores, THRESHOLDS)
    shares = performance_profile(scores, THRESHOLDS)
    return RankedRecipe(
        name=name,
        scores=tuple(tuple(map(float, row)) for row in scores),
        iqm=interquartile_mean_interval(scores),
        mean_rank=mean_rank,
        solved_tasks=tuple(task for task, rate in rates.items() if rate.low >= RELIABLE_RATE),
        solved=tuple(map(int, solved)),
        profile=pd.DataFrame({"threshold": THRESHOLDS, "share": shares, "low": low, "high": high}),
    )


def percent_interval(part: Bootstrapped) -> str:
    """Returns an estimate in percent with its interval, if it has one: `81.2 [70.1, 90.3]`."""
    text = f"{100 * part.estimate:.1f}"
    if math.isnan(part.low):
        return text
    return f"{text} [{100 * part.low:.1f}, {100 * part.high:.1f}]".replace("-", "−")


def _ends(part: Bootstrapped) -> list[float]:
    return [part.low, part.high]
