"""A sweep's result as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_bench import findings
from lstm_bench.report import tables
from lstm_bench.report import wording as w
from lstm_bench.results import Row, SweepResult

TITLES = ("Accuracy %", "Solved %", "Epochs")


def console_table(result: SweepResult, limit: int = 6) -> Table:
    """Returns the fixed recipes in the file's order, then the best `limit` searched ones.

    Under an accuracy stands the 95 % interval of its mean, under a count of seeds the Wilson
    interval of the rate, under a published figure its verdict. Repeated trials are listed once;
    comparisons, horizons and what is left out are said below.
    """
    found = tables.distinct_trials(result)
    heading = Text(w.printable(result.title or result.name))
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Configuration", min_width=12)
    for title in TITLES:
        table.add_column(title, justify="right")
    words = findings.words_of(findings.verdicts(result))
    published = bool(words) or any(row.published_accuracy is not None for row in result.fixed)
    if published:
        table.add_column("Published", justify="right", no_wrap=True)
    best = result.best.id if result.best else None
    for row in result.fixed:
        _add(table, row, published, words, best)
    if result.fixed and found:
        table.add_section()
    for row, _ in found[:limit]:
        _add(table, row, published, words, best)
    said = [each.sentence for each in findings.comparisons(result)]
    said += [
        f"{family.id}: half of the seeds solve it at {family.axis} {family.half}"
        + f" {family.interval}".rstrip()
        for family in findings.families(result)
    ]
    if len(found) > limit:
        said.append(f"{w.many(len(found) - limit, 'searched recipe')} more in the report")
    if result.unfinished:
        said.append(f"{w.many(result.unfinished, 'recipe')} without a result yet")
    table.caption = Text("\n".join(map(w.printable, said))) if said else None
    table.caption_justify = "left"
    return table


def _add(
    table: Table, row: Row, published: bool, words: Mapping[str, str], best: str | None
) -> None:
    outcome = row.outcome
    accuracy, rate = outcome.accuracy, outcome.solve_rate
    interval = w.interval(accuracy).replace(", n", ",\nn")  # words, where there is none
    cells = [
        w.printable(row.id),
        w.printable(outcome.name),
        f"{w.accuracy(accuracy)}\n{interval}",
        f"{w.solved(rate)}\n{w.span(rate.low, rate.high)}",
        w.epochs(outcome),
    ]
    if published:
        # A word a line: the terminal's columns are narrow, and the cells beside it are as high.
        word = words.get(row.id, "").replace(" ", "\n")
        cells.append(f"{w.percent(row.published_accuracy)}\n{word}".rstrip())
    table.add_row(*map(Text, cells), style="bold" if row.id == best else None)
