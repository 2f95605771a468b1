"""The section of a page about forecast intervals, with its table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from lstm_bench.analysis import Findings, IntervalResult, amount
from lstm_bench.report import _wording as wording
from lstm_bench.report._sections import Block, Section
from lstm_bench.report._text_table import TextTable
from lstm_bench.results import counted
from lstm_bench.safety import printable_line
from lstm_bench.statistics import MAX_BLOCKS, Coverage

VERDICTS = {
    "agrees": "agrees",
    "cannot tell": "cannot tell",
    "below": "below nominal",
    "above": "above nominal",
}

READING = (
    "An interval is the forecast plus and minus one number, the same at every step (split "
    "conformal prediction, Lei et al. 2018): with n rows, the ceil((n + 1) 0.8)-th smallest "
    "absolute error, or of 0.95, on the validation set, on which the recipe was chosen. These "
    "errors are of the networks of the search, which were not trained on that part, over all "
    "their seeds together; the network that forecasts was trained on that part too.",
    "So it is assumed that the errors of later rows are like those of the validation set: that "
    "the data go on as before, that more training data change the errors little, and that the "
    "choice of the recipe by its score on these rows made them little smaller than they would "
    "be elsewhere. The table shows what became of this on the test set: the share of "
    "steps in their interval, over all seeds.",
    "Binomial: Wilson's interval, as if steps were independent. Blocks: counts the seeds and up "
    f"to {MAX_BLOCKS} blocks of adjacent steps, as the interval of the gain over a baseline "
    "does; there is none with too few steps, or if all steps are covered, and then no verdict. A "
    "coverage is called below or above nominal if both exclude the nominal one, and agrees "
    "otherwise; the verdicts of parts are not corrected for their number. All parts of the best "
    "recipe are listed, of the others those that are off nominal. Of several series, "
    "those with the largest errors are listed, each under the first time that is scored in it.",
)


def data_frame(results: Sequence[IntervalResult]) -> pd.DataFrame:
    """Returns one row per recipe, part of the steps and level: coverage, and its intervals."""
    return pd.DataFrame([record for result in results for record in result.records()])


def sections(findings: Findings) -> list[Section]:
    """Returns the section; an empty list if no recipe has forecast intervals."""
    results = findings.intervals
    if not results:
        return []
    best = findings.best.id if findings.best else None
    first = next((result for result in results if result.row.id == best), results[0])
    steps = counted(max(c.steps for result in results for c in result.coverages), "step")
    caption = f"Coverage of forecast intervals on {steps} that were not trained on"
    table = _table([first, *(result for result in results if result is not first)])
    sentences = (printable_line(first.sentence),)
    return [Section("Forecast intervals", (Block("", sentences, None, table, caption, READING),))]


def _table(results: Sequence[IntervalResult]) -> TextTable:
    """Returns the coverage of all recipes, and in parts of the steps.

    All parts of the first recipe are listed, of the others those that are off the nominal coverage.
    """
    titles = ("Id", "Steps", "Level", "Plus and minus", "Validation rows", "Coverage", "Binomial",
              "Blocks", "Verdict")  # fmt: skip
    numeric = (False, False, *[True] * 6, False)
    lines = [_cells(results[0], "all", coverage) for coverage in results[0].coverages]
    marks = ["best"] * len(lines)
    lines += [_cells(results[0], name, coverage) for name, coverage in results[0].parts]
    for result in results[1:]:
        lines += [_cells(result, "all", coverage) for coverage in result.coverages]
        lines += [_cells(result, name, coverage) for name, coverage in result.misses]
    return TextTable(titles, numeric, tuple(lines), tuple(marks + [""] * (len(lines) - len(marks))))


def _cells(result: IntervalResult, part: str, coverage: Coverage) -> tuple[str, ...]:
    blocks = wording.NONE
    if not math.isnan(coverage.blocks[0]):
        blocks = wording.percent_interval(*coverage.blocks)
    return (
        printable_line(result.row.id),
        printable_line(part),
        f"{coverage.level} %",
        amount(result.half_widths[coverage.level], True),
        wording.whole_number(result.calibration_rows),
        wording.percent(coverage.share, " %"),
        wording.percent_interval(*coverage.binomial),
        blocks,
        VERDICTS[coverage.verdict],
    )
