"""What a sweep found, as a page, a Markdown file, tables and figures; and as a table to print.

::

    found        a result -> all that is to be told of it, found once
    tables       that -> data frames: every number that is shown
    wording      numbers -> text: percentages, intervals
    summary      the first sentences
    grids        tables of text, ready to lay out
    figures      rows and data frames -> SVG
    sections     what a page is put together from
    page         all of it -> the files of a report, in memory
    folder       those files -> the disk, whole or not at all
    console      a result -> a table for the terminal

`search_tables`, `search_grids`, `search_figures`, `effect_figures` and `search_page` do the same
for what only a search has.

Nothing here imports TensorFlow, Keras, Optuna or MLflow, and equal results give equal bytes.
"""

from lstm_bench.report._console import console_table
from lstm_bench.report._folder import check, written_by_report
from lstm_bench.report._writing import write_report

__all__ = ["check", "console_table", "write_report", "written_by_report"]
