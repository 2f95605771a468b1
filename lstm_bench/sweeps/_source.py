"""Reads a sweep from a file, a name in a folder, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lstm_bench.safety import check_path
from lstm_bench.sweeps._python_values import document_with_names
from lstm_bench.sweeps._sweep import Sweep, find_sweep, load_sweep, sweep_from_document
from lstm_bench.sweeps._task_files import load_tasks
from lstm_bench.tasks import Task

_Named = TypeVar("_Named")


def in_a_file(what: _Named) -> _Named:
    """Returns `what`; raises `SweepError` if it is FILE.yaml:ID, and there is no such file.

    >>> in_a_file("nofile.yaml:A")
    Traceback (most recent call last):
    lstm_bench.errors.SweepError: sweep: there is no file 'nofile.yaml' (looked for in ...)
    """
    name, colon, _ = what.rpartition(":") if isinstance(what, str) else ("", "", "")
    if colon and name.endswith((".yaml", ".yml")):
        find_sweep(name)
    return what


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
