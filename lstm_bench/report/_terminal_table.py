"""The result of a sweep as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_bench.analysis import Findings, objective, sweep_findings
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._answer import summarize
from lstm_bench.report._baseline_page import headline_result
from lstm_bench.report._published_page import published_trials
from lstm_bench.report._summary import not_run
from lstm_bench.results import Outcome, Row, SweepData, counted, measure_mean, shorten
from lstm_bench.safety import printable_line

NAME = 1
"""The column of names, which are shortened where the terminal is narrow."""
MIN_NAME, MAX_NAME = 8, 100
MAX_FAILURES = 3
"""The reasons of this many failures are printed; the others are counted."""


def terminal_table(
    result: SweepData,
    limit: int = 6,
    findings: Findings | None = None,
    width: int | None = None,
) -> Table:
    """Returns the fixed recipes in the order of the file, then the finalists on fresh seeds.

    Without finalists, the best `limit` distinct recipes of the search. A recipe has one line: its
    id, what is in its name and not in all others, accuracy (or skill, if that was the objective)
    with the 95 % interval of its mean, seeds that solve the task, and its published figure with the
    verdict; finalists have a column with their score in the search. Lines below the table: the
    answer of the sweep, published trials, recipes that were not run, comparisons, memory spans,
    failures, and what the table leaves out. `findings` are computed if they are not given. With a
    `width`, in characters, names are shortened so that a recipe keeps to its line.
    """
    findings = findings or sweep_findings(result)
    title = Text(printable_line(result.title or result.name))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Differs", no_wrap=True)
    measure = "skill" if objective(result) == "skill" else "accuracy"
    solved = "Skill > 0" if measure == "skill" else "Solved"
    for heading in (f"{measure.capitalize()}, 95 %", solved, "Epochs"):
        table.add_column(heading, justify="right", no_wrap=True)
    finalists = findings.confirmations.finalists
    verdicts = {
        reproduction.row.id: reproduction.verdict.word
        for reproduction in findings.reproductions
        if reproduction.verdict is not None
    }
    published = bool(verdicts) or any(row.published_accuracy is not None for row in result.fixed)
    if published or finalists:  # one column for both: a terminal is narrow
        heading = "Published\nor search %" if finalists and published else "Published %"
        heading = heading if published else "Search %"
        table.add_column(heading, justify="right", no_wrap=True)
    searched = findings.confirmed or findings.searched[:limit]
    in_search = {row.row.id: f"{wording.percent(row.search.mean)} search" for row in finalists}
    shown = [*result.fixed, *searched]
    differing = _differing_parts(shown)
    lines_of = {
        row.id: [
            *_cells(row, differing[row.id], measure),
            *[in_search.get(row.id) or _published(row, verdicts)] * bool(published or finalists),
        ]
        for row in shown
    }
    room = _room_for_names(table, [*lines_of.values()], width)
    for row in shown:
        if result.fixed and searched and row is searched[0]:
            table.add_section()
        cells = lines_of[row.id]
        cells[NAME] = shorten(cells[NAME], room)
        best = findings.best is not None and row.id == findings.best.id and not findings.families
        table.add_row(*map(Text, cells), style="bold" if best else None)
    lines = _lines_below(findings, 0 if finalists else limit)
    table.caption = Text("\n".join(map(printable_line, lines))) if lines else None
    table.caption_justify = "left"
    return table


def _lines_below(findings: Findings, limit: int) -> list[str]:
    """Returns the lines below the table; the last ones count what it leaves out."""
    result = findings.result
    headline = headline_result(findings)
    answer = summarize(findings).answer
    trials = [text for text in published_trials(findings) if text != answer]
    lines = [answer, *trials, *not_run(result.not_run)]
    compared = (comparison.sentence for comparison in findings.comparisons)
    lines += [text for text in compared if text != answer]
    lines += [
        f"{family.id}: memory span ({family.axis} where half of the seeds solve the task) "
        + f"{family.half} {family.interval}".rstrip()
        for family in findings.families
    ]
    if findings.confirmed and findings.simplest.point is None and headline is None:
        lines.append(findings.simplest.sentence)
    lines += [f"{recipe.id} failed: {recipe.reason}" for recipe in result.failed[:MAX_FAILURES]]
    if len(result.failed) > MAX_FAILURES:
        count = counted(len(result.failed) - MAX_FAILURES, "recipe")
        lines.append(f"{count} more failed")
    if len(findings.searched) > limit:
        more = "more " if limit else ""
        count = counted(len(findings.searched) - limit, "searched recipe")
        lines.append(f"{count} {more}in the report")
    if result.unfinished:
        lines.append(f"{counted(result.unfinished, 'recipe')} without a result yet")
    return lines


def _differing_parts(rows: Sequence[Row]) -> dict[str, str]:
    """Returns what is in the name of each recipe and not in those of all others."""
    parts = {row.id: wording.full_name(row).split(", ") for row in rows}
    shared = set.intersection(*map(set, parts.values())) if len(parts) > 1 else set()
    return {
        id_: ", ".join(part for part in names if part not in shared) or names[0]
        for id_, names in parts.items()
    }


def _room_for_names(table: Table, lines: Sequence[Sequence[str]], width: int | None) -> int:
    """Returns how many characters a name may have so that the table is at most `width` wide."""
    if width is None:
        return MAX_NAME
    titles = [max(str(column.header).split("\n"), key=len) for column in table.columns]
    columns = zip(titles, *lines, strict=True)
    others = [max(map(len, cells)) for place, cells in enumerate(columns) if place != NAME]
    between = 2 * len(titles) + 2  # and at both edges
    return min(MAX_NAME, max(MIN_NAME, width - sum(others) - between))


def _cells(row: Row, name: str, measure: str) -> list[str]:
    mean, rate = measure_mean(row.outcome, measure), row.outcome.solve_rate
    return [
        printable_line(row.id),
        name,
        f"{wording.percent(mean.mean)} {wording.interval_or_reason(mean).partition(', n')[0]}",
        wording.solved_count(rate),
        wording.epochs_to_solve(row.outcome),
    ]


def _published(row: Row, verdicts: Mapping[str, str]) -> str:
    return f"{wording.percent(row.published_accuracy)} {verdicts.get(row.id, '')}".rstrip()


def prediction_table(outcome: Outcome) -> Table:
    """Returns every scored step of the best seed, with how many seeds were right there."""
    steps = text_tables.steps(tables.steps(outcome), bool(outcome.data), limit=None)
    table = Table(title="Every step of the best seed", title_justify="left", box=box.SIMPLE_HEAD)
    for title, numeric in zip(steps.titles, steps.numeric, strict=True):
        table.add_column(title, justify="right" if numeric else "left")
    for place, cells in enumerate(steps.rows):
        table.add_row(*map(Text, cells), style="red" if steps.mark(place) == "wrong" else None)
    return table
