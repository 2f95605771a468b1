"""The results of a search as tables of text."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.analysis import (
    Ablation,
    Comparison,
    Confirmations,
    Effect,
    Findings,
    SettingImportances,
    WinnerVariance,
    plain_setting,
)
from lstm_bench.report import _wording as wording
from lstm_bench.report._text_table import TextTable
from lstm_bench.report._text_tables import solved_title
from lstm_bench.results import Failed
from lstm_bench.safety import printable_line

MAX_POINTS = 30


def confirmation(confirmations: Confirmations) -> TextTable:
    """Returns the finalists, best on fresh seeds first, with their score in the search."""
    wilson = confirmations.measure != "solve_rate"  # else it is the interval of the score
    finalists = confirmations.finalists
    score = finalists[0].row.outcome.score if finalists else ""
    titles = (
        "Recipe",
        "What it is",
        "Seeds, search",
        "Search score, %",
        "Fresh seeds",
        "Confirmed score, %",
        "95 % interval",
        "Optimism, points",
        solved_title([finalist.row for finalist in confirmations.finalists]),
        *[wording.rate_title(score)] * wilson,
    )
    cells = []
    for finalist in confirmations.finalists:
        rate = finalist.row.outcome.solve_rate
        cells.append(
            (
                printable_line(finalist.row.id),
                wording.short_name(finalist.row),
                wording.whole_number(finalist.search.n),
                wording.percent(finalist.search.mean),
                wording.whole_number(finalist.fresh.n),
                wording.percent(finalist.fresh.mean),
                wording.score_interval(finalist.fresh, confirmations.measure),
                wording.signed_points(finalist.optimism),
                wording.solved_count(rate),
                *[wording.percent_interval(rate.low, rate.high)] * wilson,
            )
        )
    marks = tuple("best" if index == 0 else "" for index in range(len(cells)))
    return TextTable(titles, (False, False, *[True] * (7 + wilson)), tuple(cells), marks)


SEEDS_OF_ROLE = {
    "fixed": "given seeds",
    "confirmed": "fresh seeds",
    "trial": "seeds that chose it",
}


def front(findings: Findings) -> TextTable:
    """Returns the recipes on the front, and the fixed and confirmed ones, the simplest first."""
    simplest = findings.simplest.point
    shown = [point for point in findings.front if point.on_front or point.row.role != "trial"]
    score = shown[0].row.outcome.score if shown else ""
    cells, marks = [], []
    for point in shown[:MAX_POINTS]:
        outcome = point.row.outcome
        cells.append(
            (
                printable_line(point.row.id),
                wording.short_name(point.row),
                wording.whole_number(outcome.parameters),
                wording.whole_number(outcome.updates),
                wording.whole_number(point.cost),
                wording.solved_count(point.rate),
                wording.percent_interval(point.rate.low, point.rate.high),
                SEEDS_OF_ROLE.get(point.row.role, point.row.role),
                "yes" if point.on_front else "no",
            )
        )
        marks.append("best" if point is simplest else "")
    titles = (
        "Recipe",
        "What it is",
        "Parameters",
        "Updates",
        "Cost",
        solved_title([point.row for point in shown]),
        wording.rate_title(score),
        "Scored on",
        "On the front",
    )
    numeric = (False, False, True, True, True, True, True, False, False)
    return TextTable(titles, numeric, tuple(cells), tuple(marks))


def ablation(ablations: Sequence[Ablation]) -> TextTable:
    """Returns the differences that ablations make, one row per ablation."""
    several = len({ablation.base.id for ablation in ablations}) > 1
    measure = wording.heading(ablations[0].score.question.measure).capitalize()
    titles = ["Ablation", *["In"] * several]
    titles += ["Seeds", "Solve rate, points", "95 % interval", "p, Holm", "Solve rate differs"]
    titles += [f"{measure}, points", "95 % interval", "p, Holm", f"{measure} differs"]
    cells = []
    for ablation in ablations:
        line = [printable_line(ablation.name), *[printable_line(ablation.base.id)] * several]
        line += [wording.whole_number(ablation.rate.n), *_difference(ablation.rate)]
        cells.append((*line, *_difference(ablation.score)))
    numeric = [not (title in ("Ablation", "In") or title.endswith("differs")) for title in titles]
    return TextTable(tuple(titles), tuple(numeric), tuple(cells))


def _difference(comparison: Comparison) -> tuple[str, ...]:
    """Returns four cells: difference, interval, corrected p value and verdict."""
    estimate = comparison.estimate
    if estimate is None:
        return (wording.NONE, wording.NONE, wording.NONE, comparison.conclusion)
    interval = wording.points_interval(estimate.low, estimate.high)
    if estimate.constant and comparison.question.measure != "solve_rate":
        interval = f"equal on all {estimate.n}"
    difference, p = wording.signed_points(estimate.difference), wording.p_value(comparison.p_holm)
    return (difference, interval, p, comparison.conclusion)


def importance(importances: SettingImportances) -> TextTable:
    """Returns the importance of every setting in percent, the most important first."""
    seeds = importances.seeds
    scaled = seeds is not None
    titles = ["Setting", "fANOVA, %", *["fANOVA with the share of seeds, %"] * scaled]
    titles += ["PED-ANOVA, %", "Alone, 95 %", "p"]
    cells = [
        (
            wording.heading(setting.key),
            wording.percent(setting.fanova),
            *[wording.percent(setting.scaled)] * scaled,
            wording.percent(setting.ped_anova),
            wording.percent_interval(setting.low, setting.high),
            wording.p_value(setting.p),
        )
        for setting in importances.settings
    ]
    if seeds is not None:
        ends = wording.percent_interval(seeds.low, seeds.high)
        cells.append(
            (
                "seeds",
                wording.NONE,
                wording.percent(seeds.fraction),
                wording.NONE,
                ends,
                wording.NONE,
            )
        )
    return TextTable(tuple(titles), (False, *[True] * (len(titles) - 1)), tuple(cells))


def effects(effects: Sequence[Effect]) -> TextTable:
    """Returns the effects of switches, one row per value."""
    cells = []
    for effect in effects:
        low, high = min(effect.seeds), max(effect.seeds)
        cells.append(
            (
                wording.heading(effect.axis),
                printable_line(plain_setting(effect.value)),
                printable_line(plain_setting(effect.reference)),
                wording.whole_number(effect.estimate.n),
                str(low) if low == high else f"{low} to {high}",
                wording.signed_points(effect.estimate.difference),
                wording.points_interval(effect.estimate.low, effect.estimate.high),
                wording.p_value(effect.p_holm),
                effect.conclusion,
            )
        )
    first = ("Switch", "Value", "Compared with", "Recipes, n", "Seeds per recipe")
    titles = (*first, "Mean effect, points", "95 % interval", "p, Holm", "Verdict")
    return TextTable(titles, (False, False, False, *[True] * 5, False), tuple(cells))


SOURCES = {
    "data": "data",
    "init": "initial weights",
    "order": "order of training",
    "together": "only in combination",
}


def variance(variance: WinnerVariance) -> TextTable:
    """Returns the variance components of one recipe."""
    cells = [
        (
            SOURCES[source],
            str(draws),
            wording.percent(variance.fractions[source]),
            wording.percent_interval(*variance.intervals[source]),
        )
        for source, draws in zip(SOURCES, (*variance.draws, wording.NONE), strict=True)
    ]
    titles = ("Source", "Draws", "Share of the variance, %", "95 % interval")
    return TextTable(titles, (False, True, True, True), tuple(cells))


def failed(recipes: Sequence[Failed]) -> TextTable:
    """Returns the recipes without a score, and the reasons."""
    cells = [tuple(map(printable_line, (row.id, row.name, row.reason))) for row in recipes]
    return TextTable(("Recipe", "Configuration", "Why"), (False,) * 3, tuple(cells))
