"""Tasks from the user's Python files and from other installed packages.

`load_tasks` adds them to `TASKS`, where every command looks tasks up. What it has loaded is a tuple
of `TaskSource`, each with the text of its file, so that worker processes get exactly the same tasks
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

from lstm_bench.errors import RecipeError, TaskError, unknown
from lstm_bench.recipes import FRAMINGS, OUTPUT_LAYERS, TASKS, Recipe, known_settings
from lstm_bench.sweeps._entries import RESERVED_KEYS
from lstm_bench.sweeps._sweep import Sweep
from lstm_bench.tasks import Task, error_origin, is_built_in

ENTRY_POINT_GROUP = "lstm_bench.tasks"
"""The group of entry points through which installed packages provide tasks."""

HELP = "see `A task of your own` in the README"


@dataclass(frozen=True)
class TaskSource:
    """Where tasks come from: a file, with its text when it was read, or a package's entry point."""

    place: str  # how messages name it
    path: str = ""  # of a file, absolute
    content: bytes = b""  # of a file
    entry: str = ""  # of a package: "module:name"


@dataclass(frozen=True)
class _Loaded:
    """The sources of the tasks in `TASKS` that are not built in."""

    sources: tuple[TaskSource, ...] = ()
    places: tuple[tuple[str, str], ...] = ()  # (name of a task, its place)


_state = [_Loaded()]  # replaced as a whole


def load_tasks(files: Iterable[str | Path] = ()) -> list[str]:
    """Makes `TASKS` hold the built-in tasks, those of `files` and those of packages, and no others.

    Returns a warning for each package whose tasks cannot be loaded. Raises `TaskError` for a file
    that cannot be loaded, a task that lacks something, and two tasks with one name; `TASKS` is then
    left unchanged.
    """
    sources = _without_duplicates(map(_read, map(Path, files)))
    from_packages, warnings = _package_tasks()
    tasks = {**from_packages, **{source: _source_tasks(source) for source in sources}}
    _commit(tuple(tasks), _tasks_by_name(tasks))
    return warnings


def use_sources(sources: tuple[TaskSource, ...]) -> None:
    """Makes `TASKS` hold the built-in tasks and those of `sources`.

    A worker process calls it with the `loaded_sources` of the main process.
    """
    if sources != loaded_sources():
        _commit(sources, _tasks_by_name({source: _source_tasks(source) for source in sources}))


def loaded_sources() -> tuple[TaskSource, ...]:
    """Returns the sources of the tasks in `TASKS` that are not built in."""
    return _state[0].sources


def task_place(name: str) -> str:
    """Returns the file and line, or the package, of the task `name`; "" for a built-in task."""
    return dict(_state[0].places).get(name, "")


def _commit(sources: tuple[TaskSource, ...], tasks: dict[str, tuple[type[Task], str]]) -> None:
    """Replaces the loaded tasks in `TASKS`; `tasks` maps names to (class, place)."""
    for name, _ in _state[0].places:
        TASKS.pop(name, None)
    TASKS.update({name: task for name, (task, _) in tasks.items()})
    _state[0] = _Loaded(sources, tuple((name, place) for name, (_, place) in tasks.items()))


# ---- Files


def _without_duplicates(sources: Iterable[TaskSource]) -> list[TaskSource]:
    """Returns `sources` with each file once; of duplicates, the last one stays."""
    return list({source.path: source for source in reversed(list(sources))}.values())[::-1]


def _read(path: Path) -> TaskSource:
    """Returns the source for a Python file; raises `TaskError` where it cannot be read."""
    if not path.exists():
        raise TaskError(f"--tasks: there is no file {path}; give the Python file of a task")
    if path.suffix != ".py" or not path.is_file():
        raise TaskError(f"--tasks: must be a Python file, named like my_task.py, but got {path}")
    try:
        return TaskSource(str(path), str(path.resolve()), path.read_bytes())
    except OSError as error:
        raise TaskError(f"--tasks: {path} cannot be read ({error.strerror})") from error


def _execute(source: TaskSource) -> types.ModuleType:
    """Runs the text of a file and returns its module. What it prints goes to standard error."""
    path = Path(source.path)
    name = f"{path.stem}_{hashlib.sha256(source.path.encode()).hexdigest()[:8]}"
    module = types.ModuleType(name)
    module.__file__ = source.path
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # so that the file can import modules from its folder
    sys.modules[name] = module  # annotations are resolved there
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(source.content, source.path, "exec"), vars(module))
    except SyntaxError as error:
        reason = f"line {error.lineno} is not valid Python: {error.msg}"
        raise TaskError(f"{source.place}: {reason}") from error
    except TaskError as error:
        raise TaskError(f"{source.place}: {error}") from error
    except SystemExit as error:
        rule = "must define tasks and nothing else, but calls sys.exit()"
        guard = "move that call under `if __name__ == ...`"
        raise TaskError(f"{source.place}: {rule} when it is imported; {guard}") from error
    except Exception as error:
        reason = f"must be importable, but raised {error_origin(error, source.path)}"
        raise TaskError(f"{source.place}: {reason}") from error
    return module


def _source_tasks(source: TaskSource) -> list[type[Task]]:
    """Returns the tasks of a file or of an entry point; raises `TaskError` if one is incomplete."""
    if source.entry:
        tasks = _entry_point_tasks(source)
    else:
        module = _execute(source)
        tasks = [task for task in _module_tasks(module) if task.__module__ == module.__name__]
    if not tasks:
        raise TaskError(f"{source.place}: must hold at least one task, but has none; {HELP}")
    for task in tasks:
        missing = missing_parts(task)
        if missing:
            raise TaskError(f"{_task_place(source, task)}: {task.__name__} {missing}")
    return tasks


def _module_tasks(module: types.ModuleType) -> list[type[Task]]:
    """Returns the task classes of a module, except base classes, whose names begin with `_`."""
    public = (value for name, value in vars(module).items() if not name.startswith("_"))
    return list(dict.fromkeys(v for v in public if isinstance(v, type) and issubclass(v, Task)))


def _task_place(source: TaskSource, task: type[Task]) -> str:
    """Returns the place of a task: its file with the line, or its package."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    lines = [
        node.lineno
        for node in ast.parse(source.content).body
        if isinstance(node, kinds) and node.name == task.__name__
    ]
    return f"{source.place}, line {lines[-1]}" if lines else source.place


# ---- Packages


def _package_tasks() -> tuple[dict[TaskSource, list[type[Task]]], list[str]]:
    """Returns the tasks of each entry point, and a warning for each that cannot be loaded."""
    loaded: dict[TaskSource, list[type[Task]]] = {}
    warnings = []
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)):
        package = point.dist.name if point.dist else "a package"
        source = TaskSource(f"entry point {point.name!r} of {package}", entry=point.value)
        try:
            tasks = _source_tasks(source)
            _tasks_by_name({**loaded, source: tasks})  # refuses a name that is already in use
            loaded[source] = tasks
        except TaskError as error:
            reason = str(error).replace("\n", " ")
            warnings.append(f"{reason}; its tasks are left out: update or remove that package")
    return loaded, warnings


def _entry_point_tasks(source: TaskSource) -> list[type[Task]]:
    """Returns the tasks that an entry point names: those of its module, or one class."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            target = importlib.metadata.EntryPoint("", source.entry, ENTRY_POINT_GROUP).load()
    except (Exception, SystemExit) as error:
        rule = f"{source.place}: {source.entry} must be importable"
        raise TaskError(f"{rule}, but raised {error_origin(error)}") from error
    if isinstance(target, types.ModuleType):
        package = target.__name__.partition(".")[0]
        tasks = _module_tasks(target)
        return [task for task in tasks if task.__module__.partition(".")[0] == package]
    return [target] if isinstance(target, type) and issubclass(target, Task) else []


# ---- Tasks


def _tasks_by_name(
    tasks_by_source: Mapping[TaskSource, list[type[Task]]],
) -> dict[str, tuple[type[Task], str]]:
    """Returns (class, place) by task name; raises `TaskError` where two tasks have one name."""
    by_name: dict[str, tuple[type[Task], str]] = {}
    for source, tasks in tasks_by_source.items():
        for task in tasks:
            name, place = task.name, _task_place(source, task)
            built_in = name in TASKS and is_built_in(TASKS[name])
            other = "lstm-bench itself" if built_in else by_name[name][1] if name in by_name else ""
            if other:
                rule = f"two tasks are named {name!r}, in {other} and here"
                raise TaskError(f"{place}: {rule}; give one of them another `name`")
            by_name[name] = task, place
    return by_name


def missing_parts(task: type[Task]) -> str:
    """Returns what a class lacks to be a task, as the end of a sentence; "" if it is complete."""
    missing = sorted(task.__abstractmethods__)
    name = getattr(task, "name", None)
    if name is None:
        missing = ["name", *missing]
    if missing:
        return f"must define {', '.join(missing)}, but does not; {HELP}"
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        return f"must have a name of letters, digits, _ and -, but got {name!r}"
    if task.kind not in OUTPUT_LAYERS:
        return f"must be of kind {', '.join(OUTPUT_LAYERS)}, but got {task.kind!r}"
    reserved = sorted(set(task.model_fields) & reserved_names())
    if reserved:
        rule = "must not name parameters after keys of recipes or sweep files"
        pronoun = "it" if len(reserved) == 1 else "them"
        return f"{rule}, but has {', '.join(reserved)}; rename {pronoun}"
    if not isinstance(task.defaults, Mapping):
        return f"must have a mapping of settings as `defaults`, but got {task.defaults!r}"
    settings = known_settings(task)
    for key in task.defaults:
        if key not in settings:
            return f"must have only settings in `defaults`, but {unknown('setting', key, settings)}"
    try:
        task()
    except RecipeError as error:
        faults = "; ".join(map(str, error.faults))
        return f"must be creatable without arguments, as each has a default, but {faults}"
    except Exception as error:
        return f"must be creatable without arguments, but raised {error_origin(error)}"
    return ""


def reserved_names() -> set[str]:
    """Returns the names that no parameter of a task may have: keys of recipes and sweep files."""
    framings = (key for framing in FRAMINGS.values() for key in framing.model_fields)
    names = {"recipes", "updates", "seed", "version", "data"}
    sweep_keys = Sweep.model_fields.keys() - {"overrides"}
    return names.union(Recipe.model_fields, sweep_keys, RESERVED_KEYS, framings)
