"""A sweep's result as a table for the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from lstm_bench.report import tables
from lstm_bench.report import wording as w
from lstm_bench.results import Row, SweepResult

TITLES = ("Accuracy %", "95 % interval", "Solved", "Wilson 95 %", "Epochs", "Seconds")


def console_table(result: SweepResult, limit: int = 20) -> Table:
    """Returns the fixed recipes in the file's order, then the best `limit` searched ones.

    Repeated trials are listed once. What is left out is said below the table.
    """
    found = tables.distinct_trials(result)
    table = Table(title=Text(w.printable(result.title or result.name)), title_justify="left")
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Configuration", overflow="fold", min_width=16)
    for title in TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    published = any(row.published_accuracy is not None for row in result.fixed)
    if published:
        table.add_column("Published", justify="right", no_wrap=True)
    best = result.best.id if result.rows else None
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
        w.accuracy(accuracy),
        w.interval(accuracy),
        w.solved(rate),
        w.span(rate.low, rate.high),
        w.epochs(outcome),
        w.seconds(outcome.train_seconds),
    ]
    if published:
        cells.append(w.percent(row.published_accuracy))
    table.add_row(*map(Text, cells), style="bold" if row.id == best else None)
