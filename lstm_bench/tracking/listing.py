"""What a sweep's run says of the sweep: `sweep.json`, and the rows that it lists."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from lstm_bench.errors import StoreError, UserError
from lstm_bench.paired import Comparison
from lstm_bench.results import Failed, Outcome, Refusal, Role, Row, SweepResult, subset
from lstm_bench.sweep import Search, Sweep
from lstm_bench.tasks import TASKS
from lstm_bench.tasks.sound import unsound
from lstm_bench.usual import named, usual
from lstm_bench.verdicts import Claim

FILE = "sweep.json"

SeedsOf = Literal["search", "fresh", "further", "crossed"]
"""Which seeds an outcome is over: the sweep's own; ones that no search saw, for confirmation; ones

that chose nothing at all, for what is compared afterwards; or crossed ones.
"""

MAY_CHANGE = {"trials", "confirm", "ablate", "switches", "contexts", "split"}
"""What a search may be asked for more or less of without becoming another search."""


@dataclass(frozen=True)
class Listed:
    """A row of a sweep as the parent run lists it: its recipe by digest, and its words."""

    id: str
    digest: str
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None
    claim: Claim | None = None
    family: str = ""
    axis: str = ""
    value: Any = None
    role: Role = "fixed"
    of: str = ""
    seeds: tuple[int, ...] = ()  # that the row is about; stores of earlier versions: all
    kind: SeedsOf = "search"

    @property
    def key(self) -> str:
        """What the store calls the outcome that the row is taken from."""
        return outcome_key(self.digest, self.kind)

    def row(self, outcome: Outcome) -> Row:
        """Returns the row with its outcome, over its own seeds."""
        own = {"digest", "seeds", "kind"}
        words = {key: value for key, value in vars(self).items() if key not in own}
        return Row(outcome=subset(outcome, self.seeds) if self.seeds else outcome, **words)


def outcome_key(digest: str, kind: SeedsOf) -> str:
    """Returns the name of a recipe's outcome over the seeds of one kind."""
    return digest if kind == "search" else f"{digest} {kind}"


def document(
    sweep: Sweep,
    rows: Sequence[Listed],
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


def parsed(text: bytes) -> dict[str, Any]:
    """Returns what is in a `sweep.json`, its rows as `Listed`; raises `StoreError` if it is cut."""
    try:
        facts: dict[str, Any] = json.loads(text)
        rows = [Listed(**{**row, "seeds": tuple(row.get("seeds", ()))}) for row in facts["rows"]]
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"store: {FILE} of the sweep's run is not whole ({error}); run the sweep again"
        ) from error
    return facts | {"rows": [_of_earlier_version(row) for row in rows]}


def _of_earlier_version(row: Listed) -> Listed:
    if row.trial is not None and row.role == "fixed":
        return Listed(**{**vars(row), "role": "trial"})
    return row


def result(facts: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> SweepResult:
    """Returns the results of a sweep: its `parsed` facts, with the outcomes by `Listed.key`."""
    rows = tuple(
        row.row(outcomes[row.key])
        for row in facts["rows"]
        if row.key in outcomes and set(row.seeds) <= set(outcomes[row.key].seeds["seed"])
    )
    # Stores of earlier versions lack some of these.
    asked_for = facts.get("comparisons", {})
    failed = {each["id"]: Failed(**each) for each in facts.get("failed", ())}
    return SweepResult(
        name=facts["name"],
        title=facts["title"],
        about=facts["about"],
        rows=rows,
        search=facts["search"],
        provenance=facts["provenance"],
        unfinished=facts["asked"] - len({row.id for row in rows}.union(failed)),
        comparisons={name: Comparison(**each) for name, each in asked_for.items()},
        refused=tuple(Refusal(**each) for each in facts.get("refused", ())),
        metrics=tuple(facts.get("metrics", ())),
        failed=tuple(failed.values()),
        seeds=facts.get("seeds", 0),
        analysis=facts.get("analysis", {}),
    )


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
    return {"data": found.fingerprint} if not unsound(found) and found.fingerprint else {}


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
        found = _flat({"search": _plain(Search(**usual(sweep.settings)))})
        follows |= {key for key, value in found.items() if now.get(key) == value}
    kept = [{k: v for k, v in facts.items() if k not in follows} for facts in (before, now)]
    another = before.get("file") != now.get("file")  # which is told anyway
    return changes(*kept) if another else [made, *changes(*kept)]


def data_file(sweep: Sweep) -> str:
    """Returns the file of data that a sweep is called after; nothing for one of a YAML file."""
    file = str(sweep.settings.get("file", ""))
    of_data = sweep.settings.get("task") == "csv" and file and named(sweep.settings) == sweep.name
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
