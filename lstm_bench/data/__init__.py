"""The user's own files: read, typed, split and scaled, with the baselines of the `csv` task."""

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import completed_sweep, default_name, default_search
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._sequences import Stretch, shown_to
from lstm_bench.data._series import Columns, Missing, Series, follow

__all__ = [
    "Columns",
    "CsvTask",
    "Missing",
    "Series",
    "Stretch",
    "TargetKind",
    "completed_sweep",
    "default_name",
    "default_search",
    "follow",
    "shown_to",
]
