"""The outcome of a recipe over its seeds: its scores, as numbers and as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lstm_bench.errors import UserError, unknown
from lstm_bench.results._columns import PLACE_COLUMNS
from lstm_bench.results._equality import is_equal, without_columns
from lstm_bench.results._figures import (
    ScoreStrip,
    accuracy_figure,
    as_svg,
    curves_figure,
)
from lstm_bench.results._json import plain_json
from lstm_bench.results._stretch_scores import is_scored_on_stretch, mean_on_stretch
from lstm_bench.results._words import counted
from lstm_bench.safety import html_table
from lstm_bench.statistics import (
    WORST_SKILL,
    Mean,
    Rate,
    StretchMean,
    mean_interval,
    median_epochs,
    positive_rate,
    solve_rate,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_COMPARED = ("compile_seconds", "provenance", "model")
"""Fields in which equal outcomes may differ: times, places, and the model file."""


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """The results of a recipe over its seeds. Everything reported is computed from them.

    There are three tables. `seeds` has one row per seed, `curves` one per seed and epoch, and
    `predictions` one per seed and scored step.

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
    multiply_adds: int  # by weights, per seed: forward passes, and twice as many backward
    compile_seconds: float
    provenance: Mapping[str, str] = field(default_factory=dict)
    weights: tuple[np.ndarray, ...] = ()  # of the best seed, until `model` has them
    model: bytes = b""  # the best seed's network, a `.keras` file
    data: Mapping[str, Any] = field(default_factory=dict)  # see `Task.preprocessing`

    @property
    def accuracy(self) -> Mean:
        """Mean step accuracy over the seeds, with its 95 % interval: see `measure_mean`."""
        return measure_mean(self, "accuracy")

    @property
    def solve_rate(self) -> Rate:
        """The number and share of seeds that solved the task, with Wilson's 95 % interval.

        If all seeds are scored on one stretch of data, "solved" only means an error below the
        baseline's on this stretch. The interval then counts the stretch too: see `positive_rate`.
        """
        return solve_rate_interval(self)

    @cached_property
    def on_stretch(self) -> bool:
        """Whether all seeds are scored on the same stretch of data, and have baselines."""
        return is_scored_on_stretch(self.seeds, self.predictions)

    @property
    def overlap(self) -> int:
        """The number of steps that one forecast shares with the next."""
        return int(self.settings.get("horizon") or 1)

    @cached_property
    def _stretch_means(self) -> dict[tuple[str, float], StretchMean | None]:
        """A cache of means over seeds and steps, by measure and level."""
        return {}

    def stretch_mean(self, measure: str, level: float = 0.05) -> StretchMean | None:
        """Returns the mean of a measure with an interval that counts seeds and steps.

        None unless all seeds are scored on one stretch: see `on_stretch`.
        """
        if not self.on_stretch or not len(self.seeds):
            return None
        key = (measure, level)
        if key not in self._stretch_means:
            mean = mean_on_stretch(self.seeds, self.predictions, measure, self.overlap, level)
            different = mean is None and measure == "skill"  # baselines of its seeds
            self._stretch_means[key] = StretchMean(np.nan) if different else mean
        return self._stretch_means[key]

    @property
    def epochs_to_solve(self) -> float | None:
        """The median over all seeds, counting unsolved ones as infinite; None if it is infinite."""
        return median_epochs(self.seeds["solved_epoch"].tolist())

    @property
    def train_seconds(self) -> float:
        """Seconds of training, summed over the seeds."""
        return float(self.seeds["seconds"].sum())

    @property
    def best_seed(self) -> int:
        """The seed with the highest `score`; among equals, the one with the lowest loss."""
        keys = [self.score, "loss", "seed"]
        ranked = self.seeds.sort_values(keys, ascending=[False, True, True])
        return int(ranked["seed"].iloc[0])

    @property
    def cost(self) -> int:
        """Trainable parameters times weight updates, the same on every machine."""
        return self.parameters * self.updates

    @property
    def score(self) -> str:
        """The column of `seeds` that ranks recipes: `skill` with baselines, else `accuracy`."""
        return "skill" if "skill" in self.seeds else "accuracy"

    def rank(self) -> tuple[float, float, int, str]:
        """Returns a key that sorts the best recipe first.

        It sorts by solve rate, accuracy and cost; with baselines, by skill, solve rate and cost.
        """
        mean = mean_interval(self.seeds[self.score].to_numpy(float)).mean
        first, second = self.solve_rate.rate, mean
        if self.score == "skill":  # a seed counts as solved by its skill
            first, second = second, first
        return (-first, -second, self.cost, self.digest)

    def summary(self) -> dict[str, Any]:
        """Returns means and rates over the seeds as plain JSON values; NaN becomes None."""
        rate = self.solve_rate
        loss = mean_interval(self.seeds["loss"].to_numpy())
        sequences = measure_mean(self, "sequence_accuracy")
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

        Columns: epoch, seeds, and the mean, low (smallest) and high (largest) loss and accuracy. If
        the value of one seed is not finite, all three are NaN, so that a divergence is visible. A
        seed that ended early keeps its last values.
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
        rate = self.solve_rate
        mean = measure_mean(self, self.score)
        return (
            f"Outcome({str(self.settings.get('task'))[:80]}: {self.name[:200]}; "
            f"{counted(len(self.seeds), 'seed')}, {self.score} {mean.mean:.3f}, "
            f"{'skill > 0' if self.score == 'skill' else 'solved'} {rate.k}/{rate.n})"
        )

    def _repr_html_(self) -> str:
        rate, mean = self.solve_rate, measure_mean(self, self.score)
        interval = "" if np.isnan(mean.low) else f" [{100 * mean.low:.1f}, {100 * mean.high:.1f}]"
        ends = "" if np.isnan(rate.low) else f" [{100 * rate.low:.1f}, {100 * rate.high:.1f}] %"
        solved = "skill above 0" if self.score == "skill" else "solved"
        rows = {
            "recipe": f"{self.settings.get('task')}: {self.name}",
            "seeds": f"{len(self.seeds)}",
            f"{self.score}, %": f"{100 * mean.mean:.1f}{interval}",
            solved: f"{rate.k} of {rate.n}{ends}",
            "cost": f"{self.parameters:,} parameters, {self.updates:,} updates per seed",
        }
        table = html_table(rows)
        if not len(self.curves):
            return table
        svg = as_svg(self.plot()).decode()
        return table + svg[svg.index("<svg") :]

    def __eq__(self, other: object) -> bool:
        """Returns whether all numbers are equal, apart from times and provenance."""
        if not isinstance(other, Outcome):
            return NotImplemented
        left_out = ("seconds", *PLACE_COLUMNS)
        return all(
            is_equal(
                without_columns(getattr(self, field.name), left_out),
                without_columns(getattr(other, field.name), left_out),
            )
            for field in dataclasses.fields(self)
            if field.name not in NOT_COMPARED
        )

    def __hash__(self) -> int:
        return hash((self.digest, self.engine, len(self.seeds)))


def _extended_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Returns learning curves in which each seed keeps its last values until the last epoch."""
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
"""The column of the seeds table with a measure, if the column has another name."""


def measure_bounds(measure: str) -> tuple[float, float]:
    """Returns the smallest and the largest value that a measure can have."""
    return (WORST_SKILL, 1.0) if measure == "skill" else (0.0, 1.0)


def measure_values(outcome: Outcome, measure: str) -> np.ndarray:
    """Returns the value of `measure` for every seed, in the order of the seeds, shape (seeds,).

    A solved seed counts as 1. All values are NaN if the measure was not recorded.
    """
    column = SEED_COLUMN.get(measure, measure)
    if column not in outcome.seeds:
        return np.full(len(outcome.seeds), np.nan)
    return outcome.seeds.sort_values("seed")[column].to_numpy(float)


TOO_FEW_STEPS = "too few steps, none that differ, or seeds that cannot be compared"
"""The reason why a mean on a stretch of data has no interval."""


def measure_mean(outcome: Outcome, measure: str, level: float = 0.05) -> Mean:
    """Returns the mean of `measure` over the seeds, with an interval within its bounds.

    The interval has confidence 1 - `level`. For a rate, it is Wilson's. If all seeds are scored on
    the same stretch of data, it counts the stretch too.
    """
    bounds = measure_bounds(measure)
    mean = mean_interval(measure_values(outcome, measure), *bounds, level=level)
    if measure == "solve_rate":
        rate = solve_rate_interval(outcome, level)
        return Mean(mean.n, mean.mean, mean.std, rate.low, rate.high)
    pooled = outcome.stretch_mean(measure, level)
    if pooled is None:
        return mean
    if np.isnan(pooled.low):
        return Mean(mean.n, mean.mean, mean.std, np.nan, np.nan, TOO_FEW_STEPS)
    low, high = max(pooled.low, bounds[0]), min(pooled.high, bounds[1])
    return Mean(mean.n, mean.mean, mean.std, low, high)


def solve_rate_interval(outcome: Outcome, level: float = 0.05) -> Rate:
    """Returns the solve rate of the seeds, with an interval of confidence 1 - `level`."""
    skill = outcome.stretch_mean("skill", level)
    if skill is None:
        return solve_rate(outcome.seeds["solved"].to_numpy(), level)
    return positive_rate(measure_values(outcome, "skill"), skill.step_half_width, level)


def score_strip(
    outcome: Outcome, label: str, published: float | None = None, measure: str = ""
) -> ScoreStrip:
    """Returns the row of an accuracy figure for an outcome, in percent.

    `measure` is the column of the seeds table to show, by default the one that ranks recipes.
    """
    measure = measure or outcome.score
    mean = measure_mean(outcome, measure)
    scores = 100 * outcome.seeds[measure].to_numpy(float)
    figure = None if published is None else 100 * published
    return ScoreStrip(label, scores, 100 * mean.mean, 100 * mean.low, 100 * mean.high, figure)


def score_title(outcome: Outcome) -> str:
    """Returns the label of the axis of an accuracy figure."""
    return "Skill, %" if outcome.score == "skill" else "Accuracy, % of scored steps"
