"""The tables of a report as text, ready to be laid out in HTML, Markdown or a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from lstm_bench.analysis import (
    ComparisonResult,
    Family,
    ReportFacts,
    ReproductionResult,
    is_stopped,
    score,
)
from lstm_bench.report import _tables as tables
from lstm_bench.report import _wording as w
from lstm_bench.results import Outcome, Row, SweepResult

TRIALS_SHOWN = 40
STEPS_SHOWN = 60
ANSWERS_SHOWN = 4


@dataclass(frozen=True)
class Grid:
    """A table of text: `numeric` tells which columns are aligned right, `marks` styles rows."""

    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()  # "", "best" or "wrong", one a row

    def mark(self, place: int) -> str:
        """Returns the style of the row at `place`."""
        return self.marks[place] if self.marks else ""


SCORED = "{} ± sd, %"
MEASURES = (
    "Seeds",
    SCORED,
    "95 % interval",
    "Solved",
    "Wilson 95 %",
    "Epochs to solve",
    "Parameters",
    "Updates",
    "Seconds",
)


def headings(rows: Sequence[Row]) -> list[str]:
    """Returns `MEASURES`, with what ranks the rows by its name."""
    return [title.format(tables.ranking(rows).capitalize()) for title in MEASURES]


def measures(outcome: Outcome) -> tuple[str, ...]:
    """Returns the cells under `MEASURES`."""
    mean, rate = score(outcome, outcome.score), outcome.solve_rate
    return (
        w.count(mean.n),
        w.accuracy(mean),
        w.interval(mean),
        w.solved(rate),
        w.span(rate.low, rate.high),
        w.epochs(outcome),
        w.count(outcome.parameters),
        w.count(outcome.updates),
        w.seconds(outcome.train_seconds),
    )


def _extra_titles(extras: Sequence[str]) -> list[str]:
    return [f"{extra.replace('_', ' ').capitalize()}, %" for extra in extras]


def _metric_titles(result: SweepResult) -> list[str]:
    return [w.heading(name).capitalize() for name in result.metrics]


def fixed(found: ReportFacts) -> Grid:
    """Returns the fixed recipes in the file's order."""
    result = found.result
    rows = result.fixed
    extras = tables.extra_scores(rows)
    named = _metric_titles(result)
    titles = ["Recipe", "Configuration", *headings(rows), *_extra_titles(extras), *named]
    numeric = [False, False, *[True] * (len(MEASURES) + len(extras) + len(named))]
    cells = []
    for row in rows:
        line = [w.printable(row.id), w.printable(row.outcome.name), *measures(row.outcome)]
        line += [w.percent(tables.score(row.outcome, extra)) for extra in extras]
        line += [w.figure(tables.score(row.outcome, name)) for name in result.metrics]
        cells.append(tuple(line))
    best = found.best.id if found.best else None
    marks = tuple("best" if row.id == best else "" for row in rows)
    return Grid(tuple(titles), tuple(numeric), tuple(cells), marks)


def refused(result: SweepResult) -> Grid:
    """Returns what the sweep shows to be refused, and why."""
    titles = ("Id", "Asked for", "Published", "Refused because")
    cells = [
        tuple(w.printable(each) for each in (r.id, r.asked, r.published or w.NONE, r.reason))
        for r in result.refused
    ]
    return Grid(titles, (False,) * 4, tuple(cells))


PUBLISHED = (
    "Recipe",
    "Published",
    "Accuracy ± sd, %",
    "95 % interval",
    "Spread of seeds",
    "Published lies",
    "Solved",
    "Wilson 95 %",
    "Verdict",
    "Why",
)


def published(judged: Sequence[ReproductionResult]) -> Grid:
    """Returns what was published beside ours, row by row, with its verdict."""
    cells = []
    for each in judged:
        row, placed, said = each.row, each.spread, each.verdict
        accuracy, rate = row.outcome.accuracy, row.outcome.solve_rate
        cells.append(
            (
                w.printable(row.id),
                _published(row),
                w.accuracy(accuracy),
                w.interval(accuracy),
                w.span(placed.low, placed.high) if placed else w.NONE,
                placed.place if placed else w.NONE,
                w.solved(rate),
                w.span(rate.low, rate.high),
                said.word if said else w.NONE,
                said.why if said else w.NONE,
            )
        )
    numeric = (False, False, True, True, True, False, True, True, False, False)
    return Grid(PUBLISHED, numeric, tuple(cells))


def comparisons(compared: Sequence[ComparisonResult]) -> Grid:
    """Returns the comparisons that the sweep asks for: what is claimed, and what is found."""
    claimed = any(each.asked.claim for each in compared)
    titles = ["Comparison", *["Claimed"] * claimed, "Finding", "p, Holm", "Verdict"]
    cells = []
    for each in compared:
        line = [w.printable(each.name)]
        line += [w.printable(each.asked.claim) or w.NONE] * claimed
        line += [w.printable(each.told), w.p_value(each.corrected), each.said]
        cells.append(tuple(line))
    numeric = tuple(title == "p, Holm" for title in titles)
    return Grid(tuple(titles), numeric, tuple(cells))


def horizon(families: Sequence[Family]) -> Grid:
    """Returns how far each family gets: solved seeds value by value, and where half are left."""
    values = sorted({value for family in families for value in family.horizon.values})
    axes = list(dict.fromkeys(family.axis for family in families))
    axis = w.heading(axes[0]) if len(axes) == 1 else "value"
    titles = ["Family", f"{axis.capitalize()} where half solve it", "95 % interval"]
    titles += [f"at {value:,g}" for value in values]
    cells = []
    for family in families:
        counted = {float(row.value): w.solved(row.outcome.solve_rate) for row in family.rows}
        line = [w.printable(family.id), family.half, family.interval or w.NONE]
        cells.append((*line, *(counted.get(value, w.NONE) for value in values)))
    return Grid(tuple(titles), (False, *[True] * (len(titles) - 1)), tuple(cells))


def shared_name(family: Family) -> str:
    """Returns the parts of the recipes' names that do not change along the axis."""
    parts = [row.outcome.name.split(", ") for row in family.rows]
    return ", ".join(part for part in parts[0] if all(part in other for other in parts))


def _published(row: Row) -> str:
    said, share = w.printable(row.published), row.published_accuracy
    if share is None:
        return said or "none"
    # The text often begins with the figure itself: then it is not said twice.
    figure = re.match(r"\s*(\d+(?:\.\d+)?) ?%", said)
    if figure and abs(float(figure[1]) - 100 * share) < 0.05:
        return said
    return w.percent(share, " %") + (f"; {said}" if said else "")


def trials(found: ReportFacts, limit: int = TRIALS_SHOWN) -> Grid:
    """Returns the searched recipes best first, at most `limit`, with the settings that vary.

    One that was stopped says so beside its number of seeds, and has no rank.
    """
    result, ranked = found.result, found.trials
    varying = tables.settings([row for row, _ in ranked])[1]
    extras = tables.extra_scores([row for row, _ in ranked])
    repeated = any(repeats for _, repeats in ranked)
    best = found.best.id if found.best else None
    cells, marks = [], []
    for place, (row, repeats) in enumerate(ranked[:limit], 1):
        chosen = [w.value(row.outcome.settings.get(key)) for key in varying]
        stopped = is_stopped(result, row)
        seeds, *rest = measures(row.outcome)
        line = [w.NONE if stopped else str(place), w.printable(row.id), *chosen]
        line += [f"{seeds}, stopped" if stopped else seeds, *rest]
        line += [w.percent(tables.score(row.outcome, extra)) for extra in extras]
        line += [w.figure(tables.score(row.outcome, name)) for name in result.metrics]
        line += [w.printable(", ".join(repeats)) or w.NONE] * repeated
        cells.append(tuple(line))
        marks.append("best" if row.id == best else "")
    numbers = [
        all(isinstance(row.outcome.settings.get(key, 0), int | float) for row, _ in ranked)
        and not any(isinstance(row.outcome.settings.get(key), bool) for row, _ in ranked)
        for key in varying
    ]
    named = _metric_titles(result)
    own = headings([row for row, _ in ranked])
    titles = ["Rank", "Recipe", *map(w.heading, varying), *own, *_extra_titles(extras), *named]
    numeric = [True, False, *numbers, *[True] * (len(MEASURES) + len(extras) + len(named))]
    titles += ["Proposed again as"] * repeated
    return Grid(tuple(titles), (*numeric, *[False] * repeated), tuple(cells), tuple(marks))


def settings(rows: Sequence[Row]) -> tuple[Grid, Grid]:
    """Returns the settings that all `rows` share, and those that differ, one row a recipe."""
    shared, varying = tables.settings(rows)
    common = pairs({w.heading(key): w.value(value) for key, value in shared.items()}, "Setting")
    cells = tuple(
        (w.printable(row.id), *(w.value(row.outcome.settings.get(key)) for key in varying))
        for row in rows
    )
    titles = ("Recipe", *map(w.heading, varying))
    return common, Grid(titles, (False,) * len(titles), cells)


def steps(frame: pd.DataFrame, dated: bool = False) -> Grid:
    """Returns the first rows of `tables.steps`: what was asked, and what the seeds said.

    `dated`: where the input stands the time of what is expected. Real values have their range.
    """
    real = pd.api.types.is_float_dtype(frame["expected"])
    frame = frame.head(STEPS_SHOWN)
    cells, marks = [], []
    for step in frame.to_dict("records"):
        cells.append(
            (
                str(step["sequence"]),
                str(step["step"]),
                w.symbol(step["input"]),
                w.symbol(step["expected"]),
                w.symbol(step["predicted"]),
                f"{step['right']}/{step['seeds']}",
                _range(step["answers"]) if real else _counts(step["answers"]),
            )
        )
        marks.append("" if step["correct"] else "wrong")
    asked, said = "Time" if dated else "Input", "Range of the seeds" if real else "Answers, seeds"
    titles = ("Sequence", "Step", asked, "Expected", "Predicted", "Right in", said)
    numeric = (True, True, False, False, False, True, False)
    return Grid(titles, numeric, tuple(cells), tuple(marks))


def _counts(answers: Sequence[tuple[str, int]]) -> str:
    told = [f"{w.symbol(answer)} ×{times}" for answer, times in answers]
    return ", ".join(told[:ANSWERS_SHOWN] + ["…"] * (len(told) > ANSWERS_SHOWN))


def _range(answers: Sequence[tuple[str, int]]) -> str:
    told = [float(answer) for answer, _ in answers]
    return f"{w.symbol(min(told))} to {w.symbol(max(told))}" if told else w.NONE


def search(found: ReportFacts) -> tuple[Grid, Grid]:
    """Returns how the search went about it, and what it could choose from."""
    result = found.result
    facts = dict(result.search or {})
    space = facts.pop("space", {})
    choices = space if isinstance(space, Mapping) else {"space": space}
    done = {"finished trials": len(result.trials), "distinct recipes": len(found.trials)}
    told = {w.heading(key): w.part_of_space(value) or w.NONE for key, value in facts.items()}
    told = {"trials asked for" if key == "trials" else key: text for key, text in told.items()}
    told |= {key: w.count(number) for key, number in done.items()}
    parts = {w.heading(key): w.part_of_space(part) for key, part in choices.items()}
    return pairs(told, "Search"), pairs(parts, "Setting", "Choices")


def provenance(result: SweepResult) -> Grid:
    """Returns where the numbers came from."""
    facts = {w.heading(key): w.printable(value) for key, value in result.provenance.items()}
    engines = sorted({row.outcome.engine for row in result.rows})
    if engines:
        facts.setdefault("engine", w.printable(", ".join(engines)))
    return pairs(facts, "What")


def pairs(facts: Mapping[str, str], first: str, second: str = "Value") -> Grid:
    """Returns a table of two columns."""
    return Grid((first, second), (False, False), tuple(facts.items()))
