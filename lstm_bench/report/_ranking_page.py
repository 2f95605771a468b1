"""The section of a page that ranks recipes across tasks, with its tables and its figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstm_bench.analysis import Findings, Ranking, percent_interval
from lstm_bench.report._sections import Block, Picture, Section
from lstm_bench.report._text_table import TextTable
from lstm_bench.results import (
    DASHES,
    GRID_COLOR,
    LINE_COLORS,
    LINE_WIDTH,
    MAX_CURVES,
    SMALL_FONT,
    counted,
    new_figure,
    shorten,
    styled,
)
from lstm_bench.safety import printable_line
from lstm_bench.statistics import RELIABLE_RATE, solve_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW_SEEDS = 10
"""With fewer seeds a bootstrap interval is clearly too narrow."""
FEW_TASKS = 10
FEW_RECIPES = 5
"""With so many tasks or recipes, or fewer, the p value of Friedman's test is approximate."""

SCORES = (
    "Score: 0 % is the chance level of the task, 100 % its ceiling, so that tasks can be compared; "
    "below 0 % is worse than chance. For data of your own it is the skill, 0 % for the best "
    "baseline."
)
READING_RECIPES = (
    SCORES,
    "Interquartile mean: of all runs of a recipe, pooled over tasks and seeds, the mean of the "
    "middle half: neither its best quarter of runs counts nor its worst, often those of the "
    "easiest and of the hardest tasks (Agarwal et al. 2021). The 95 % interval resamples the seeds "
    "within each task and keeps the tasks.",
    "Mean rank: the recipes are ranked on each task by their mean score, 1 is the best, and the "
    "ranks are averaged over the tasks.",
    "Runs solved: over all tasks. Tasks solved, with at least 16 seeds: the whole Wilson interval "
    f"of the solve rate is at or above {100 * RELIABLE_RATE:g} %.",
)
READING_IMPROVEMENT = (
    "The mean over the tasks of P(row above column) + P(equal) / 2, over all pairs of runs (Mann "
    "and Whitney 1947; Agarwal et al. 2021): 50 % is no difference. The interval resamples the "
    "seeds of both recipes within each task. It is not corrected for the number of pairs, and no "
    "verdict follows from it. Recipes share their seeds, so the interval is too wide rather than "
    "too narrow. A recipe may be ahead here, run by run on these tasks, although no difference of "
    "mean ranks is shown: that asks about other tasks.",
)


def sections(findings: Findings) -> list[Section]:
    """Returns the section; an empty list for a sweep that does not run recipes on several tasks."""
    ranking = findings.ranking
    if ranking is None:
        return []
    left_out = _left_out(ranking)
    if not ranking.recipes:
        sentences = (printable_line(ranking.statement), *left_out)
        return [Section("Across tasks", (Block("", sentences),))]
    blocks = [_recipes(ranking, left_out), _ranks(ranking), *_profiles(ranking)]
    return [Section("Across tasks", (*blocks, _improvement(ranking)))]


def data_frames(ranking: Ranking | None) -> dict[str, pd.DataFrame]:
    """Returns the tables of the CSV files by name."""
    if ranking is None or not ranking.recipes:
        return {}
    return {
        "ranking": ranking.table(),
        "ranking_scores": ranking.scores_table(),
        "profiles": ranking.profiles_table(),
        "improvement": ranking.improvements_table(),
    }


def _left_out(ranking: Ranking) -> list[str]:
    return [
        f"{printable_line(recipe)} is left out: it has no score on {', '.join(tasks)}."
        for recipe, tasks in ranking.missing.items()
    ]


def _recipes(ranking: Ranking, sentences: Sequence[str]) -> Block:
    """Returns the table of the recipes, and what few seeds cannot tell."""
    tasks, runs = len(ranking.tasks), len(ranking.tasks) * ranking.seeds
    telling = solve_rate([True] * ranking.seeds).low >= RELIABLE_RATE
    titles = ["Recipe", "Interquartile mean, %", "Mean rank", "Runs solved"]
    titles += ["Tasks solved"] * telling
    cells = tuple(
        (
            printable_line(recipe.name),
            percent_interval(recipe.iqm),
            f"{recipe.mean_rank:.2f}",
            f"{recipe.solved_runs}/{runs}",
            *[f"{len(recipe.solved_tasks)}/{tasks}"] * telling,
        )
        for recipe in ranking.recipes
    )
    table = TextTable(tuple(titles), (False, *[True] * (len(titles) - 1)), cells)
    caption = (
        f"Which recipe scores highest on these {tasks} tasks? "
        f"{counted(ranking.seeds, 'seed')} of each, "
        "the highest interquartile mean first. The intervals count chance from the seeds, not from "
        "the choice of tasks."
    )
    return Block("", tuple(sentences), None, table, caption, (*READING_RECIPES, *_few(ranking)))


def _few(ranking: Ranking) -> list[str]:
    """Returns what cannot be told from this number of seeds."""
    seeds, notes = ranking.seeds, []
    if seeds == 1:
        notes.append("One seed of each task gives no interval.")
    elif seeds < FEW_SEEDS:
        notes.append(
            f"{seeds} seeds of each task make these intervals too narrow: in simulations of five "
            "tasks, 95 % intervals hold the true value in 85 % of cases with 3 seeds, in 90 % with "
            "5 and in 92 % with 10."
        )
    intervals = [recipe.iqm for recipe in ranking.recipes]
    intervals += [pair.probability for pair in ranking.improvements]
    if seeds > 1 and any(math.isnan(part.low) for part in intervals):
        unseen = 1 - solve_rate([True] * seeds).low
        notes.append(
            "No interval is given where all resamples have the same value. That is no certainty: "
            f"after {seeds} equal seeds of a task, up to {100 * unseen:.0f} in a hundred further "
            "ones could still differ."
        )
    return notes


def _ranks(ranking: Ranking) -> Block:
    """Returns the scores by task, and what the mean ranks tell."""
    titles = ("Recipe", *map(printable_line, ranking.tasks), "Mean rank")
    cells = tuple(
        (
            printable_line(recipe.name),
            *(f"{100 * mean:.1f}".replace("-", "−") for mean in recipe.task_means),
            f"{recipe.mean_rank:.2f}",
        )
        for recipe in ranking.recipes
    )
    table = TextTable(titles, (False, *[True] * (len(titles) - 1)), cells)
    caption = (
        "Would the recipes rank the same way on further tasks like these? Mean score on each task, "
        "in percent. The test of the mean ranks counts chance from the choice of tasks; the seeds "
        "count only through the means."
    )
    notes = [
        "Friedman's test asks whether the recipes rank alike; if they do not, Nemenyi's critical "
        "difference holds for all pairs at once, at the 5 % level (Demšar 2006). Both take the "
        "tasks as drawn independently from all tasks that are of interest."
    ]
    if len(ranking.tasks) <= FEW_TASKS or len(ranking.recipes) <= FEW_RECIPES:
        notes.append(
            f"With up to {FEW_TASKS} tasks or {FEW_RECIPES} recipes the p value is approximate, "
            "and only large differences can be shown: not to tell recipes apart does not mean that "
            "they are equal."
        )
    statement = (printable_line(ranking.statement),)
    return Block("Ranks on each task", statement, None, table, caption, tuple(notes))


def _profiles(ranking: Ranking) -> list[Block]:
    """Returns the figures of the performance profiles, `MAX_CURVES` recipes in each."""
    blocks = []
    recipes = ranking.recipes
    for number, start in enumerate(range(0, len(recipes), MAX_CURVES), 1):
        part = recipes[start : start + MAX_CURVES]
        lines = [(printable_line(recipe.name), recipe.profile) for recipe in part]
        runs = len(ranking.tasks) * ranking.seeds
        band = " The band is pointwise, from resampling the seeds within each task."
        caption = (
            "How often does a run score above a given level? The share of the "
            f"{runs} runs of each recipe, over all tasks and seeds, with a score above the value "
            "on the axis; higher is better. Where lines cross, neither is above the other at every "
            f"level.{band if ranking.seeds > 1 else ''} It counts chance from the seeds."
        )
        stem = "profiles" if len(recipes) <= MAX_CURVES else f"profiles-{number}"
        picture = Picture(stem, _draw(lines), "Performance profiles", caption, column=True)
        blocks.append(Block("Performance profiles" if number == 1 else "", (), picture))
    return blocks


def _improvement(ranking: Ranking) -> Block:
    """Returns the table of the probabilities of improvement."""
    names = [recipe.name for recipe in ranking.recipes]
    pairs = {(pair.of, pair.to): pair.probability for pair in ranking.improvements}
    cells = tuple(
        (
            printable_line(of),
            *(percent_interval(pairs[of, to]) if (of, to) in pairs else "" for to in names[1:]),
        )
        for of in names[:-1]
    )
    titles = ("Recipe", *(f"against {printable_line(name)}" for name in names[1:]))
    table = TextTable(titles, (False, *[True] * (len(titles) - 1)), cells)
    caption = (
        "How likely is a run of the recipe in the row to score above one of the recipe in the "
        "column, on one of these tasks? In percent, with 95 % intervals that count chance from the "
        "seeds, not from the choice of tasks."
    )
    return Block("Probability of improvement", (), None, table, caption, READING_IMPROVEMENT)


@styled
def _draw(profiles: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Draws one step line per recipe with its light band."""
    figure = new_figure(2.6 + 0.16 * len(profiles))
    axes = figure.subplots()
    handles = []
    styles = zip(profiles, LINE_COLORS, DASHES, strict=False)
    for (_, frame), color, dash in styles:
        columns = ("threshold", "share", "low", "high")
        level, share, low, high = (100 * frame[name].to_numpy(float) for name in columns)
        if np.isfinite(low).all():
            axes.fill_between(level, low, high, step="post", color=color, alpha=0.08, linewidth=0)
        (line,) = axes.step(
            level, share, where="post", color=color, linestyle=dash, linewidth=LINE_WIDTH
        )
        handles.append(line)
    axes.set_xlabel("Score, % of the way from chance to the ceiling")
    axes.set_ylabel("Runs with a higher score, %")
    axes.set_xlim(-1, 101)
    axes.set_ylim(-3, 103)
    axes.grid(True, color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)
    names = [f"\u200b{shorten(name, 44)}" for name, _ in profiles]
    figure.legend(
        handles, names, loc="outside lower left", ncols=1, fontsize=SMALL_FONT, handlelength=4
    )
    return figure
