"""The tasks that a recipe can name, as a value: the built-in ones, or these and a user's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lstm_bench.data import CsvTask
from lstm_bench.errors import unknown
from lstm_bench.tasks import BUILT_IN, Task


@dataclass(frozen=True)
class TaskSource:
    """Where tasks come from: a file, with its text when it was read; a package; or a class.

    A source can be sent to another process, which gets the same tasks from it even if the file has
    been edited meanwhile.
    """

    place: str  # how messages name it
    path: str = ""  # of a file, absolute
    content: bytes = b""  # of a file, or of a class as cloudpickle packs it
    entry: str = ""  # of a package: "module:name"


@dataclass(frozen=True, eq=False, repr=False)
class TaskRegistry(Mapping[str, type[Task]]):
    """Task classes by name, with the sources of those that are not built in.

    It never changes: `sweeps.load_tasks` returns a new one. What looks a task up by its name takes
    a registry as an argument, or has one, as a sweep does. Registries are not pickled; another
    process gets `sources` and calls `sweeps.tasks_from_sources`.

    >>> sorted(BUILT_IN_TASKS)[:2], BUILT_IN_TASKS["echo"].kind, BUILT_IN_TASKS.sources
    (['adding', 'alphabet'], 'categorical', ())
    """

    classes: Mapping[str, type[Task]]
    sources: tuple[TaskSource, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """The file and line, or the package, of each task that is not built in."""
    warnings: tuple[str, ...] = ()
    """A message for each package whose tasks could not be loaded."""

    def __post_init__(self) -> None:
        for name in ("classes", "places"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, name: str) -> type[Task]:
        return self.classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        return f"TaskRegistry({', '.join(self)})"


BUILT_IN_TASKS = TaskRegistry({**BUILT_IN, CsvTask.name: CsvTask})
"""The tasks of this package and no others."""


def unknown_task_message(name: object, tasks: Iterable[str]) -> str:
    """Returns the error message for a name that is not in `tasks`, with how to find the task.

    >>> unknown_task_message("memori", BUILT_IN_TASKS)
    "there is no task 'memori'; did you mean 'memory'? (known: ..."
    """
    message = unknown("task", name, tasks)
    has_suggestion = "did you mean" in message
    return message if has_suggestion else f"{message}; a task in a file of yours needs --tasks FILE"


@dataclass(frozen=True)
class SearchedTask:
    """What the results of a search depend on besides its rows: two facts of the task's class."""

    parameters: frozenset[str] = frozenset()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """`Task.search_overrides`: they keep back the data that finalists are scored on."""

    @classmethod
    def of(cls, task: type[Task] | None) -> SearchedTask:
        """Returns the facts of a task; none where it is unknown."""
        return cls(frozenset(task.model_fields), dict(task.search_overrides)) if task else cls()

    def holds_data_back(self, settings: Mapping[str, Any]) -> bool:
        """Returns whether settings keep back the data that other recipes are scored on.

        This is so for the recipes that a search proposes, if the task reserves data for finalists.
        """
        kept_back = self.overrides
        return bool(kept_back) and all(settings.get(key) == kept_back[key] for key in kept_back)
