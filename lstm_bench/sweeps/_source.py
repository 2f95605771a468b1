"""Reads a sweep from a file, a name in a folder, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_bench.safety import check_path
from lstm_bench.sweeps._python_values import document_with_names
from lstm_bench.sweeps._sweep import Sweep, find_sweep, load_sweep, sweep_from_document
from lstm_bench.sweeps._task_files import load_tasks
from lstm_bench.tasks import Task


def read_sweep(
    source: str | Path | Mapping[str, Any],
    name: str,
    overrides: Sequence[str],
    folder: Path,
    tasks: Sequence[str | Path | type[Task]],
) -> Sweep:
    """Returns a sweep: a YAML file, the name of one in `folder`, or a mapping, called `name`.

    It may name the tasks in `tasks`, which are files or task classes.
    """
    if isinstance(source, Mapping):
        document, classes = document_with_names(source)
        return sweep_from_document(name, document, overrides, load_tasks([*tasks, *classes]))
    check_path("source", source)
    return load_sweep(find_sweep(str(source), folder), overrides, load_tasks(list(tasks)))
