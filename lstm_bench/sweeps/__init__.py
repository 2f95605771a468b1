"""Sweep files: their schema, the recipes in them, and the task files that they need."""

from lstm_bench.sweeps._entries import overlay_settings, settings_as_text
from lstm_bench.sweeps._sweep import (
    Range,
    Search,
    Sweep,
    find_sweep,
    load_sweep,
    parse_assignments,
    sweep_over_file,
)
from lstm_bench.sweeps._task_files import (
    TaskSource,
    load_tasks,
    loaded_sources,
    missing_parts,
    task_place,
    use_sources,
)

__all__ = [
    "Range",
    "Search",
    "Sweep",
    "TaskSource",
    "find_sweep",
    "load_sweep",
    "load_tasks",
    "loaded_sources",
    "missing_parts",
    "overlay_settings",
    "parse_assignments",
    "settings_as_text",
    "sweep_over_file",
    "task_place",
    "use_sources",
]
