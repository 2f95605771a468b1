"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._baseline_file import forecast_with_baseline
from lstm_bench.data._columns import Columns, Missing, Series, TargetKind
from lstm_bench.data._csv_task import CsvTask, reading_settings
from lstm_bench.data._default_search import (
    complete_sweep,
    default_name,
    default_search,
    default_settings,
    limit_rows,
)
from lstm_bench.data._frames import frame_settings
from lstm_bench.data._new_file import file_notes, forecast_end
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import read_new_file
from lstm_bench.data._sharing import share_between_processes

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
    "default_settings",
    "file_notes",
    "forecast_end",
    "forecast_with_baseline",
    "frame_settings",
    "limit_rows",
    "network_inputs",
    "read_new_file",
    "reading_settings",
    "share_between_processes",
]
