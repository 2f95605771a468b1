"""The rows of a sweep: outcomes, with their role and their entry in the sweep file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lstm_bench.recipes import SearchedTask
from lstm_bench.results._outcome import Outcome
from lstm_bench.results._processor_check import ProcessorCheck
from lstm_bench.statistics import Claim, ComparisonQuestion

Role = Literal["fixed", "trial", "confirmed", "ablation", "effect", "split"]
"""Why a sweep ran a recipe. `of` is the id of the row that a row belongs to.

`fixed`      the sweep file names it
`trial`      the search proposed it; a trial that was stopped has fewer seeds than the sweep has
`confirmed`  a finalist, `of` its trial, on seeds that the search never saw
`ablation`   the recipe `of` a confirmed row again, on seeds that chose nothing; or the recipe `of`
             such an ablation row with the setting `axis` set back to the reference's `value`; or,
             without an `axis`, the reference recipe
`effect`     the recipe `of` a random trial again, on seeds that no race has used; or the recipe
             `of` such an effect row with the switch `axis` set to `value`
`split`      the winner `of` a confirmed row, or its reference recipe, on seeds that cross data,
             initial weights and order: see `seeds.crossed_seed`
"""


@dataclass(frozen=True, repr=False)
class Row:
    """One recipe of a sweep: its outcome, its role, and what the sweep file says of it."""

    id: str  # in the sweep file, such as `A1`; `trial-7` for a recipe that a search proposed
    outcome: Outcome
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None  # its number in the search; None for a fixed recipe
    claim: Claim | None = None  # what the source claims about solving the task
    published_success: tuple[int | None, int] | None = None  # succeeded, if published; all trials
    published_sequences: float | None = None  # the mean over the trials that succeeded
    family: str = ""  # the entry of the file that `over` spread over `axis`, this row at `value`
    axis: str = ""
    value: Any = None
    role: Role = "fixed"
    of: str = ""  # the id of the row that this row belongs to: see `Role`
    source: str = ""  # where it was published; empty if that is the source of the sweep
    url: str = ""  # of the source, as `safety.checked_link` allows

    def __repr__(self) -> str:
        return f"Row({self.id[:80]!r}, {self.role}, {self.outcome!r})"


@dataclass(frozen=True)
class GridTask:
    """One of the tasks of a sweep over several tasks."""

    name: str  # in the sweep
    chance: float  # see `Task.chance`
    ceiling: float  # see `Task.ceiling`


@dataclass(frozen=True)
class TaskGrid:
    """The tasks of a sweep that runs every recipe on several tasks, and the place of each row."""

    tasks: tuple[GridTask, ...]  # in the order of the file
    places: Mapping[str, tuple[str, str]]
    """For each id of a row: the name of the recipe without its task, and the name of the task."""

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names of the recipes without their tasks, in the order of the file."""
        return tuple(dict.fromkeys(recipe for recipe, _ in self.places.values()))


@dataclass(frozen=True)
class Failed:
    """A recipe without a score, and the reason: it diverged, or ran out of memory or time."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """A configuration of a sweep file that is refused on purpose, and the reason."""

    id: str
    asked: str  # its settings as key=value words
    reason: str
    published: str = ""


@dataclass(frozen=True)
class NotRun:
    """A recipe that the sweep file marks as `full`, left out of a run without `--full`."""

    id: str
    name: str
    published: str = ""
    published_accuracy: float | None = None
    claim: Claim | None = None
    published_success: tuple[int | None, int] | None = None
    published_sequences: float | None = None

    @property
    def why(self) -> str:
        """Why it was not run, and how to run it."""
        return "takes long; run with --full"


@dataclass(frozen=True)
class SweepData:
    """The results of a sweep: everything that a report is made from."""

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]  # in the order of `Role`, and in that of the file or of the trials
    search: Mapping[str, Any] | None  # trials, sampler, objective, seed, space, ...
    provenance: Mapping[str, str]  # git revision, versions, machine, command
    unfinished: int = 0  # recipes of the sweep without an outcome
    comparisons: Mapping[str, ComparisonQuestion] = field(default_factory=dict)  # of the file
    refused: tuple[Refusal, ...] = ()
    metrics: tuple[str, ...] = ()  # further columns that the file asks for
    failed: tuple[Failed, ...] = ()
    seeds: int = 0  # per recipe, as the file asks for
    looks: tuple[int, ...] = ()  # numbers of seeds with which it was reported before
    planned_seeds: int = 0  # the number of seeds at first; 0 where it has not changed
    overrides: str = ""  # what was changed in the sweep file for this run, as key=value words
    analysis: Mapping[str, Any] = field(default_factory=dict)
    """What the search itself computes: see `search._importance`. Empty without a search."""
    searched_task: SearchedTask = field(default_factory=SearchedTask, compare=False)
    """Facts of the task that is searched; none without a search, or where the task is unknown."""
    not_run: tuple[NotRun, ...] = ()  # recipes that are only run with `--full`
    grid: TaskGrid | None = None  # of a sweep that runs every recipe on several tasks
    source: str = ""  # where the figures of the file were published, or its data come from
    url: str = ""  # of the source, as `safety.checked_link` allows
    check: ProcessorCheck | None = None  # where the sweep file asks for `check: bits`

    def having(self, role: Role) -> tuple[Row, ...]:
        """Returns the rows of one role, in order."""
        return tuple(row for row in self.rows if row.role == role)

    @property
    def fixed(self) -> tuple[Row, ...]:
        """The recipes that the sweep file names."""
        return self.having("fixed")

    @property
    def trials(self) -> tuple[Row, ...]:
        """The recipes that the search proposed, in order."""
        return self.having("trial")

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the rows, in order."""
        return tuple(dict.fromkeys(str(row.outcome.settings["task"]) for row in self.rows))

    @property
    def best(self) -> Row | None:
        """The best recipe: see `Outcome.rank`. None without rows, and with more than one task.

        If recipes of the search were confirmed, only these count among the recipes of the search.
        """
        if len(self.tasks) != 1 or self.grid is not None:
            return None
        most = max((len(row.outcome.seeds) for row in self.trials), default=0)
        full = [row for row in self.trials if len(row.outcome.seeds) == most]  # not stopped early
        if self.fixed:
            full = [row for row in full if not self.holds_data_back(row)]
        searched = self.having("confirmed") or full
        return min([*self.fixed, *searched], key=lambda row: row.outcome.rank(), default=None)

    def holds_data_back(self, trial: Row) -> bool:
        """Returns whether a trial was scored on other data than the recipes of the sweep file."""
        return self.searched_task.holds_data_back(trial.outcome.settings)

    def __repr__(self) -> str:
        return f"SweepData({self.name[:200]!r}, {len(self.rows)} rows)"
