"""What a sweep's run says of the sweep: `sweep.json`, and the rows that it lists."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lstm_bench.data import default_name, default_search
from lstm_bench.errors import DamagedError, UserError
from lstm_bench.recipes import TASKS
from lstm_bench.results import (
    Failed,
    Outcome,
    Refusal,
    Role,
    Row,
    SweepResult,
    checked_mapping,
    damaged_error,
    select_seeds,
    shortened,
)
from lstm_bench.seeds import uncrossed
from lstm_bench.statistics import Claim, Comparison
from lstm_bench.sweeps import Search, Sweep
from lstm_bench.tasks import task_faults

FILE = "sweep.json"

SeedRole = Literal["search", "fresh", "further", "crossed"]
"""Which seeds an outcome is over: the sweep's own; ones that no search saw, for confirmation; ones

that chose nothing at all, for what is compared afterwards; or crossed ones.
"""

MOST_TEXT = 64 * 2**20
"""Bytes that a sweep.json may have."""

MOST_CROSSED = 30**3
"""Combinations of data, initial weights and order that a recipe may be crossed over: see `Search`.
"""

MAY_CHANGE = {"trials", "confirm", "ablate", "switches", "contexts", "split"}
"""What a search may be asked for more or less of without becoming another search."""


Plain = bool | int | float | str | None


@dataclass(frozen=True)
class SweepRow:
    """A row of a sweep as the parent run lists it: its recipe by digest, and its words."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    id: str
    digest: str
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None
    claim: Claim | None = None
    family: str = ""
    axis: str = ""
    value: Plain = None
    role: Role = "fixed"
    of: str = ""
    seeds: tuple[int, ...] = ()  # that the row is about; stores of earlier versions: all
    kind: SeedRole = "search"

    @property
    def key(self) -> str:
        """What the store calls the outcome that the row is taken from."""
        return outcome_key(self.digest, self.kind)

    def row(self, outcome: Outcome) -> Row:
        """Returns the row with its outcome, over its own seeds."""
        own = {"digest", "seeds", "kind"}
        words = {key: value for key, value in vars(self).items() if key not in own}
        return Row(outcome=select_seeds(outcome, self.seeds) if self.seeds else outcome, **words)


def outcome_key(digest: str, kind: SeedRole) -> str:
    """Returns the name of a recipe's outcome over the seeds of one kind."""
    return digest if kind == "search" else f"{digest} {kind}"


def sweep_record(
    sweep: Sweep,
    rows: Sequence[SweepRow],
    failed: Sequence[Failed],
    asked: int,
    search: Mapping[str, Any] | None,
    analysis: Mapping[str, Any],
    origin: Mapping[str, str],
) -> dict[str, Any]:
    """Returns `sweep.json`: which rows there are so far, of how many asked for, and the sweep."""
    return {
        "name": sweep.name,
        "title": sweep.title,
        "about": sweep.about,
        "search": search,
        "comparisons": {name: vars(c) for name, c in sweep.comparisons.items()},
        "refused": [{"id": key, **dict(each)} for key, each in sweep.refused.items()],
        "metrics": sweep.metrics,
        "seeds": sweep.seeds,
        "analysis": analysis,
        "rows": [vars(row) for row in rows],
        "failed": [vars(each) for each in failed],
        "asked": asked,
        "provenance": origin,
        "definition": definition(sweep),
    }


OPEN = ConfigDict(extra="allow")

Count = Annotated[int, Field(ge=0)]


class _Search(BaseModel):
    model_config = OPEN

    objective: Literal["accuracy", "sequence_accuracy", "solve_rate", "skill"] = "accuracy"
    sampler: str = ""
    space: dict[str, list[Plain] | dict[str, Any] | Plain] = {}


class _Weight(BaseModel):
    model_config = OPEN

    key: str
    fanova: float | None = None
    ped_anova: float | None = None

    @field_validator("fanova", "ped_anova")
    @classmethod
    def _finite(cls, share: float | None) -> float | None:
        if share is not None and math.isinf(share):
            raise ValueError("must be a finite number")
        return share


class _Importance(BaseModel):
    model_config = OPEN

    trials: Count = 0
    settings: list[_Weight] = []
    why: str | None = None


class _Analysis(BaseModel):
    model_config = OPEN

    importance: _Importance | None = None
    random: list[int] = []


class _Facts(BaseModel):
    """What `sweep.json` must hold; stores of earlier versions lack what has a default."""

    name: str
    title: str
    about: str
    search: _Search | None
    rows: list[SweepRow]
    asked: Count
    provenance: dict[str, str]
    comparisons: dict[str, Comparison] = {}
    refused: list[Refusal] = []
    metrics: list[str] = []
    failed: list[Failed] = []
    seeds: Count = 0
    analysis: _Analysis = _Analysis()
    definition: dict[str, Any] = {}

    @field_validator("comparisons")
    @classmethod
    def _margins(cls, asked: dict[str, Comparison]) -> dict[str, Comparison]:
        for name, each in asked.items():
            if each.margin is not None and not 0 < each.margin < math.inf:
                raise ValueError(f"{name}: margin must be above 0 and finite")
        return asked


def parsed(text: bytes) -> dict[str, Any]:
    """Returns what is in a `sweep.json`, its rows as `Listed`, with what older stores lack.

    Raises `DamagedError` that names the first key that is missing or wrong.
    """
    try:
        facts = checked_mapping(text, MOST_TEXT)
        found = _Facts.model_validate_json(text, strict=True)
    except ValueError as error:
        reason = damaged_error(error) if isinstance(error, ValidationError) else shortened(error)
        raise DamagedError(
            f"store: {FILE} of the sweep's run is not whole ({reason}); run the sweep again"
        ) from error
    lacking = found.model_dump(exclude=found.model_fields_set)
    return {
        **lacking,
        **facts,
        "rows": [_of_earlier_version(row) for row in found.rows],
        "comparisons": {name: vars(each) for name, each in found.comparisons.items()},
        "refused": [vars(each) for each in found.refused],
        "failed": [vars(each) for each in found.failed],
    }


def _of_earlier_version(row: SweepRow) -> SweepRow:
    if row.trial is not None and row.role == "fixed":
        return SweepRow(**{**vars(row), "role": "trial"})
    return row


def result_of_record(facts: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> SweepResult:
    """Returns the results of a sweep: its `parsed` facts, with the outcomes by `Listed.key`.

    A row whose outcome is not there, or not one that it can be of, counts as not finished.
    """
    measure = str((facts["search"] or {}).get("objective", "accuracy"))
    listed = [row for row in facts["rows"] if row.key in outcomes]
    listed = [row for row in listed if _fits(row, outcomes[row.key], measure)]
    whole = [row.row(outcomes[row.key]) for row in listed]
    known = {row.id: row for row in whole}
    rows = [row for row in whole if _has_its_switch(row, known)]
    # Stores of earlier versions lack some of these.
    asked_for = facts.get("comparisons", {})
    failed = {each["id"]: Failed(**each) for each in facts.get("failed", ())}
    return SweepResult(
        name=facts["name"],
        title=facts["title"],
        about=facts["about"],
        rows=tuple(rows),
        search=facts["search"],
        provenance=facts["provenance"],
        unfinished=max(0, facts["asked"] - len({row.id for row in rows}.union(failed))),
        comparisons={name: Comparison(**each) for name, each in asked_for.items()},
        refused=tuple(Refusal(**each) for each in facts.get("refused", ())),
        metrics=tuple(facts.get("metrics", ())),
        failed=tuple(failed.values()),
        seeds=facts.get("seeds", 0),
        analysis=facts.get("analysis", {}),
    )


def _fits(row: SweepRow, outcome: Outcome, measure: str) -> bool:
    """Returns whether `outcome` is of the recipe of `row`, over its seeds and in the `measure`."""
    if row.digest != outcome.digest or not set(row.seeds) <= set(outcome.seeds["seed"]):
        return False
    if row.role not in ("effect", "split"):
        return True
    if measure == "skill" and measure not in outcome.seeds:
        return False
    crossed = [uncrossed(seed).values() for seed in row.seeds or outcome.seeds["seed"].tolist()]
    draws = math.prod(len(set(each)) for each in zip(*crossed, strict=True))
    return row.role == "effect" or draws <= MOST_CROSSED


def _has_its_switch(row: Row, rows: Mapping[str, Row]) -> bool:
    """Returns whether the recipe of `row` is told from its context by a value that can be."""
    if row.role != "effect" or not row.axis or row.of not in rows:
        return True
    own = rows[row.of].outcome.settings.get(row.axis)
    return own is None or isinstance(own, str | int | float)


def definition(sweep: Sweep) -> dict[str, Any]:
    """Returns what makes a search the search it is, as plain values by dotted key.

    Empty for a sweep without one: fixed recipes stand for themselves, however many there are.
    """
    if sweep.search is None:
        return {}
    shared = {"first_seed": sweep.first_seed, **sweep.settings, **_data(sweep.settings)}
    plain = json.loads(json.dumps(shared | {"search": _plain(sweep.search)}))
    return _flat(plain)


def _plain(search: Search) -> dict[str, Any]:
    return search.model_dump(mode="json", by_alias=True, exclude=MAY_CHANGE)


def _data(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what tells the data of a task from another state of them, where `version` does not.

    Nothing where the settings that all recipes share do not make a task yet.
    """
    task = TASKS[str(settings["task"])]
    try:
        found = task(**{key: settings[key] for key in task.model_fields if key in settings})
    except (ValidationError, UserError):
        return {}
    return {"data": found.fingerprint} if not task_faults(found) and found.fingerprint else {}


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Returns nested mappings as one, with dotted keys.

    >>> _flat({"a": {"b": 1}, "c": [2]})
    {'a.b': 1, 'c': [2]}
    """
    found: dict[str, Any] = {}
    for key, part in value.items():
        found |= _flat(part, f"{above}{key}.") if isinstance(part, Mapping) else {above + key: part}
    return found


def changed(sweep: Sweep, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what has become of a sweep's search since `before`, one line a change.

    Other data are told in words; what merely follows from them, and nobody wrote, is left out.
    """
    if "data" not in before.keys() & now.keys() or before["data"] == now["data"]:
        return changes(before, now)
    task, follows = sweep.settings["task"], {"data"}
    made = f"the data that the task {task!r} makes have changed since it began"
    if task == "csv":
        made = f"{sweep.settings.get('file', 'the example')} has changed since it began"
        found = _flat({"search": _plain(Search(**default_search(sweep.settings)))})
        follows |= {key for key, value in found.items() if now.get(key) == value}
    kept = [{k: v for k, v in facts.items() if k not in follows} for facts in (before, now)]
    another = before.get("file") != now.get("file")  # which is told anyway
    return changes(*kept) if another else [made, *changes(*kept)]


def data_file(sweep: Sweep) -> str:
    """Returns the file of data that a sweep is called after; nothing for one of a YAML file."""
    file = str(sweep.settings.get("file", ""))
    of_data = (
        sweep.settings.get("task") == "csv" and file and default_name(sweep.settings) == sweep.name
    )
    return file if of_data else ""


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what two definitions differ in, one line a key.

    >>> changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    ['b was 2, but is 3', 'c was not there, but is 4']
    """
    keys = sorted(before.keys() | now.keys())
    pairs = {key: (_told(before, key), _told(now, key)) for key in keys}
    return [f"{key} was {old}, but is {new}" for key, (old, new) in pairs.items() if old != new]


def _told(facts: Mapping[str, Any], key: str) -> str:
    return json.dumps(facts[key]) if key in facts else "not there"
