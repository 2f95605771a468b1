"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import (
    complete_sweep,
    default_name,
    default_search,
    default_settings,
)
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import Columns, Missing, Series, read_new_file

__all__ = [
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
    "network_inputs",
    "read_new_file",
]
