"""The spine: `run(recipe, seeds) -> Outcome`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.provenance import provenance
from lstm_bench.recipes import Recipe, Samples
from lstm_bench.results import CURVE_POINTS, Outcome, merge_outcomes
from lstm_bench.safety import disk_errors_reported, temporary_folder
from lstm_bench.statistics import (
    BASELINE_PREFIX,
    absolute_errors,
    accuracy,
    best_baseline,
    compute_metrics,
    predicted_answers,
    sequence_accuracy,
    skill_score,
    solved_epoch,
)
from lstm_bench.tasks import Problem
from lstm_bench.training import _backend as backend
from lstm_bench.training._engine import SeedRun, Training, get_engine


def run(
    recipe: Recipe,
    seeds: Sequence[int],
    engine_name: str = "compiled",
    threads: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Trains `recipe` once for each of `seeds` and returns what came of it.

    `engine_name` is a key of `engine.ENGINES`; `threads` seeds are trained at a time (default: one
    a core). `stop` is asked now and then, and ends the run with `Interrupted` when it says so.
    """
    threads = backend.available_cores() if threads is None else threads
    backend.start_tensorflow(threads)
    training = get_engine(engine_name).train(recipe, list(seeds), threads=threads, stop=stop)
    examiner = _Examiner(recipe, engine_name)
    whole = merge_outcomes([examiner.outcome(training, trained) for trained in training.runs])
    model = keras_file(recipe, whole.best_seed, whole.weights)
    return replace(whole, compile_seconds=training.compile_seconds, model=model)


def run_seeds(
    recipes: Sequence[Recipe],
    seeds: Sequence[int],
    engine_name: str = "compiled",
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[list[Outcome]]:
    """Yields, a seed at a time, what came of that seed: an outcome for each of `recipes`.

    These share their training and differ only in how the trained network is asked, so each seed is
    trained once for all. The outcomes have weights, and no model.
    """
    assert len({recipe.training for recipe in recipes}) == 1
    trainer = get_engine(engine_name)
    examiners = [_Examiner(recipe, engine_name) for recipe in recipes]
    for seed in seeds:
        training = trainer.train(recipes[0], [seed], stop=stop)
        yield [examiner.outcome(training, training.runs[0]) for examiner in examiners]


class _Examiner:
    """Asks what training has made of a recipe, seed by seed."""

    def __init__(self, recipe: Recipe, engine_name: str) -> None:
        self.recipe = recipe
        self.engine_name = engine_name
        self.provenance = provenance()
        self._network: Any = None

    def outcome(self, training: Training, trained: SeedRun) -> Outcome:
        """Returns the outcome of one seed of `training`."""
        recipe = self.recipe
        if recipe.evaluation == "teacher_forced":
            asked = _teacher_forced(recipe, trained)
        else:
            asked = self._otherwise(trained)
        return Outcome(
            settings=recipe.settings,
            digest=recipe.digest,
            name=recipe.name,
            engine=self.engine_name,
            seeds=pd.DataFrame([_row(recipe, trained, asked)]),
            curves=_curve(recipe, trained),
            predictions=asked,
            parameters=training.parameters,
            updates=recipe.updates,
            multiply_adds=3 * training.multiply_adds * recipe.epochs * recipe.schedule.samples,
            compile_seconds=training.compile_seconds,
            provenance=self.provenance,
            weights=trained.weights,
            data=recipe.task.known,
        )

    def _otherwise(self, trained: SeedRun) -> pd.DataFrame:
        """Returns the predictions table of an evaluation that asks one input at a time."""
        from lstm_bench.training import _evaluation as evaluation

        if self._network is None:
            self._network = evaluation.Network(self.recipe, trained.samples)
        self._network.load(trained.weights)
        problem = self.recipe.task.problem(trained.seed)
        asked = _ask(self.recipe, self._network, problem, trained.samples, trained.seed)
        columns = (asked.sequence, asked.step, asked.shown, asked.expected, asked.predicted)
        return _table(self.recipe, trained.seed, *columns, asked.right)


def _teacher_forced(recipe: Recipe, run: SeedRun) -> pd.DataFrame:
    """Returns the predictions table of one seed: its last outputs, judged steps only."""
    samples, problem = run.samples, recipe.task.problem(run.seed)
    sample, place = np.nonzero(samples.judged)
    owner, step = samples.sequence[sample], samples.step[sample, place]
    sequences = problem.sequences
    starts = np.cumsum([0, *map(len, sequences)])[owner] + step
    shown = np.concatenate([s.inputs for s in sequences])[starts]
    expected = np.concatenate([s.targets for s in sequences])[starts]
    outputs = run.outputs[sample, place]  # (answers, K)
    predicted = predicted_answers(outputs, recipe.task.kind)
    if recipe.task.kind == "regression":
        expected = recipe.task.in_units(owner, step, expected)
        predicted = recipe.task.in_units(owner, step, np.asarray(predicted, float))
    right = run.right[-1][sample, place]
    table = _table(recipe, run.seed, owner, step, shown, expected, predicted, right)
    none = np.nan if pd.api.types.is_numeric_dtype(table["predicted"]) else "?"  # no answer at all
    table.loc[~np.isfinite(outputs).all(axis=-1), "predicted"] = none
    return _beside_naive(recipe, table)


def _beside_naive(recipe: Recipe, table: pd.DataFrame) -> pd.DataFrame:
    """Returns a predictions table with what could be answered without a network, if anything."""
    task, window = recipe.task, getattr(recipe.framing, "window", None)
    told = {**task.naive(), **(task.naive(window) if window else {})}
    if not told:
        return table
    owner, step = table["sequence"].to_numpy(), table["step"].to_numpy()
    table["input"], table["moment"] = task.moments(owner, step)
    for name, answered in told.items():
        starts = np.cumsum([0, *map(len, answered)])[owner] + step
        table[BASELINE_PREFIX + name] = _told(recipe, np.concatenate(answered)[starts])
    return table


def _ask(recipe: Recipe, network: Any, problem: Problem, samples: Samples, seed: int) -> Any:
    from lstm_bench.training import _evaluation as evaluation

    if recipe.evaluation == "free_running":
        return evaluation.free_running(network, problem)
    if recipe.evaluation == "step_by_step":
        return evaluation.step_by_step(network, problem)
    if recipe.evaluation == "cold_start":
        labels = recipe.task.labels
        start = None if recipe.start is None else labels.index(recipe.start)
        return evaluation.cold_start(network, problem, start)
    return evaluation.random_order(network, problem, samples, seed)


def _table(
    recipe: Recipe,
    seed: int,
    owner: np.ndarray,
    step: np.ndarray,
    shown: np.ndarray,
    expected: np.ndarray,
    predicted: np.ndarray,
    right: np.ndarray,
) -> pd.DataFrame:
    told = (_told(recipe, values) for values in (shown, expected, predicted))
    columns = dict(zip(("input", "expected", "predicted"), told, strict=True))
    place = {"seed": seed, "sequence": owner, "step": step}
    return pd.DataFrame({**place, **columns, "correct": right})


def _told(recipe: Recipe, values: np.ndarray) -> np.ndarray:
    """Returns symbols (M,) by their labels, -1 as no answer; real values (M, K) as text.

    Where they are compared with naive answers, numbers stay numbers, of which there is one each.
    """
    if recipe.task.kind != "categorical" and recipe.task.has_naive:
        numbers = np.asarray(values, float).reshape(len(values), -1)[:, 0]
        return np.array([float(f"{number:.12g}") for number in numbers])  # 13.9, and not 13.89999
    if values.ndim == 1:
        names = np.array([*recipe.task.labels, "?"], dtype=object)
        return np.asarray(names[values.astype(int)])
    return np.array([", ".join(f"{v:.4g}" for v in row) for row in values], dtype=object)


def _row(recipe: Recipe, run: SeedRun, asked: pd.DataFrame) -> dict[str, Any]:
    """Returns one seed's scores, from the table of what it was asked."""
    right, every = asked["correct"].to_numpy(bool), np.ones(len(asked), bool)
    score = float(accuracy(right, every))
    # Known of teacher forcing alone, so it says nothing of a network that fails otherwise.
    epoch = solved_epoch(_accuracy_curve(run, run.samples.judged) >= recipe.task.bar)
    epoch = epoch if score >= recipe.task.bar else None
    row = {
        "seed": run.seed,
        "loss": float(run.loss[-1]),
        "accuracy": score,
        "sequence_accuracy": float(sequence_accuracy(right, every, asked["sequence"].to_numpy())),
        "solved": score >= recipe.task.bar,
        "solved_epoch": np.nan if epoch is None else float(epoch),
        "seconds": run.seconds,
    }
    if recipe.evaluation != "teacher_forced":
        return row
    samples = run.samples
    if samples.trained < len(samples):
        row["seen_accuracy"] = float(_accuracy_curve(run, samples.seen)[-1])
        row["unseen_accuracy"] = score
    targets = samples.y.reshape(*samples.scored.shape, -1)[samples.judged]
    outputs = run.outputs[samples.judged]
    if recipe.task.kind == "regression":
        place = asked["sequence"].to_numpy(), asked["step"].to_numpy()
        targets, outputs = (recipe.task.in_units(*place, values) for values in (targets, outputs))
    return row | compute_metrics(outputs, targets, recipe.task.kind) | _skill(recipe, asked)


def _skill(recipe: Recipe, asked: pd.DataFrame) -> dict[str, Any]:
    """Returns the skill over the best naive answer, which is then what solving means; or nothing.

    A linear model on the recipe's own window is no part of the yardstick: it would differ from
    recipe to recipe.
    """
    names = list(recipe.task.naive())
    if not names:
        return {}
    errors = absolute_errors(asked)
    naive = float(errors[best_baseline(errors, names)].mean())
    found = skill_score(float(errors["network"].mean()), naive)
    return {"skill": found, "solved": found > 0, "solved_epoch": np.nan}


def _accuracy_curve(run: SeedRun, counted: np.ndarray) -> np.ndarray:
    """Returns the step accuracy after every epoch, (E,), over the answers `counted` (N, M)."""
    flat = run.right.reshape(len(run.right), -1)
    curve: np.ndarray = accuracy(flat, counted.ravel())
    return curve


def _curve(recipe: Recipe, run: SeedRun) -> pd.DataFrame:
    """Returns the learning curve of one seed at up to CURVE_POINTS epochs, the last included."""
    epochs = len(run.loss)
    points = np.unique(np.linspace(0, epochs - 1, min(epochs, CURVE_POINTS)).round().astype(int))
    columns = {"loss": run.loss.astype(float), "accuracy": _accuracy_curve(run, run.samples.judged)}
    if run.samples.trained < len(run.samples):
        columns["seen_accuracy"] = _accuracy_curve(run, run.samples.seen)
    kept = {key: curve[points] for key, curve in columns.items()}
    return pd.DataFrame({"seed": run.seed, "epoch": points + 1, **kept})


def keras_file(recipe: Recipe, seed: int, weights: Sequence[np.ndarray]) -> bytes:
    """Returns the network trained on `seed` as the bytes of a `.keras` file.

    Where it is stateful it takes batches of one.
    """
    from lstm_bench.training._models import build

    samples = recipe.samples(seed)
    shape = (samples.x.shape[1], samples.x.shape[2])
    model = build(recipe, shape, samples.y.shape[-1], 1 if recipe.stateful else None, plain=True)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    with temporary_folder() as folder, disk_errors_reported():
        path = folder / "model.keras"
        model.save(path)
        return path.read_bytes()
