"""Sweep files: their schema, the recipes in them, and the task files that they need."""

from lstm_bench.sweeps._conditions import (
    CONDITIONS,
    PARENT_SETTINGS,
    applicable_settings,
    condition_as_text,
    overlay_settings,
    setting_applies,
)
from lstm_bench.sweeps._entries import value_as_text
from lstm_bench.sweeps._python_values import (
    changed_recipe,
    override_words,
    plain_document,
    search_document,
    task_file,
    task_settings,
)
from lstm_bench.sweeps._search import Range, Search
from lstm_bench.sweeps._sweep import (
    Sweep,
    find_sweep,
    load_sweep,
    parse_assignments,
    sweep_from_document,
    sweep_over_file,
)
from lstm_bench.sweeps._task_documents import task_documents
from lstm_bench.sweeps._task_files import (
    TaskSource,
    load_tasks,
    loaded_sources,
    missing_parts,
    task_place,
    use_sources,
)

__all__ = [
    "CONDITIONS",
    "PARENT_SETTINGS",
    "Range",
    "Search",
    "Sweep",
    "TaskSource",
    "applicable_settings",
    "changed_recipe",
    "condition_as_text",
    "find_sweep",
    "load_sweep",
    "load_tasks",
    "loaded_sources",
    "missing_parts",
    "overlay_settings",
    "override_words",
    "parse_assignments",
    "plain_document",
    "search_document",
    "setting_applies",
    "sweep_from_document",
    "sweep_over_file",
    "task_documents",
    "task_file",
    "task_place",
    "task_settings",
    "use_sources",
    "value_as_text",
]
