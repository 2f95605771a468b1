"""A sweep's result as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_bench.analysis import ReportFacts, objective, report_facts, score, words_of
from lstm_bench.report import _baseline_page as naive_page
from lstm_bench.report import _wording as w
from lstm_bench.results import Row, SweepResult

TITLES = ("Solved %", "Epochs")
FAILURES = 3
"""Failures that are told one by one."""


def console_table(result: SweepResult, limit: int = 6, found: ReportFacts | None = None) -> Table:
    """Returns the fixed recipes in the file's order, then the finalists on fresh seeds.

    Without finalists the best `limit` searched recipes, repeated ones once. Under an accuracy (or
    the skill, where that was searched for) stands the 95 % interval of its mean, under a count of
    seeds the Wilson interval of the rate, under a published figure its verdict; a finalist stands
    beside what the search had scored it.
    Comparisons, horizons, the simplest recipe, failures and what is left out are said below.
    `found` spares finding it all again.
    """
    found = found or report_facts(result)
    heading = Text(w.printable(result.title or result.name))
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Configuration", min_width=12)
    measure = "skill" if objective(result) == "skill" else "accuracy"
    for title in (f"{measure.capitalize()} %", *TITLES):
        table.add_column(title, justify="right")
    words = words_of(found.verdicts)
    published = bool(words) or any(row.published_accuracy is not None for row in result.fixed)
    finalists = found.searched.confirmations.finalists
    if published or finalists:  # one column for both: the terminal's are narrow
        title = "Claimed %" if finalists else "Published"
        table.add_column(title, justify="right", no_wrap=True)
    below = found.confirmed or found.picked[:limit]
    before = {each.row.id: f"{w.percent(each.search.mean)}\nsearch" for each in finalists}
    best = found.best.id if found.best else None
    for row in [*result.fixed, *below]:
        if result.fixed and below and row is below[0]:
            table.add_section()
        claimed = before.get(row.id) or _published(row, words)
        extra = [claimed] if published or finalists else []
        cells = map(Text, [*_cells(row, measure), *extra])
        table.add_row(*cells, style="bold" if row.id == best else None)
    said = _said(found, 0 if finalists else limit)
    table.caption = Text("\n".join(map(w.printable, said))) if said else None
    table.caption_justify = "left"
    return table


def _said(found: ReportFacts, limit: int) -> list[str]:
    """Returns the lines below the table, the last of them on what it leaves out."""
    result = found.result
    first = naive_page.chosen(found)
    said = [first.sentence] if first else []
    said += [each.sentence for each in found.comparisons]
    said += [
        f"{family.id}: half of the seeds solve it at {family.axis} {family.half}"
        + f" {family.interval}".rstrip()
        for family in found.families
    ]
    if found.confirmed:
        said.append(found.searched.simplest.sentence)
    said += [f"{each.id} failed: {each.reason}" for each in result.failed[:FAILURES]]
    if len(result.failed) > FAILURES:
        said.append(f"{w.many(len(result.failed) - FAILURES, 'recipe')} more failed")
    if len(found.picked) > limit:
        more = "more " if limit else ""
        count = w.many(len(found.picked) - limit, "searched recipe")
        said.append(f"{count} {more}in the report")
    if result.unfinished:
        said.append(f"{w.many(result.unfinished, 'recipe')} without a result yet")
    return said


def _cells(row: Row, measure: str) -> list[str]:
    outcome = row.outcome
    mean, rate = score(outcome, measure), outcome.solve_rate
    interval = w.interval(mean).replace(", n", ",\nn")  # words, where there is none
    return [
        w.printable(row.id),
        w.printable(outcome.name),
        f"{w.accuracy(mean)}\n{interval}",
        f"{w.solved(rate)}\n{w.span(rate.low, rate.high)}",
        w.epochs(outcome),
    ]


def _published(row: Row, words: Mapping[str, str]) -> str:
    # A word a line: the terminal's columns are narrow, and the cells beside it are as high.
    word = words.get(row.id, "").replace(" ", "\n")
    return f"{w.percent(row.published_accuracy)}\n{word}".rstrip()
