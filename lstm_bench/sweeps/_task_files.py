"""Tasks that are not of this package: from Python files of the user's, and from other packages.

`load` makes them part of `TASKS`, where every command finds a task. What it has loaded is a tuple
of `Source`, each with the text of its file, so that worker processes have the very same tasks
even if a file is edited meanwhile.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.metadata
import re
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from lstm_bench.errors import TaskError, unknown
from lstm_bench.recipes import FRAMINGS, OUTPUT_LAYERS, TASKS, Recipe, known_settings
from lstm_bench.safety import pydantic_faults
from lstm_bench.tasks import Task, error_origin, is_built_in

GROUP = "lstm_bench.tasks"
"""The entry points that installed packages give their tasks by."""

HOW = "see `A task of your own` in the README"


@dataclass(frozen=True)
class TaskSource:
    """Where tasks come from: a file as it was when it was read, or a package's entry point."""

    place: str  # what messages call it
    path: str = ""  # of a file, absolute
    content: bytes = b""  # of a file
    entry: str = ""  # of a package: "module:name"


@dataclass(frozen=True)
class _Loaded:
    sources: tuple[TaskSource, ...] = ()
    places: tuple[tuple[str, str], ...] = ()  # name of a task, and where it is from


_state = [_Loaded()]  # what TASKS holds beside our own; replaced as a whole


def load_tasks(files: Iterable[str | Path] = ()) -> list[str]:
    """Makes `TASKS` hold our own tasks, those of `files`, those of packages, and no others.

    Returns warnings of packages whose tasks cannot be had. Raises `TaskError` for a file that
    cannot be loaded, a task that lacks something, and two tasks of one name; then nothing changes.
    """
    sources = _distinct(map(_read, map(Path, files)))
    packaged, warnings = _packaged()
    every = {**packaged, **{source: _tasks(source) for source in sources}}
    _commit(tuple(every), _named(every))
    return warnings


def use_sources(sources: tuple[TaskSource, ...]) -> None:
    """Makes `TASKS` hold our own tasks and those of `sources`: what `loaded` was elsewhere."""
    if sources != loaded_sources():
        _commit(sources, _named({source: _tasks(source) for source in sources}))


def loaded_sources() -> tuple[TaskSource, ...]:
    """Returns what `TASKS` holds beside our own tasks."""
    return _state[0].sources


def task_place(name: str) -> str:
    """Returns the file and line, or the package, that the task `name` is from; "" for ours."""
    return dict(_state[0].places).get(name, "")


def _commit(sources: tuple[TaskSource, ...], found: dict[str, tuple[type[Task], str]]) -> None:
    for name, _ in _state[0].places:
        TASKS.pop(name, None)
    TASKS.update({name: task for name, (task, _) in found.items()})
    _state[0] = _Loaded(sources, tuple((name, where) for name, (_, where) in found.items()))


# ---- Files


def _distinct(sources: Iterable[TaskSource]) -> list[TaskSource]:
    """Returns `sources` without files that are named twice; the last one stays."""
    return list({source.path: source for source in reversed(list(sources))}.values())[::-1]


def _read(path: Path) -> TaskSource:
    if not path.exists():
        raise TaskError(f"--tasks: there is no file {path}; give the Python file of a task")
    if path.suffix != ".py" or not path.is_file():
        raise TaskError(f"--tasks: must be a Python file, named like my_task.py, but got {path}")
    try:
        return TaskSource(str(path), str(path.resolve()), path.read_bytes())
    except OSError as error:
        raise TaskError(f"--tasks: {path} cannot be read ({error.strerror})") from error


def _executed(source: TaskSource) -> types.ModuleType:
    """Returns the module that the text of a file makes. What it prints goes to standard error."""
    path = Path(source.path)
    name = f"{path.stem}_{hashlib.sha256(source.path.encode()).hexdigest()[:8]}"
    module = types.ModuleType(name)
    module.__file__ = source.path
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # what lies beside it may be imported
    sys.modules[name] = module  # where annotations are looked up
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(source.content, source.path, "exec"), vars(module))
    except SyntaxError as error:
        told = f"line {error.lineno} is no Python: {error.msg}"
        raise TaskError(f"{source.place}: {told}") from error
    except TaskError as error:
        raise TaskError(f"{source.place}: {error}") from error
    except SystemExit as error:
        rule = "must define tasks and nothing else, but calls sys.exit()"
        guard = "put what runs under `if __name__ == ...`"
        raise TaskError(f"{source.place}: {rule} when it is imported; {guard}") from error
    except Exception as error:
        told = f"must be importable, but raised {error_origin(error, source.path)}"
        raise TaskError(f"{source.place}: {told}") from error
    return module


def _tasks(source: TaskSource) -> list[type[Task]]:
    """Returns the tasks of a file or of an entry point, each of them complete."""
    if source.entry:
        found = _of_entry(source)
    else:
        module = _executed(source)
        found = [task for task in _in(module) if task.__module__ == module.__name__]
    if not found:
        raise TaskError(f"{source.place}: must hold at least one task, but has none; {HOW}")
    for task in found:
        missing = missing_parts(task)
        if missing:
            raise TaskError(f"{_where(source, task)}: {task.__name__} {missing}")
    return found


def _in(module: types.ModuleType) -> list[type[Task]]:
    """Returns the tasks that a module names. An underscore makes a class a base of others."""
    found = (each for name, each in vars(module).items() if not name.startswith("_"))
    return list(dict.fromkeys(e for e in found if isinstance(e, type) and issubclass(e, Task)))


def _where(source: TaskSource, task: type[Task]) -> str:
    """Returns the place of a task: its file with the line, or its package."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    lines = [
        node.lineno
        for node in ast.parse(source.content).body
        if isinstance(node, kinds) and node.name == task.__name__
    ]
    return f"{source.place}, line {lines[-1]}" if lines else source.place


# ---- Packages


def _packaged() -> tuple[dict[TaskSource, list[type[Task]]], list[str]]:
    """Returns the tasks of each entry point, and a warning for each that cannot be had."""
    found: dict[TaskSource, list[type[Task]]] = {}
    warnings = []
    for point in sorted(importlib.metadata.entry_points(group=GROUP)):
        package = point.dist.name if point.dist else "a package"
        source = TaskSource(f"entry point {point.name!r} of {package}", entry=point.value)
        try:
            tasks = _tasks(source)
            _named({**found, source: tasks})
            found[source] = tasks
        except TaskError as error:
            told = str(error).replace("\n", " ")
            warnings.append(f"{told}; its tasks are left out: update or remove that package")
    return found, warnings


def _of_entry(source: TaskSource) -> list[type[Task]]:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found = importlib.metadata.EntryPoint("", source.entry, GROUP).load()
    except (Exception, SystemExit) as error:
        rule = f"{source.place}: {source.entry} must be importable"
        raise TaskError(f"{rule}, but raised {error_origin(error)}") from error
    if isinstance(found, types.ModuleType):
        package = found.__name__.partition(".")[0]
        return [task for task in _in(found) if task.__module__.partition(".")[0] == package]
    return [found] if isinstance(found, type) and issubclass(found, Task) else []


# ---- Tasks


def _named(given: Mapping[TaskSource, list[type[Task]]]) -> dict[str, tuple[type[Task], str]]:
    """Returns tasks by name, each with its place; raises `TaskError` where two have one name."""
    found: dict[str, tuple[type[Task], str]] = {}
    for source, tasks in given.items():
        for task in tasks:
            name, where = task.name, _where(source, task)
            own = name in TASKS and is_built_in(TASKS[name])
            other = "lstm-bench itself" if own else found[name][1] if name in found else ""
            if other:
                rule = f"two tasks are named {name!r}, in {other} and here"
                raise TaskError(f"{where}: {rule}; give one of them another `name`")
            found[name] = task, where
    return found


def missing_parts(task: type[Task]) -> str:
    """Returns what a class lacks to be a task, or nothing."""
    missing = sorted(task.__abstractmethods__)
    name = getattr(task, "name", None)
    if name is None:
        missing = ["name", *missing]
    if missing:
        return f"must state {', '.join(missing)}, but does not; {HOW}"
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        return f"must have a name of letters, digits, _ and -, but got {name!r}"
    if task.kind not in OUTPUT_LAYERS:
        return f"must be of kind {', '.join(OUTPUT_LAYERS)}, but got {task.kind!r}"
    taken = sorted(set(task.model_fields) & taken_names())
    if taken:
        word = "is a word" if len(taken) == 1 else "are words"
        return f"must name its parameters otherwise: {', '.join(taken)} {word} of recipes or sweeps"
    if not isinstance(task.defaults, Mapping):
        return f"must have a mapping of settings as `defaults`, but got {task.defaults!r}"
    known = known_settings(task)
    for key in task.defaults:
        if key not in known:
            return f"must have settings alone in `defaults`, but {unknown('setting', key, known)}"
    try:
        task()
    except ValidationError as error:
        faults = "; ".join(map(str, pydantic_faults(error, {})))
        return f"must be possible without parameters, each having a default, but {faults}"
    except Exception as error:
        return f"must be possible without parameters, but raised {error_origin(error)}"
    return ""


def taken_names() -> set[str]:
    """Returns what no parameter of a task may be called: the words of recipes and sweep files."""
    from lstm_bench.sweeps._entries import RESERVED  # here, for they take half a second to import
    from lstm_bench.sweeps._sweep import Sweep

    framings = (key for framing in FRAMINGS.values() for key in framing.model_fields)
    own = {"recipes", "updates", "seed", "version", "data"}
    return own.union(Recipe.model_fields, Sweep.model_fields, RESERVED, framings)
