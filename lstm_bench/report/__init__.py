"""Reports of sweeps: a page, a Markdown file, tables, figures, and a table for the terminal.

No module here imports TensorFlow, Keras, Optuna or MLflow. Equal results give equal bytes.
"""

from lstm_bench.report._folder import check_report_folder, written_by_report
from lstm_bench.report._sweep_result import SweepResult
from lstm_bench.report._terminal_table import prediction_table, terminal_table
from lstm_bench.report._write import write_report

__all__ = [
    "SweepResult",
    "check_report_folder",
    "prediction_table",
    "terminal_table",
    "write_report",
    "written_by_report",
]
