"""The result of a sweep as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from lstm_bench.analysis import Findings, objective, sweep_findings
from lstm_bench.report import _wording as wording
from lstm_bench.report._baseline_page import headline_result
from lstm_bench.report._summary import not_run, published_trials
from lstm_bench.results import Row, SweepData, measure_mean
from lstm_bench.safety import printable_line

MAX_FAILURES = 3
"""The reasons of this many failures are printed; the others are counted."""


def terminal_table(result: SweepData, limit: int = 6, findings: Findings | None = None) -> Table:
    """Returns the fixed recipes in the order of the file, then the finalists on fresh seeds.

    Without finalists, the best `limit` distinct recipes of the search. Below an accuracy (or skill,
    if that was the objective) is the 95 % interval of its mean, below a count of seeds the Wilson
    interval of the rate, below a published figure its verdict; finalists have a column with their
    score in the search. Lines below the table: baselines, the ranking across tasks, published
    trials, recipes that were not run, comparisons, memory spans, the simplest recipe, failures, and
    what the table leaves out. `findings` are computed if they are not given.
    """
    findings = findings or sweep_findings(result)
    title = Text(printable_line(result.title or result.name))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recipe", no_wrap=True)
    table.add_column("Configuration", min_width=12)
    measure = "skill" if objective(result) == "skill" else "accuracy"
    for heading in (f"{measure.capitalize()} %", "Solved %", "Epochs"):
        table.add_column(heading, justify="right")
    finalists = findings.confirmations.finalists
    verdicts = {
        reproduction.row.id: reproduction.verdict.word
        for reproduction in findings.reproductions
        if reproduction.verdict is not None
    }
    published = bool(verdicts) or any(row.published_accuracy is not None for row in result.fixed)
    if published or finalists:  # one column for both: a terminal is narrow
        heading = "Published\nor search %" if finalists and published else "Published"
        heading = heading if published else "Search %"
        table.add_column(heading, justify="right", no_wrap=True)
    searched = findings.confirmed or findings.searched[:limit]
    in_search = {row.row.id: f"{wording.percent(row.search.mean)}\nsearch" for row in finalists}
    for row in [*result.fixed, *searched]:
        if result.fixed and searched and row is searched[0]:
            table.add_section()
        last = in_search.get(row.id) or _published(row, verdicts)
        cells = [*_cells(row, measure), *[last] * bool(published or finalists)]
        best = findings.best is not None and row.id == findings.best.id
        table.add_row(*map(Text, cells), style="bold" if best else None)
    lines = _lines_below(findings, 0 if finalists else limit)
    table.caption = Text("\n".join(map(printable_line, lines))) if lines else None
    table.caption_justify = "left"
    return table


def _lines_below(findings: Findings, limit: int) -> list[str]:
    """Returns the lines below the table; the last ones count what it leaves out."""
    result = findings.result
    headline = headline_result(findings)
    lines = [headline.sentence] if headline else []
    lines += [findings.ranking.sentence] if findings.ranking else []
    lines += published_trials(findings) + not_run(result.not_run)
    lines += [comparison.sentence for comparison in findings.comparisons]
    lines += [
        f"{family.id}: memory span ({family.axis} where half of the seeds solve the task) "
        + f"{family.half} {family.interval}".rstrip()
        for family in findings.families
    ]
    if findings.confirmed and (headline is None or headline.verdict == "better"):
        lines.append(findings.simplest.sentence)
    lines += [f"{recipe.id} failed: {recipe.reason}" for recipe in result.failed[:MAX_FAILURES]]
    if len(result.failed) > MAX_FAILURES:
        count = wording.counted(len(result.failed) - MAX_FAILURES, "recipe")
        lines.append(f"{count} more failed")
    if len(findings.searched) > limit:
        more = "more " if limit else ""
        count = wording.counted(len(findings.searched) - limit, "searched recipe")
        lines.append(f"{count} {more}in the report")
    if result.unfinished:
        lines.append(f"{wording.counted(result.unfinished, 'recipe')} without a result yet")
    return lines


def _cells(row: Row, measure: str) -> list[str]:
    outcome = row.outcome
    mean, rate = measure_mean(outcome, measure), outcome.solve_rate
    # Where there is no interval, its reasons take a line each.
    interval = wording.interval_or_reason(mean).replace(", n", ",\nn")
    return [
        printable_line(row.id),
        printable_line(outcome.name),
        f"{wording.mean_and_std(mean)}\n{interval}",
        f"{wording.solved_count(rate)}\n{wording.percent_interval(rate.low, rate.high)}",
        wording.epochs_to_solve(outcome),
    ]


def _published(row: Row, verdicts: Mapping[str, str]) -> str:
    # Each word of the verdict takes a line: the column is narrow, and its neighbours are as high.
    verdict = verdicts.get(row.id, "").replace(" ", "\n")
    return f"{wording.percent(row.published_accuracy)}\n{verdict}".rstrip()
