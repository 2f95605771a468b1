"""A report, from a result to its files on the disk."""

from pathlib import Path

from lstm_bench.analysis import ReportFacts
from lstm_bench.report._folder import replace
from lstm_bench.results import SweepResult


def write_report(result: SweepResult, folder: Path, found: ReportFacts | None = None) -> Path:
    """Writes the report of `result` into `folder` and returns the path of its `index.html`.

    Besides the page, which needs no other file: `report.md`, `comparison.csv`, `seeds.csv`,
    `curves.csv`, `predictions.csv` and `figures/*.svg`. Files of an earlier report go; files that
    no report has written stay. `found`, of `find(result)`, spares finding it all again. Raises
    `StoreError` if `folder` cannot be written.
    """
    from lstm_bench.report._page import render

    replace(folder, render(result, found))
    return folder / "index.html"
