"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import complete_sweep, default_name, default_search
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import Columns, Missing, Series, read_new_file
from lstm_bench.data._time_reading import TimeFormat

__all__ = [
    "Aggregate",
    "Columns",
    "CsvTask",
    "Missing",
    "Segment",
    "Series",
    "TargetKind",
    "TimeFormat",
    "complete_sweep",
    "default_name",
    "default_search",
    "network_inputs",
    "read_new_file",
]
