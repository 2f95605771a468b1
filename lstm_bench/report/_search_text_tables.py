"""What a search found as tables of text."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.analysis import (
    Ablation,
    ComparisonResult,
    Confirmations,
    Effect,
    Importance,
    ReportFacts,
    Split,
    plain_setting,
)
from lstm_bench.report import _wording as w
from lstm_bench.report._text_tables import Grid
from lstm_bench.results import Failed

POINTS_SHOWN = 30


def confirmation(told: Confirmations) -> Grid:
    """Returns the finalists, best on fresh seeds first, with what the search had promised."""
    mean = told.measure != "solve_rate"
    titles = (
        "Recipe",
        "Configuration",
        "Seeds, search",
        "Search score, %",
        "Fresh seeds",
        "Confirmed score, %",
        "95 % interval",
        "Optimism, points",
        "Solved",
        *["Wilson 95 %"] * mean,  # a solve rate has it already
    )
    cells = []
    for each in told.finalists:
        rate = each.row.outcome.solve_rate
        cells.append(
            (
                w.printable(each.row.id),
                w.printable(each.row.outcome.name),
                w.count(each.search.n),
                w.percent(each.search.mean),
                w.count(each.fresh.n),
                w.percent(each.fresh.mean),
                w.score_interval(each.fresh, told.measure),
                w.signed(each.optimism),
                w.solved(rate),
                *[w.span(rate.low, rate.high)] * mean,
            )
        )
    marks = tuple("best" if place == 0 else "" for place in range(len(cells)))
    return Grid(titles, (False, False, *[True] * (7 + mean)), tuple(cells), marks)


ROLES = {"fixed": "given seeds", "confirmed": "fresh seeds", "trial": "seeds that picked it"}


def front(found: ReportFacts) -> Grid:
    """Returns the recipes on the front and the confirmed ones, the cheapest first."""
    simplest = found.searched.simplest.point
    shown = [each for each in found.searched.front if each.best or each.row.role != "trial"]
    cells, marks = [], []
    for each in shown[:POINTS_SHOWN]:
        outcome = each.row.outcome
        cells.append(
            (
                w.printable(each.row.id),
                w.printable(outcome.name),
                w.count(outcome.parameters),
                w.count(outcome.updates),
                w.count(each.cost),
                w.solved(each.rate),
                w.span(each.rate.low, each.rate.high),
                ROLES.get(each.row.role, each.row.role),
                "yes" if each.best else "no",
            )
        )
        marks.append("best" if each is simplest else "")
    titles = (
        "Recipe",
        "Configuration",
        "Parameters",
        "Updates",
        "Cost",
        "Solved",
        "Wilson 95 %",
        "Scored on",
        "On the front",
    )
    numeric = (False, False, True, True, True, True, True, False, False)
    return Grid(titles, numeric, tuple(cells), tuple(marks))


def ablation(told: Sequence[Ablation]) -> Grid:
    """Returns what putting settings back changes, one row each."""
    several = len({each.base.id for each in told}) > 1
    measure = w.heading(told[0].score.asked.measure).capitalize()
    titles = ["Put back", *["In"] * several]
    titles += ["Seeds", "Solve rate, points", "95 % interval", "p, Holm", "Solve rate differs"]
    titles += [f"{measure}, points", "95 % interval", "p, Holm", f"{measure} differs"]
    cells = []
    for each in told:
        line = [w.printable(each.name), *[w.printable(each.base.id)] * several]
        found = each.rate.found
        line += [w.count(found.n if found else 0), *_difference(each.rate)]
        cells.append((*line, *_difference(each.score)))
    numeric = [not (each in ("Put back", "In") or each.endswith("differs")) for each in titles]
    return Grid(tuple(titles), tuple(numeric), tuple(cells))


def _difference(each: ComparisonResult) -> tuple[str, ...]:
    found = each.found
    if found is None:
        return (w.NONE, w.NONE, w.NONE, each.said)
    ends = w.between(found.low, found.high)
    if found.constant and each.asked.measure != "solve_rate":
        ends = f"equal on all {found.n}"
    return (w.signed(found.difference), ends, w.p_value(each.corrected), each.said)


def importance(told: Importance) -> Grid:
    """Returns the settings' importances in percent, the most important first."""
    scaled = told.seeds is not None
    titles = ["Setting", "fANOVA, %", *["fANOVA with the seeds' share, %"] * scaled]
    cells = [
        (
            w.heading(each.key),
            w.percent(each.fanova),
            *[w.percent(each.scaled)] * scaled,
            w.percent(each.ped_anova),
        )
        for each in told.weights
    ]
    if told.seeds is not None:
        cells.append(("seeds", w.NONE, w.percent(told.seeds.share), w.NONE))
    titles.append("PED-ANOVA, %")
    return Grid(tuple(titles), (False, *[True] * (len(titles) - 1)), tuple(cells))


def effects(told: Sequence[Effect]) -> Grid:
    """Returns the effect of each value of a switch, one row each."""
    cells = []
    for each in told:
        low, high = min(each.seeds), max(each.seeds)
        cells.append(
            (
                w.heading(each.axis),
                w.printable(plain_setting(each.value)),
                w.printable(plain_setting(each.reference)),
                w.count(each.found.n),
                str(low) if low == high else f"{low} to {high}",
                w.signed(each.found.difference),
                w.between(each.found.low, each.found.high),
                w.p_value(each.corrected),
                each.word,
            )
        )
    first = ("Switch", "Value", "Against", "Recipes, n", "Seeds of each")
    titles = (*first, "Mean effect, points", "95 % interval", "p, Holm", "Verdict")
    return Grid(titles, (False, False, False, *[True] * 5, False), tuple(cells))


SOURCES = {
    "data": "data",
    "init": "initial weights",
    "order": "order of training",
    "together": "only together",
}


def variance(told: Split) -> Grid:
    """Returns what the seeds of a recipe differ by."""
    cells = [
        (SOURCES[source], str(draws), w.percent(told.shares[source]))
        for source, draws in zip(SOURCES, (*told.draws, w.NONE), strict=True)
    ]
    return Grid(("Source", "Draws", "Share of the variance, %"), (False, True, True), tuple(cells))


def failed(told: Sequence[Failed]) -> Grid:
    """Returns the recipes that came to no score, and why."""
    cells = [tuple(map(w.printable, (each.id, each.name, each.reason))) for each in told]
    return Grid(("Recipe", "Configuration", "Why"), (False,) * 3, tuple(cells))
