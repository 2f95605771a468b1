"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._columns import Columns, Missing, Series, TargetKind
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import complete_sweep, default_name, default_search
from lstm_bench.data._new_file import file_notes, forecast_end
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import read_new_file

__all__ = [
    "Aggregate",
    "Columns",
    "CsvTask",
    "Missing",
    "Segment",
    "Series",
    "TargetKind",
    "complete_sweep",
    "default_name",
    "default_search",
    "file_notes",
    "forecast_end",
    "network_inputs",
    "read_new_file",
]
