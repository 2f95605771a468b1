"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._baseline_file import forecast_with_baseline
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import complete_sweep, default_name, default_search, limit_rows
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import (
    PREPARED_FILES,
    Columns,
    Missing,
    PreparedFile,
    PreparedKey,
    Series,
    read_new_file,
)
from lstm_bench.data._time_reading import TimeFormat

__all__ = [
    "PREPARED_FILES",
    "Aggregate",
    "Columns",
    "CsvTask",
    "Missing",
    "PreparedFile",
    "PreparedKey",
    "Segment",
    "Series",
    "TargetKind",
    "TimeFormat",
    "complete_sweep",
    "default_name",
    "default_search",
    "forecast_with_baseline",
    "limit_rows",
    "network_inputs",
    "read_new_file",
]
