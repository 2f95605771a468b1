"""Tasks from the user's Python files, from other installed packages, and from classes.

`load_tasks` returns them in a `TaskRegistry`, together with a `TaskSource` for each file, package
and class. From these sources alone another process gets the same tasks.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.metadata
import pickle
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path

from lstm_bench.config import load_settings
from lstm_bench.errors import TaskError
from lstm_bench.recipes import BUILT_IN_TASKS, TaskRegistry, TaskSource
from lstm_bench.sweeps._python_values import TasksOrFiles, task_list
from lstm_bench.sweeps._task_definition import HELP, missing_parts
from lstm_bench.tasks import Task, error_origin, is_built_in

ENTRY_POINT_GROUP = "lstm_bench.tasks"
"""The group of entry points through which installed packages provide tasks."""


def load_tasks(given: Iterable[str | Path | type[Task]] = ()) -> TaskRegistry:
    """Returns the built-in tasks, those of packages, and those `given` as files or as classes.

    Its `warnings` name the packages whose tasks cannot be loaded. Raises `TaskError` for a file
    that cannot be loaded, a task that lacks something, and two tasks with one name.
    """
    tasks, warnings = _package_tasks()
    provided = {task for of_package in tasks.values() for task in of_package}
    files: dict[str, TaskSource] = {}
    classes: dict[type[Task], TaskSource] = {}
    for item in given:
        if isinstance(item, type) and (is_built_in(item) or item in provided):
            continue
        path = _file_of_class(item) if isinstance(item, type) else Path(item)
        if path is not None:
            source = _read(path)
            files.pop(source.path, None)  # the same file twice is one file
            files[source.path] = source
        elif isinstance(item, type) and item not in classes:
            classes[item] = _pack(item)
    tasks |= {source: _source_tasks(source) for source in files.values()}
    tasks |= {source: _complete(source, [task]) for task, source in classes.items()}
    return _registry(tasks, tuple(warnings))


def tasks_from_sources(sources: tuple[TaskSource, ...]) -> TaskRegistry:
    """Returns the built-in tasks and those of `sources`, which are those of a registry.

    A worker process calls it with the sources of the main process.
    """
    return _registry({source: _source_tasks(source) for source in sources})


def _registry(
    tasks_by_source: Mapping[TaskSource, list[type[Task]]], warnings: tuple[str, ...] = ()
) -> TaskRegistry:
    """Returns the registry of the built-in tasks and others; raises `TaskError` for equal names."""
    classes = dict(BUILT_IN_TASKS)
    places: dict[str, str] = {}
    for source, tasks in tasks_by_source.items():
        for task in tasks:
            name, place = task.name, _task_place(source, task)
            if name in classes:
                rule = f"two tasks are named {name!r}, in {places.get(name, 'lstm-bench itself')}"
                raise TaskError(f"{place}: {rule} and here; give one of them another `name`")
            classes[name], places[name] = task, place
    return TaskRegistry(classes, tuple(tasks_by_source), places, warnings)


def _source_tasks(source: TaskSource) -> list[type[Task]]:
    """Returns the tasks of a source; raises `TaskError` if there is none, or one is incomplete."""
    if source.entry:
        return _complete(source, _entry_point_tasks(source))
    if not source.path:
        return _complete(source, [_unpack(source)])
    module = _execute(source)
    tasks = [task for task in _module_tasks(module) if task.__module__ == module.__name__]
    return _complete(source, tasks)


def _complete(source: TaskSource, tasks: list[type[Task]]) -> list[type[Task]]:
    """Returns `tasks` of a source; raises `TaskError` if there is none, or one is incomplete."""
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
    """Returns the place of a task: its file with the line, its package, or its class."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    lines = [
        node.lineno
        for node in (ast.parse(source.content).body if source.path else ())
        if isinstance(node, kinds) and node.name == task.__name__
    ]
    return f"{source.place}, line {lines[-1]}" if lines else source.place


# ---- Files


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
    digest = hashlib.sha256(source.path.encode() + source.content).hexdigest()
    name = f"{path.stem}_{digest[:8]}"
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


# ---- Classes


def _file_of_class(task: type[Task]) -> Path | None:
    """Returns the file that defines a class; None if it was defined in a session or a function."""
    module = sys.modules.get(task.__module__)
    file = getattr(module, "__file__", None)
    if file is None or task.__module__ == "__main__":
        return None
    return Path(file) if getattr(module, task.__qualname__, None) is task else None


def _pack(task: type[Task]) -> TaskSource:
    """Returns the source of a class that is in no file; raises `TaskError` where it has none."""
    import cloudpickle

    place = f"the class {task.__qualname__}"
    try:
        return TaskSource(place, content=cloudpickle.dumps(task))
    except Exception as error:  # of whatever the class refers to
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise TaskError(
            f"{place}: must be one that can be sent to worker processes, but {reason}; write it to "
            "my_task.py and give that file as `tasks`"
        ) from error


def _unpack(source: TaskSource) -> type[Task]:
    """Returns the class that `_pack` has packed, in another process."""
    try:
        task: type[Task] = pickle.loads(source.content)
    except Exception as error:
        raise TaskError(
            f"{source.place}: must be one that worker processes can load, but raised "
            f"{error_origin(error)}; write it to my_task.py and give that file as `tasks`"
        ) from error
    return task


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
            _registry({**loaded, source: tasks})  # refuses a name that is already in use
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


def known_tasks(task: object, given: TasksOrFiles, profile: str | None = None) -> TaskRegistry:
    """Returns the tasks that `task` is looked up in; files are read where it is not built in."""
    listed = task_list(given)
    if not listed and (not isinstance(task, str) or task in BUILT_IN_TASKS):
        return BUILT_IN_TASKS
    return load_tasks([*load_settings(profile).tasks, *listed])
