"""What a recipe did over its seeds, as tidy tables; `stored` writes and reads them.

`seeds`        one row a seed: SEED_COLUMNS
`curves`       one row a seed and epoch (thinned to about CURVE_POINTS epochs): CURVE_COLUMNS
`predictions`  one row a seed and scored answer: PREDICTION_COLUMNS
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lstm_bench.recipes import holds_data_back
from lstm_bench.statistics import (
    Claim,
    Comparison,
    Mean,
    Rate,
    mean_interval,
    median_epochs,
    solve_rate,
)

SEED_COLUMNS = (
    "seed",
    "loss",  # of the last epoch, as Keras reports it
    "accuracy",  # share of scored steps right, in the recipe's own evaluation
    "sequence_accuracy",  # share of sequences with every scored step right
    "solved",  # bool: the task's own word
    "solved_epoch",  # first epoch from which it stayed solved in teacher forcing; NaN if never
    "seconds",  # of training
)
"""The columns that every seeds table has. With unseen sequences `accuracy` is theirs, and

`seen_accuracy` and `unseen_accuracy` are there too; in teacher forcing, all of `metrics.METRICS`,
and `skill` where there are naive answers: see `skill.score`.
"""
CURVE_COLUMNS = ("seed", "epoch", "loss", "accuracy")
PREDICTION_COLUMNS = ("seed", "sequence", "step", "input", "expected", "predicted", "correct")
CURVE_POINTS = 200


@dataclass(frozen=True)
class Outcome:
    """A recipe's results over its seeds. Everything reported is computed from this."""

    settings: Mapping[str, Any]  # the recipe's flat mapping
    digest: str
    name: str
    engine: str
    seeds: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame
    parameters: int
    updates: int  # weight updates a seed
    multiply_adds: int  # by weights, in training one seed: forward, and twice as many backward
    compile_seconds: float
    provenance: Mapping[str, str] = field(default_factory=dict)
    weights: tuple[np.ndarray, ...] = ()  # of the best seed, until they are in `model`
    model: bytes = b""  # the best seed's network, a `.keras` file
    data: Mapping[str, Any] = field(default_factory=dict)  # see `Task.known`

    @property
    def accuracy(self) -> Mean:
        """Mean step accuracy over the seeds, with its interval."""
        return mean_interval(self.seeds["accuracy"].to_numpy(), 0.0, 1.0)

    @property
    def solve_rate(self) -> Rate:
        """How many seeds solved the task, with Wilson's interval."""
        return solve_rate(self.seeds["solved"].to_numpy())

    @property
    def epochs_to_solve(self) -> float | None:
        """Median over all seeds, unsolved ones counted as later than any; None if half never do."""
        return median_epochs(self.seeds["solved_epoch"].tolist())

    @property
    def train_seconds(self) -> float:
        """Seconds of training, summed over the seeds."""
        return float(self.seeds["seconds"].sum())

    @property
    def best_seed(self) -> int:
        """The seed with the highest `score`; of equals, the one with the lowest loss."""
        keys = [self.score, "loss", "seed"]
        ranked = self.seeds.sort_values(keys, ascending=[False, True, True])
        return int(ranked["seed"].iloc[0])

    @property
    def cost(self) -> int:
        """Parameters times updates, which no machine changes."""
        return self.parameters * self.updates

    @property
    def score(self) -> str:
        """The column of `seeds` that ranks: the skill over naive answers, if any, or accuracy."""
        return "skill" if "skill" in self.seeds else "accuracy"

    def rank(self) -> tuple[float, float, int, str]:
        """A key that sorts best first: solve rate, accuracy, cost; or skill, solve rate, cost."""
        mean = mean_interval(self.seeds[self.score].to_numpy(float)).mean
        first, second = self.solve_rate.rate, mean
        if self.score == "skill":  # what it is solved by
            first, second = second, first
        return (-first, -second, self.cost, self.digest)

    def summary(self) -> dict[str, Any]:
        """Returns the aggregates as plain JSON values; NaN becomes None."""
        accuracy, rate = self.accuracy, self.solve_rate
        loss = mean_interval(self.seeds["loss"].to_numpy())
        whole = mean_interval(self.seeds["sequence_accuracy"].to_numpy(), 0.0, 1.0)
        return {
            "seeds": len(self.seeds),
            **{key: _mean(value) for key, value in (("accuracy", accuracy), ("loss", loss))},
            "sequence_accuracy": _mean(whole),
            "solve_rate": {
                "k": rate.k,
                "n": rate.n,
                "rate": _plain(rate.rate),
                "ci95": [_plain(rate.low), _plain(rate.high)],
            },
            "epochs_to_solve": {"median": self.epochs_to_solve},
        }

    def document(self) -> dict[str, Any]:
        """Returns the outcome as the JSON document that `run --json` prints."""
        return {
            "recipe": dict(self.settings),
            "name": self.name,
            "id": self.digest,
            "engine": self.engine,
            "per_seed": [
                {key: _plain(value) for key, value in row.items()}
                for row in self.seeds.to_dict("records")
            ],
            "summary": self.summary(),
            "parameters": self.parameters,
            "updates": self.updates,
            "multiply_adds": self.multiply_adds,
            "seconds": {"compile": self.compile_seconds, "train": self.train_seconds},
        }


Role = Literal["fixed", "trial", "confirmed", "ablation", "effect", "split"]
"""Why a sweep ran a recipe.

`fixed`      the sweep file names it
`trial`      the search proposed it; one that was stopped has fewer seeds than the sweep asks for
`confirmed`  a finalist of the search, `of` that trial, on seeds that the search never saw
`ablation`   the confirmed recipe `of` that row once more, on seeds that chose nothing; or, `of`
             that one, with one setting, `axis`, put back to `value`; without an `axis`, all of them
`effect`     the random trial `of` that row once more, on seeds that no race looked at; or, `of`
             that one, with one switch, `axis`, set to `value`
`split`      the winner, or what it was put back to, `of` that row, on seeds that cross data,
             initial weights and order: see `seeds.crossed`
"""


@dataclass(frozen=True)
class Row:
    """One recipe of a sweep: its outcome, and what the sweep says about it."""

    id: str  # the id of PROBLEMS, `A1`, or `trial-7` for a recipe that a search proposed
    outcome: Outcome
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None  # of the search; None for a fixed recipe
    claim: Claim | None = None  # what the source says of solving it
    family: str = ""  # the rows that one recipe of the file was spread to, over `axis`, to `value`
    axis: str = ""
    value: Any = None
    role: Role = "fixed"
    of: str = ""  # the id of the row that this one belongs to: see `Role`


@dataclass(frozen=True)
class Failed:
    """A recipe that came to no score, and why: it diverged, ran out of memory or of time."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """A configuration that a sweep shows to be refused: what was asked for, and the reason."""

    id: str
    asked: str  # its settings as key=value words
    reason: str
    published: str = ""


@dataclass(frozen=True)
class SweepResult:
    """Everything that a report is made from."""

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]  # in the order of `Role`, and in that of the file or of the trials
    search: Mapping[str, Any] | None  # trials, sampler, objective, seed, space, ...
    provenance: Mapping[str, str]  # git revision, versions, machine, command
    unfinished: int = 0  # recipes that were asked for and have no outcome yet
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)  # that the file asks for
    refused: tuple[Refusal, ...] = ()
    metrics: tuple[str, ...] = ()  # columns that the file asks for besides the usual ones
    failed: tuple[Failed, ...] = ()
    seeds: int = 0  # that the file asks for, of each recipe
    analysis: Mapping[str, Any] = field(default_factory=dict)
    """What only the search could work out: see `search.importance`. Empty without a search."""

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
        """The tasks that the rows are of, in order."""
        return tuple(dict.fromkeys(str(row.outcome.settings["task"]) for row in self.rows))

    @property
    def best(self) -> Row | None:
        """The best recipe: see `Outcome.rank`. None without rows, and across different tasks.

        Of a search's recipes those count that were confirmed, where any were.
        """
        if len(self.tasks) != 1:
            return None
        most = max((len(row.outcome.seeds) for row in self.trials), default=0)
        full = [row for row in self.trials if len(row.outcome.seeds) == most]  # not stopped early
        if self.fixed:
            full = [row for row in full if not holds_data_back(row.outcome.settings)]
        found = self.having("confirmed") or full
        return min([*self.fixed, *found], key=lambda row: row.outcome.rank(), default=None)


def _mean(value: Mean) -> dict[str, Any]:
    interval = [_plain(value.low), _plain(value.high)]
    return {"mean": _plain(value.mean), "std": _plain(value.std), "ci95": interval}


def _plain(value: Any) -> Any:
    """Returns a NumPy or pandas scalar as JSON's own; NaN, infinities and NA as None."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def sweep_document(result: SweepResult, page: Path) -> dict[str, Any]:
    """Returns a sweep as the JSON document that `sweep --json` prints."""
    search = None
    if result.search is not None:
        trials = [
            {"trial": row.trial, "recipe": dict(row.outcome.settings), "id": row.outcome.digest}
            | row.outcome.summary()
            for row in result.trials
        ]
        best = min(
            result.having("confirmed") or result.trials,
            key=lambda row: (-len(row.outcome.seeds), row.outcome.rank()),
            default=None,
        )
        search = {**result.search, "best": best.id if best else None, "results": trials}
    return {
        "sweep": result.name,
        "recipes": {row.id: row.outcome.summary() for row in result.fixed},
        "search": search,
        "unfinished": result.unfinished,
        "failed": [vars(each) for each in result.failed],
        "report": str(page),
    }


TABLES = ("seeds", "curves", "predictions")


def merge_outcomes(parts: Sequence[Outcome]) -> Outcome:
    """Returns one outcome of a recipe from outcomes over different seeds of it; seeds ascend.

    A seed that several of them have is taken from the first.
    """
    assert len({part.digest for part in parts}) == 1
    known: set[int] = set()
    own = []
    for part in parts:
        fresh = [seed for seed in part.seeds["seed"].tolist() if seed not in known]
        known.update(fresh)
        own += [select_seeds(part, fresh)] if fresh else []
    if len(own) == 1:
        return own[0]
    own.sort(key=lambda part: int(part.seeds["seed"].min()))
    joined = {name: pd.concat([getattr(part, name) for part in own]) for name in TABLES}
    tables = {name: joined[name].sort_values("seed", kind="stable", ignore_index=True)
              for name in TABLES}  # fmt: skip
    spent = sum(part.compile_seconds for part in own)
    whole = dataclasses.replace(own[0], **tables, compile_seconds=spent, weights=(), model=b"")
    best = next(part for part in own if whole.best_seed in set(part.seeds["seed"]))
    return dataclasses.replace(whole, weights=best.weights, model=best.model)


def select_seeds(outcome: Outcome, seeds: Sequence[int]) -> Outcome:
    """Returns what `outcome` says of some of its seeds; the network only if it is their best."""
    if set(seeds) == set(outcome.seeds["seed"]):
        return outcome
    tables = {}
    for name in TABLES:
        table = getattr(outcome, name)
        tables[name] = table[table["seed"].isin(seeds)].reset_index(drop=True)
    part = dataclasses.replace(outcome, **tables)
    if part.best_seed == outcome.best_seed:
        return part
    return dataclasses.replace(part, weights=(), model=b"")
