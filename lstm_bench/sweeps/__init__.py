"""Sweep files: their schema, the recipes in them, and the task files that they need."""

from lstm_bench.sweeps._entries import overlay, spelt
from lstm_bench.sweeps._sweep import (
    Range,
    Search,
    Sweep,
    assignments,
    find_sweep,
    load_sweep,
    of_data,
)
from lstm_bench.sweeps._task_files import (
    Source,
    lacking,
    load_tasks,
    loaded_sources,
    task_place,
    use_sources,
)

__all__ = [
    "Range",
    "Search",
    "Source",
    "Sweep",
    "assignments",
    "find_sweep",
    "lacking",
    "load_sweep",
    "load_tasks",
    "loaded_sources",
    "of_data",
    "overlay",
    "spelt",
    "task_place",
    "use_sources",
]
