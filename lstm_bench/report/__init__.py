"""What a sweep found, as a page, a Markdown file, tables and figures; and as a table to print.

::

    tables       a result -> data frames: every number that is shown
    wording      numbers -> text: percentages, intervals, the summary's sentences
    grids        a result -> tables of text, ready to lay out
    figures      rows and data frames -> SVG
    page         all of it -> the files of a report, in memory
    folder       those files -> the disk, whole or not at all
    console      a result -> a table for the terminal

Nothing here imports TensorFlow, Keras, Optuna or MLflow, and equal results give equal bytes.
"""

from pathlib import Path

from lstm_bench.report.console import console_table
from lstm_bench.report.folder import replace
from lstm_bench.results import SweepResult

__all__ = ["console_table", "write_report"]


def write_report(result: SweepResult, folder: Path) -> Path:
    """Writes the report of `result` into `folder` and returns the path of its `index.html`.

    Besides the page, which needs no other file: `report.md`, `comparison.csv`, `seeds.csv`,
    `curves.csv`, `predictions.csv` and `figures/*.svg`. Files of an earlier report go; files that
    no report writes stay. Raises `StoreError` if `folder` cannot be written.
    """
    from lstm_bench.report.page import render

    replace(folder, render(result))
    return folder / "index.html"
