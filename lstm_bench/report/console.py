"""A sweep's result as a table for the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_bench.report import tables
from lstm_bench.report import wording as w
from lstm_bench.results import Row, SweepResult

TITLES = ("Accuracy %", "Solved %", "Epochs")


def console_table(result: SweepResult, limit: int = 6) -> Table:
    """Returns the fixed recipes in the file's order, then the best `limit` searched ones.

    Under an accuracy stands the 95 % interval of its mean, under a count of seeds the Wilson
    interval of the rate. Repeated trials are listed once; what is left out is said below.
    """
    found = tables.distinct_trials(result)
    heading = Text(w.printable(result.title or result.name))
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Configuration", min_width=16)
    for title in TITLES:
        table.add_column(title, justify="right")
    published = any(row.published_accuracy is not None for row in result.fixed)
    if published:
        table.add_column("Published", justify="right", no_wrap=True)
    best = result.best.id if result.best else None
    for row in result.fixed:
        _add(table, row, published, best)
    if result.fixed and found:
        table.add_section()
    for row, _ in found[:limit]:
        _add(table, row, published, best)
    said = []
    if len(found) > limit:
        said.append(f"{w.many(len(found) - limit, 'searched recipe')} more in the report")
    if result.unfinished:
        said.append(f"{w.many(result.unfinished, 'recipe')} without a result yet")
    table.caption = Text("; ".join(said)) if said else None
    return table


def _add(table: Table, row: Row, published: bool, best: str | None) -> None:
    outcome = row.outcome
    accuracy, rate = outcome.accuracy, outcome.solve_rate
    cells = [
        w.printable(row.id),
        w.printable(outcome.name),
        f"{w.accuracy(accuracy)}\n{w.interval(accuracy)}",
        f"{w.solved(rate)}\n{w.span(rate.low, rate.high)}",
        w.epochs(outcome),
    ]
    if published:
        cells.append(w.percent(row.published_accuracy))
    table.add_row(*map(Text, cells), style="bold" if row.id == best else None)
