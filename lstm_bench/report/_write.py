"""Writing a report: from the result of a sweep to files."""

from pathlib import Path

from lstm_bench.analysis import Findings
from lstm_bench.report._folder import replace_report
from lstm_bench.results import SweepData


def write_report(result: SweepData, folder: Path, findings: Findings | None = None) -> Path:
    """Writes the report of `result` into `folder` and returns the path of its `index.html`.

    The page needs no other file. There are also `report.md`, `comparison.csv`, `seeds.csv`,
    `curves.csv`, `predictions.csv`, further tables of findings, and `figures/*.svg`. Files of an
    earlier report are deleted; files that no report has written stay. `findings` are computed if
    they are not given. Raises `StoreError` if `folder` cannot be written.
    """
    from lstm_bench.report._page import render

    replace_report(folder, render(result, findings))
    return folder / "index.html"
