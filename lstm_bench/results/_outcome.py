"""The outcome of a recipe over its seeds, as tables.

`seeds`        one row per seed: SEED_COLUMNS
`curves`       one row per seed and epoch (thinned to about CURVE_POINTS epochs): CURVE_COLUMNS
`predictions`  one row per seed and scored step: PREDICTION_COLUMNS
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lstm_bench.errors import UserError, unknown
from lstm_bench.results._figures import (
    ScoreStrip,
    accuracy_figure,
    as_svg,
    curves_figure,
)
from lstm_bench.results._json import plain_json
from lstm_bench.safety import html_table
from lstm_bench.statistics import (
    WORST_SKILL,
    Mean,
    Rate,
    mean_interval,
    median_epochs,
    solve_rate,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEED_COLUMNS = (
    "seed",
    "loss",  # of the last epoch, as Keras reports it
    "accuracy",  # share of scored steps right, in the evaluation that the recipe names
    "sequence_accuracy",  # share of sequences with every scored step right
    "solved",  # bool, as the task defines it
    "solved_epoch",  # first epoch from which it stayed solved in teacher forcing; NaN if never
    "seconds",  # of training
)
"""The columns that every seeds table has.

Where a task says which steps need memory, `recall_accuracy` is the accuracy over these alone. Where
a recipe may end early, `trained_epochs` tells when, and `sequences` after how many training
sequences; NaN if the seed did not solve the task. With `stop=rule` they are counted until the
task's rule was met. With `stop_after_solved` they are those of all epochs that were trained: an
upper end, because the task is only evaluated between epochs, and has then stayed solved for a
while. Where a task has unseen sequences, `accuracy` is measured on these, and `seen_accuracy` and
`unseen_accuracy` are columns too. In teacher forcing there are also all of `statistics.METRICS`,
and `skill` where the task has baselines (see `statistics.skill_score`).
"""
PLACE_COLUMNS = ("host", "processor", "versions")
"""Text columns of seeds that a cluster has run, at the end: where, and with which packages."""
PARTIAL_ACCURACIES = ("recall_accuracy", "seen_accuracy", "unseen_accuracy")
"""Accuracies over a part of the scored steps, if they were recorded."""

CURVE_COLUMNS = ("seed", "epoch", "loss", "accuracy")
PREDICTION_COLUMNS = ("seed", "sequence", "step", "input", "expected", "predicted", "correct")
CURVE_POINTS = 200


NOT_COMPARED = ("compile_seconds", "provenance", "model")
"""Fields that equal outcomes may differ in: when, where, and the file made of the weights."""


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What a recipe did over its seeds. Everything reported is computed from this.

    `seeds` is a table with one row per seed, `curves` one with a row per seed and epoch, and
    `predictions` one with a row per seed and scored step.

    >>> import lstm_bench as lb
    >>> outcome = lb.run("memory", seeds=2, units=5, epochs=3)
    >>> outcome.solve_rate.n, int(outcome.curves["epoch"].max()), outcome == outcome
    (2, 3, True)
    """

    settings: Mapping[str, Any]  # of the recipe, as one flat mapping
    digest: str
    name: str
    engine: str
    seeds: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame
    parameters: int
    updates: int  # weight updates per seed
    multiply_adds: int  # by weights, in training one seed: forward, and twice as many backward
    compile_seconds: float
    provenance: Mapping[str, str] = field(default_factory=dict)
    weights: tuple[np.ndarray, ...] = ()  # of the best seed, until they are in `model`
    model: bytes = b""  # the best seed's network, a `.keras` file
    data: Mapping[str, Any] = field(default_factory=dict)  # see `Task.preprocessing`

    @property
    def accuracy(self) -> Mean:
        """Mean step accuracy over the seeds, with its 95 % interval."""
        return mean_interval(self.seeds["accuracy"].to_numpy(), 0.0, 1.0)

    @property
    def solve_rate(self) -> Rate:
        """How many seeds solved the task, with Wilson's 95 % interval."""
        return solve_rate(self.seeds["solved"].to_numpy())

    @property
    def epochs_to_solve(self) -> float | None:
        """The median over all seeds, with unsolved ones as infinite; None if it is infinite."""
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
        """Parameters times updates, the same on every machine."""
        return self.parameters * self.updates

    @property
    def score(self) -> str:
        """The column of `seeds` that ranks: `skill` where there are baselines, or `accuracy`."""
        return "skill" if "skill" in self.seeds else "accuracy"

    def rank(self) -> tuple[float, float, int, str]:
        """Returns a key that sorts the best recipe first.

        By solve rate, accuracy and cost; where there are baselines by skill, solve rate and cost.
        """
        mean = mean_interval(self.seeds[self.score].to_numpy(float)).mean
        first, second = self.solve_rate.rate, mean
        if self.score == "skill":  # a seed counts as solved by its skill
            first, second = second, first
        return (-first, -second, self.cost, self.digest)

    def summary(self) -> dict[str, Any]:
        """Returns the means and rates over the seeds as plain JSON values; NaN becomes None."""
        rate = self.solve_rate
        loss = mean_interval(self.seeds["loss"].to_numpy())
        sequences = mean_interval(self.seeds["sequence_accuracy"].to_numpy(), 0.0, 1.0)
        document = {
            "seeds": len(self.seeds),
            "accuracy": _mean_document(self.accuracy),
            "loss": _mean_document(loss),
            "sequence_accuracy": _mean_document(sequences),
            "solve_rate": {
                "k": rate.k,
                "n": rate.n,
                "rate": rate.rate,
                "ci95": [rate.low, rate.high],
            },
            "epochs_to_solve": {"median": self.epochs_to_solve},
        }
        if "sequences" in self.seeds:
            document["sequences"] = _sequences_document(self.seeds["sequences"].to_numpy(float))
        if "recall_accuracy" in self.seeds:
            recall = mean_interval(self.seeds["recall_accuracy"].to_numpy(), 0.0, 1.0)
            document["recall_accuracy"] = _mean_document(recall)
        return dict(plain_json(document))

    def document(self) -> dict[str, Any]:
        """Returns the outcome as the JSON document that `run --json` prints."""
        document = {
            "recipe": dict(self.settings),
            "name": self.name,
            "id": self.digest,
            "engine": self.engine,
            "per_seed": self.seeds.to_dict("records"),
            "summary": self.summary(),
            "parameters": self.parameters,
            "updates": self.updates,
            "multiply_adds": self.multiply_adds,
            "seconds": {"compile": self.compile_seconds, "train": self.train_seconds},
        }
        return dict(plain_json(document))

    def learning_curve(self) -> pd.DataFrame:
        """Returns the learning curve over the seeds: one row per epoch.

        Columns: epoch, seeds, and mean, low (smallest) and high (largest) of loss and of accuracy.
        If the value of one seed is not finite, all three are NaN, so that a divergence is visible.
        A seed that ended early keeps its last values.
        """
        curves = _extended_curves(self.curves).replace([np.inf, -np.inf], np.nan)
        groups = curves.groupby("epoch", sort=True)
        columns: dict[str, Any] = {"seeds": groups["seed"].nunique()}
        for measure in ("loss", "accuracy"):
            values = groups[measure]
            columns[f"{measure}_mean"] = values.mean(skipna=False)
            columns[f"{measure}_low"] = values.min(skipna=False)
            columns[f"{measure}_high"] = values.max(skipna=False)
        return pd.DataFrame(columns).reset_index()

    def plot(self, kind: Literal["curves", "accuracy"] = "curves") -> Figure:
        """Returns a figure: the learning curves, or the score of every seed.

        Raises `UserError` for another kind.
        """
        label = f"{self.settings.get('task', '')}: {self.name}"
        kind = kind if isinstance(kind, str) else repr(kind)  # arrays compare element by element
        if kind == "curves":
            return curves_figure([self.learning_curve()], [label])
        if kind == "accuracy":
            return accuracy_figure([score_strip(self, label)], score_title(self))
        raise UserError(f"kind: {unknown('plot', kind, ('curves', 'accuracy'))}")

    def __repr__(self) -> str:
        rate, count = self.solve_rate, len(self.seeds)
        mean = measure_mean(self, self.score)
        return (
            f"Outcome({str(self.settings.get('task'))[:80]}: {self.name[:200]}; "
            f"{count} seed{'' if count == 1 else 's'}, {self.score} {mean.mean:.3f}, "
            f"solved {rate.k}/{rate.n})"
        )

    def _repr_html_(self) -> str:
        rate, mean = self.solve_rate, measure_mean(self, self.score)
        interval = "" if np.isnan(mean.low) else f" [{100 * mean.low:.1f}, {100 * mean.high:.1f}]"
        rows = {
            "recipe": f"{self.settings.get('task')}: {self.name}",
            "seeds": f"{len(self.seeds)}",
            f"{self.score}, %": f"{100 * mean.mean:.1f}{interval}",
            "solved": f"{rate.k} of {rate.n} [{100 * rate.low:.1f}, {100 * rate.high:.1f}] %",
            "cost": f"{self.parameters:,} parameters, {self.updates:,} updates per seed",
        }
        table = html_table(rows)
        if not len(self.curves):
            return table
        svg = as_svg(self.plot()).decode()
        return table + svg[svg.index("<svg") :]

    def __eq__(self, other: object) -> bool:
        """Returns whether all numbers are equal; times and provenance do not count."""
        if not isinstance(other, Outcome):
            return NotImplemented
        return all(
            _equal(_timeless(getattr(self, field.name)), _timeless(getattr(other, field.name)))
            for field in dataclasses.fields(self)
            if field.name not in NOT_COMPARED
        )

    def __hash__(self) -> int:
        return hash((self.digest, self.engine, len(self.seeds)))


def _timeless(value: Any) -> Any:
    """Returns a field without the seconds that training took, and without where it ran."""
    if not isinstance(value, pd.DataFrame):
        return value
    return value.drop(columns=["seconds", *PLACE_COLUMNS], errors="ignore")


def _equal(first: Any, second: Any) -> bool:
    """Returns whether two fields are equal, tables and arrays value by value; NaN equals NaN."""
    if first is second:
        return True
    if np.isscalar(first) and np.isscalar(second):
        return bool(first == second or (first != first and second != second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_equal(first[k], second[k]) for k in first)
    if type(first) is not type(second):
        return False
    if isinstance(first, pd.DataFrame | pd.Series):
        return bool(first.equals(second))
    if isinstance(first, np.ndarray):
        return first.shape == second.shape and _equal(first.tolist(), second.tolist())
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_equal, first, second))
    return bool(first == second)


def _extended_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Returns learning curves in which every seed has the last values to the last epoch of all."""
    if len(set(curves.groupby("seed")["epoch"].max())) < 2:
        return curves
    epochs = np.unique(curves["epoch"])
    parts = []
    for seed, curve in curves.groupby("seed", sort=False):
        last = curve.iloc[-1]
        later = epochs[epochs > last["epoch"]]
        rows = {column: last[column] for column in curve.columns if column not in ("seed", "epoch")}
        parts += [curve, pd.DataFrame({"seed": seed, "epoch": later, **rows})]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _mean_document(mean: Mean) -> dict[str, Any]:
    return {"mean": mean.mean, "std": mean.std, "ci95": [mean.low, mean.high]}


def _sequences_document(sequences: np.ndarray) -> dict[str, Any]:
    """Returns the median and the mean over the `n` seeds that solved the task."""
    solved = sequences[np.isfinite(sequences)]
    middle, mean = (float(f(solved)) if len(solved) else np.nan for f in (np.median, np.mean))
    return {"median": middle, "mean": mean, "n": len(solved)}


SEED_COLUMN = {"solve_rate": "solved"}
"""The column of the seeds table that holds a measure, if its name is another one."""


def measure_bounds(measure: str) -> tuple[float, float]:
    """Returns the smallest and the largest value that a measure can have."""
    return (WORST_SKILL, 1.0) if measure == "skill" else (0.0, 1.0)


def measure_values(outcome: Outcome, measure: str) -> np.ndarray:
    """Returns the value of `measure` for every seed, in the order of the seeds, shape (seeds,).

    A solved seed counts as 1. All values are NaN where the measure was not recorded.
    """
    column = SEED_COLUMN.get(measure, measure)
    if column not in outcome.seeds:
        return np.full(len(outcome.seeds), np.nan)
    return outcome.seeds.sort_values("seed")[column].to_numpy(float)


def measure_mean(outcome: Outcome, measure: str) -> Mean:
    """Returns the mean of `measure` over the seeds, with a 95 % interval within its bounds.

    The interval is Wilson's for a rate, else that of a mean.
    """
    mean = mean_interval(measure_values(outcome, measure), *measure_bounds(measure))
    if measure != "solve_rate":
        return mean
    rate = outcome.solve_rate
    return Mean(mean.n, mean.mean, mean.std, rate.low, rate.high)


def score_strip(
    outcome: Outcome, label: str, published: float | None = None, measure: str = ""
) -> ScoreStrip:
    """Returns the row of an accuracy figure for an outcome, in percent.

    `measure` is the column of its seeds table to show; by default, what ranks it.
    """
    measure = measure or outcome.score
    mean = measure_mean(outcome, measure)
    scores = 100 * outcome.seeds[measure].to_numpy(float)
    figure = None if published is None else 100 * published
    return ScoreStrip(label, scores, 100 * mean.mean, 100 * mean.low, 100 * mean.high, figure)


def score_title(outcome: Outcome) -> str:
    """Returns the label of the axis of an accuracy figure."""
    return "Skill, %" if outcome.score == "skill" else "Accuracy, % of scored steps"


TABLES = ("seeds", "curves", "predictions")


def merge_outcomes(parts: Sequence[Outcome]) -> Outcome:
    """Returns one outcome from outcomes of one recipe over different seeds, in ascending order.

    A seed that several of them have is taken from the first.
    """
    assert len({part.digest for part in parts}) == 1
    seen: set[int] = set()
    disjoint = []
    for part in parts:
        new = [seed for seed in part.seeds["seed"].tolist() if seed not in seen]
        seen.update(new)
        disjoint += [select_seeds(part, new)] if new else []
    if len(disjoint) == 1:
        return disjoint[0]
    disjoint.sort(key=lambda part: int(part.seeds["seed"].min()))
    joined = {name: pd.concat([getattr(part, name) for part in disjoint]) for name in TABLES}
    for column in set(PLACE_COLUMNS) & set(joined["seeds"].columns):
        joined["seeds"][column] = joined["seeds"][column].fillna("")  # of seeds that ran here
    tables = {name: joined[name].sort_values("seed", kind="stable", ignore_index=True)
              for name in TABLES}  # fmt: skip
    spent = sum(part.compile_seconds for part in disjoint)
    merged = dataclasses.replace(
        disjoint[0], **tables, compile_seconds=spent, weights=(), model=b""
    )
    best = next(part for part in disjoint if merged.best_seed in set(part.seeds["seed"]))
    return dataclasses.replace(merged, weights=best.weights, model=best.model)


def select_seeds(outcome: Outcome, seeds: Sequence[int]) -> Outcome:
    """Returns the outcome for some of the seeds; the network stays if its seed is the best."""
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
