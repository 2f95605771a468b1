"""The listing of a sweep, `sweep.json`: its facts and its rows, without the outcomes.

It is an artifact of the sweep's own run; each row refers to its outcome, which is in a child run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lstm_bench.errors import DamagedError
from lstm_bench.recipes import SearchedTask, TaskRegistry
from lstm_bench.results import (
    Failed,
    GridTask,
    NotRun,
    Outcome,
    ProcessorCheck,
    Refusal,
    Role,
    Row,
    SweepData,
    TaskGrid,
    one_line,
    parse_json_mapping,
    plain_json,
    select_seeds,
    validation_message,
)
from lstm_bench.seeds import source_seeds
from lstm_bench.statistics import Claim, ComparisonQuestion
from lstm_bench.sweeps import (
    Link,
    PublishedSequences,
    PublishedSuccess,
    Sweep,
    check_published_trials,
)
from lstm_bench.tracking._definition import search_definition

LISTING_FILE = "sweep.json"

MAX_LISTING_BYTES = 64 * 2**20
"""The largest sweep.json that is read."""

MAX_CROSSED_SEEDS = 30**3
"""The most combinations of data, initial weights and order for one recipe: see `Search.split`."""

SeedRole = Literal["search", "fresh", "further", "crossed"]
"""The purpose of the seeds of an outcome.

`search`   the sweep's own seeds: fixed recipes and trials
`fresh`    seeds that the search never saw, for confirmation
`further`  seeds that had no part in choosing any recipe, for the comparisons after a search
`crossed`  seeds that cross data, initial weights and order: see `seeds.crossed_seed`
"""

JsonScalar = bool | int | float | str | None


@dataclass(frozen=True)
class SweepRow:
    """A row of a sweep as `sweep.json` lists it: a `Row` whose recipe is given by its digest."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    id: str
    digest: str
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None
    claim: Claim | None = None
    published_success: PublishedSuccess | None = None
    published_sequences: PublishedSequences | None = None
    family: str = ""
    axis: str = ""
    value: JsonScalar = None
    role: Role = "fixed"
    of: str = ""
    seeds: tuple[int, ...] = ()  # of this row; empty in stores of earlier versions, meaning all
    kind: SeedRole = "search"
    source: str = ""
    url: Link = ""

    def document(self) -> dict[str, Any]:
        """Returns the row for `sweep.json`; keys of later versions only if they have a value."""
        later = ("published_success", "published_sequences", "source", "url")
        return {k: v for k, v in vars(self).items() if k not in later or v not in (None, "")}

    @property
    def key(self) -> str:
        """The key of the row's outcome in the store: see `outcome_key`."""
        return outcome_key(self.digest, self.kind)

    def row(self, outcome: Outcome) -> Row:
        """Returns the row with its outcome, restricted to the row's seeds."""
        fields = {k: v for k, v in vars(self).items() if k not in ("digest", "seeds", "kind")}
        return Row(outcome=select_seeds(outcome, self.seeds) if self.seeds else outcome, **fields)


def outcome_key(digest: str, kind: SeedRole) -> str:
    """Returns the key under which the store has a recipe's outcome over the seeds of one kind."""
    return digest if kind == "search" else f"{digest} {kind}"


def sweep_listing(
    sweep: Sweep,
    rows: Sequence[SweepRow],
    failed: Sequence[Failed],
    expected: int,
    search: Mapping[str, Any] | None,
    analysis: Mapping[str, Any],
    provenance: Mapping[str, str],
    not_run: Sequence[NotRun] = (),
    looks: Sequence[int] = (),
    planned_seeds: int = 0,
    check: ProcessorCheck | None = None,
) -> dict[str, Any]:
    """Returns the content of `sweep.json` for a sweep with the `rows` so far.

    `expected` is the number of recipes of the sweep, as far as it is known, without those that are
    `not_run`. `looks` are the other numbers of seeds with which the sweep was reported before, and
    `planned_seeds` is the number that was planned at first. `check` compares kinds of processors.
    """
    document: dict[str, Any] = {
        "name": sweep.name,
        "overrides": sweep.overrides,
        "title": sweep.title,
        "about": sweep.about,
        "search": search,
        "comparisons": {name: vars(question) for name, question in sweep.comparisons.items()},
        "refused": [{"id": key, **dict(entry)} for key, entry in sweep.refused.items()],
        "metrics": sweep.metrics,
        "seeds": sweep.seeds,
        "analysis": analysis,
        "rows": [row.document() for row in rows],
        "failed": [vars(failure) for failure in failed],
        "asked": expected,
        "provenance": provenance,
        "definition": search_definition(sweep),
    }
    document |= {key: text for key in ("source", "url") if (text := getattr(sweep, key))}
    if not_run:
        document["not_run"] = [vars(recipe) for recipe in not_run]
    if looks or planned_seeds not in (0, sweep.seeds):
        document["looks"], document["planned_seeds"] = looks, planned_seeds
    if check is not None:
        document["check"] = vars(check)
    return document if sweep.grid is None else document | {"grid": plain_json(sweep.grid)}


OPEN_MODEL = ConfigDict(extra="allow")

Count = Annotated[int, Field(ge=0)]


class _Search(BaseModel):
    model_config = OPEN_MODEL

    objective: Literal["accuracy", "sequence_accuracy", "solve_rate", "skill"] = "accuracy"
    sampler: str = ""
    space: dict[str, list[JsonScalar] | dict[str, Any] | JsonScalar] = {}


class _SettingImportance(BaseModel):
    model_config = OPEN_MODEL

    key: str
    fanova: float | None = None
    ped_anova: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @field_validator("fanova", "ped_anova", "low", "high", "p")
    @classmethod
    def _check_finite(cls, value: float | None) -> float | None:
        if value is not None and math.isinf(value):
            raise ValueError("must be a finite number")
        return value


class _Importance(BaseModel):
    model_config = OPEN_MODEL

    trials: Count = 0
    settings: list[_SettingImportance] = []
    why: str | None = None


class _Analysis(BaseModel):
    model_config = OPEN_MODEL

    importance: _Importance | None = None
    random: list[int] = []


Share = Annotated[float, Field(ge=0, le=1)]


class _GridTask(BaseModel):
    name: str
    chance: Share
    ceiling: Share


class _Grid(BaseModel):
    tasks: list[_GridTask]
    places: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class _NotRun(NotRun):
    """`NotRun` as `sweep.json` lists it, with its values checked."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    published_success: PublishedSuccess | None = None
    published_sequences: PublishedSequences | None = None


class _Listing(BaseModel):
    """The schema of `sweep.json`. Keys with a default are missing in stores of earlier versions."""

    name: str
    title: str
    about: str
    search: _Search | None
    rows: list[SweepRow]
    asked: Count
    provenance: dict[str, str]
    comparisons: dict[str, ComparisonQuestion] = {}
    refused: list[Refusal] = []
    metrics: list[str] = []
    failed: list[Failed] = []
    seeds: Count = 0
    analysis: _Analysis = _Analysis()
    definition: dict[str, Any] = {}
    overrides: str = ""
    not_run: list[_NotRun] = []
    grid: _Grid | None = None
    looks: list[Count] = []
    planned_seeds: Count = 0
    source: str = ""
    url: Link = ""
    check: ProcessorCheck | None = None

    @field_validator("rows", "not_run")
    @classmethod
    def _check_trials(cls, rows: list[Any]) -> list[Any]:
        for row in rows:
            check_published_trials(row.published_success, row.published_sequences)
        return rows

    @field_validator("comparisons")
    @classmethod
    def _check_margins(
        cls, comparisons: dict[str, ComparisonQuestion]
    ) -> dict[str, ComparisonQuestion]:
        for name, question in comparisons.items():
            if question.margin is not None and not 0 < question.margin < math.inf:
                raise ValueError(f"{name}: margin must be above 0 and finite")
        return comparisons


def parse_listing(text: bytes) -> dict[str, Any]:
    """Returns the content of a `sweep.json`, its rows as `SweepRow`.

    Keys that stores of earlier versions lack get their defaults. Raises `DamagedError`, which names
    the first key that is missing or wrong.
    """
    try:
        content = parse_json_mapping(text, MAX_LISTING_BYTES)
        listing = _Listing.model_validate_json(text, strict=True)
    except ValueError as error:
        invalid = error if isinstance(error, ValidationError) else None
        reason = validation_message(invalid) if invalid else one_line(error)
        raise DamagedError(
            f"store: {LISTING_FILE} of the sweep's run is not whole ({reason}); run the sweep again"
        ) from error
    defaults = listing.model_dump(exclude=listing.model_fields_set)
    return {
        **defaults,
        **content,
        "check": listing.check,
        "rows": [_with_current_role(row) for row in listing.rows],
        "comparisons": {name: vars(question) for name, question in listing.comparisons.items()},
        "refused": [vars(refusal) for refusal in listing.refused],
        "failed": [vars(failure) for failure in listing.failed],
        "not_run": [vars(recipe) for recipe in listing.not_run],
    }


def _with_current_role(row: SweepRow) -> SweepRow:
    """Returns `row` with the role `trial` if it is a trial; earlier versions had no roles."""
    if row.trial is not None and row.role == "fixed":
        return SweepRow(**{**vars(row), "role": "trial"})
    return row


def result_from_listing(
    listing: Mapping[str, Any], outcomes: Mapping[str, Outcome], tasks: TaskRegistry
) -> SweepData:
    """Returns the results of a sweep from its listing and the outcomes by `SweepRow.key`.

    The rows of `listing` are `SweepRow`s, as `parse_listing` returns them. A row whose outcome is
    missing, or cannot be an outcome of the row, counts as not finished. If the task that is
    searched is one of `tasks`, its class says which rows were scored on the same data.
    """
    objective = str((listing["search"] or {}).get("objective", "accuracy"))
    listed = [row for row in listing["rows"] if row.key in outcomes]
    fitting = [row for row in listed if _fits(row, outcomes[row.key], objective)]
    finished = [row.row(outcomes[row.key]) for row in fitting]
    by_id = {row.id: row for row in finished}
    rows = [row for row in finished if _has_valid_context(row, by_id)]
    # Stores of earlier versions lack some of the following keys.
    comparisons = listing.get("comparisons", {})
    failed = {failure["id"]: Failed(**failure) for failure in listing.get("failed", ())}
    searched = next((row.outcome.settings["task"] for row in rows if row.role == "trial"), "")
    return SweepData(
        name=listing["name"],
        title=listing["title"],
        overrides=listing.get("overrides", ""),
        about=listing["about"],
        rows=tuple(rows),
        search=listing["search"],
        provenance=listing["provenance"],
        unfinished=max(0, listing["asked"] - len({row.id for row in rows}.union(failed))),
        comparisons={name: ComparisonQuestion(**fields) for name, fields in comparisons.items()},
        refused=tuple(Refusal(**refusal) for refusal in listing.get("refused", ())),
        metrics=tuple(listing.get("metrics", ())),
        failed=tuple(failed.values()),
        seeds=listing.get("seeds", 0),
        analysis=listing.get("analysis", {}),
        searched_task=SearchedTask.of(tasks.get(searched)),
        not_run=tuple(NotRun(**recipe) for recipe in listing.get("not_run", ())),
        grid=_grid(listing.get("grid")),
        looks=tuple(listing.get("looks", ())),
        planned_seeds=listing.get("planned_seeds", 0),
        source=listing.get("source", ""),
        url=listing.get("url", ""),
        check=_check(listing.get("check")),
    )


def _grid(document: Mapping[str, Any] | None) -> TaskGrid | None:
    """Returns the tasks of a sweep over several tasks; None for any other sweep."""
    if document is None:
        return None
    tasks = (GridTask(task["name"], task["chance"], task["ceiling"]) for task in document["tasks"])
    return TaskGrid(tuple(tasks), {id_: tuple(place) for id_, place in document["places"].items()})


def _check(facts: Any) -> ProcessorCheck | None:
    """Returns the check of processors of a listing, before or after `parse_listing`."""
    if facts is None or isinstance(facts, ProcessorCheck):
        return facts
    return ProcessorCheck(**{**facts, "kinds": tuple(facts["kinds"])})


def _fits(row: SweepRow, outcome: Outcome, objective: str) -> bool:
    """Returns whether `outcome` has the row's recipe, its seeds and the objective."""
    if row.digest != outcome.digest or not set(row.seeds) <= set(outcome.seeds["seed"]):
        return False
    if row.role not in ("effect", "split"):
        return True
    if objective == "skill" and objective not in outcome.seeds:
        return False
    seeds = row.seeds or outcome.seeds["seed"].tolist()
    by_source = zip(*(source_seeds(seed).values() for seed in seeds), strict=True)
    combinations = math.prod(len(set(source)) for source in by_source)
    return row.role == "effect" or combinations <= MAX_CROSSED_SEEDS


def _has_valid_context(row: Row, rows: Mapping[str, Row]) -> bool:
    """Returns whether a row of the role `effect` can be compared with its context, `row.of`.

    The context must have a scalar value, or none, for the switch. True for all other rows.
    """
    if row.role != "effect" or not row.axis or row.of not in rows:
        return True
    value = rows[row.of].outcome.settings.get(row.axis)
    return value is None or isinstance(value, str | int | float)
