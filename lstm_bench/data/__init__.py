"""The user's CSV files: reading, inference, splitting and scaling; baselines; the `csv` task."""

from lstm_bench.data._csv_task import CsvTask, reading_settings
from lstm_bench.data._default_search import (
    complete_sweep,
    default_name,
    default_search,
    default_settings,
)
from lstm_bench.data._frames import frame_settings
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._sequences import Segment, network_inputs
from lstm_bench.data._series import Columns, Missing, Series, read_new_file
from lstm_bench.data._table import Reading

__all__ = [
    "Columns",
    "CsvTask",
    "Missing",
    "Reading",
    "Segment",
    "Series",
    "TargetKind",
    "complete_sweep",
    "default_name",
    "default_search",
    "default_settings",
    "frame_settings",
    "network_inputs",
    "read_new_file",
    "reading_settings",
]
