"""Sweep files: their schema, the recipes in them, and the task files that they need."""

from lstm_bench.sweeps._conditions import (
    CONDITIONS,
    PARENT_SETTINGS,
    applicable_settings,
    condition_as_text,
    overlay_settings,
    parents_of,
    setting_applies,
)
from lstm_bench.sweeps._entries import value_as_text
from lstm_bench.sweeps._overrides import parse_assignments
from lstm_bench.sweeps._published_trials import (
    Link,
    PublishedSequences,
    PublishedSuccess,
    check_published_trials,
)
from lstm_bench.sweeps._python_values import (
    TasksOrFiles,
    changed_recipe,
    override_words,
    search_document,
    sweep_source,
    task_list,
)
from lstm_bench.sweeps._schema import sweep_schema
from lstm_bench.sweeps._search import BATCH, Range, Search
from lstm_bench.sweeps._source import in_a_file, read_sweep
from lstm_bench.sweeps._sweep import (
    Sweep,
    find_sweep,
    load_sweep,
    sweep_over_file,
)
from lstm_bench.sweeps._task_definition import missing_parts
from lstm_bench.sweeps._task_documents import task_documents
from lstm_bench.sweeps._task_files import known_tasks, load_tasks, tasks_from_sources

__all__ = [
    "BATCH",
    "CONDITIONS",
    "PARENT_SETTINGS",
    "Link",
    "PublishedSequences",
    "PublishedSuccess",
    "Range",
    "Search",
    "Sweep",
    "TasksOrFiles",
    "applicable_settings",
    "changed_recipe",
    "check_published_trials",
    "condition_as_text",
    "find_sweep",
    "in_a_file",
    "known_tasks",
    "load_sweep",
    "load_tasks",
    "missing_parts",
    "overlay_settings",
    "override_words",
    "parents_of",
    "parse_assignments",
    "read_sweep",
    "search_document",
    "setting_applies",
    "sweep_over_file",
    "sweep_schema",
    "sweep_source",
    "task_documents",
    "task_list",
    "tasks_from_sources",
    "value_as_text",
]
