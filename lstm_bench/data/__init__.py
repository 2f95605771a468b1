"""The user's own files: read, typed, split and scaled, with the baselines of the `csv` task."""

from lstm_bench.data._csv_task import Csv
from lstm_bench.data._default_search import completed, named, usual
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._sequences import Stretch, shown_to
from lstm_bench.data._series import Columns, Missing, Series, follow

__all__ = [
    "Columns",
    "Csv",
    "Missing",
    "Series",
    "Stretch",
    "TargetKind",
    "completed",
    "follow",
    "named",
    "shown_to",
    "usual",
]
