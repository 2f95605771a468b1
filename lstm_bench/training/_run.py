"""Trains and evaluates a recipe on seeds: `run(recipe, seeds) -> Outcome`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.provenance import provenance
from lstm_bench.recipes import NETWORK_SOURCE, Recipe, Samples
from lstm_bench.results import CURVE_POINTS, Outcome, merge_outcomes
from lstm_bench.safety import disk_errors_reported, temporary_folder
from lstm_bench.statistics import (
    BASELINE_PREFIX,
    OUTPUT,
    OUTPUT_UNIT,
    absolute_errors,
    accuracy,
    best_baseline,
    compute_metrics,
    decode_outputs,
    sequence_accuracy,
    skill_score,
    solved_epoch,
)
from lstm_bench.tasks import Problem
from lstm_bench.training import _backend as backend
from lstm_bench.training._engine import SeedRun, Training, get_engine
from lstm_bench.training._origins import join_origins


def run(
    recipe: Recipe,
    seeds: Sequence[int],
    engine_name: str = "compiled",
    threads: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Trains `recipe` once for each of `seeds` and returns the outcome.

    `engine_name` is a key of `ENGINES`. `threads` seeds are trained at a time, by default one per
    core. `stop` is called regularly; if it returns True, the run ends with `Interrupted`.
    """
    threads = backend.available_cores() if threads is None else threads
    backend.start_tensorflow(threads)
    engine, by_origin, compile_seconds = get_engine(engine_name), [], 0.0
    for part in recipe.at_origins or (recipe,):
        training = engine.train(part, list(seeds), threads=threads, stop=stop)
        evaluator = _Evaluator(part, engine_name)
        by_origin.append([evaluator.outcome(training, seed_run) for seed_run in training.runs])
        compile_seconds += training.compile_seconds
    by_seed = zip(*by_origin, strict=True)
    outcome = merge_outcomes([join_origins(recipe, of_seed) for of_seed in by_seed])
    model = keras_file(recipe, outcome.best_seed, outcome.weights)
    return replace(outcome, compile_seconds=compile_seconds, model=model)


def run_seeds(
    recipes: Sequence[Recipe],
    seeds: Sequence[int],
    engine_name: str = "compiled",
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[list[Outcome]]:
    """Yields for each seed a list with one outcome for each of `recipes`.

    The recipes must share their training and differ only in their evaluation, so each seed is
    trained once for all of them. The outcomes have weights but no model.
    """
    assert len({recipe.training for recipe in recipes}) == 1
    engine = get_engine(engine_name)
    origins = zip(*(recipe.at_origins or (recipe,) for recipe in recipes), strict=True)
    by_origin = [[_Evaluator(part, engine_name) for part in parts] for parts in origins]
    for seed in seeds:
        outcomes = []
        for evaluators in by_origin:
            training = engine.train(evaluators[0].recipe, [seed], stop=stop)
            outcomes.append([part.outcome(training, training.runs[0]) for part in evaluators])
        by_recipe = zip(*outcomes, strict=True)
        yield [join_origins(*pair) for pair in zip(recipes, by_recipe, strict=True)]


class _Evaluator:
    """Evaluates the trained networks of a recipe, one seed at a time."""

    def __init__(self, recipe: Recipe, engine_name: str) -> None:
        self.recipe = recipe
        self.engine_name = engine_name
        self.provenance = provenance()
        self._network: Any = None
        self._baselines = _BaselineColumns(recipe)

    def outcome(self, training: Training, seed_run: SeedRun) -> Outcome:
        """Returns the outcome of one seed of `training`."""
        recipe = self.recipe
        if recipe.evaluation == "teacher_forced":
            predictions = self._baselines.added_to(_teacher_forced_predictions(recipe, seed_run))
        else:
            predictions = self._stepwise_predictions(seed_run)
        return Outcome(
            settings=recipe.settings,
            digest=recipe.digest,
            name=recipe.name,
            engine=self.engine_name,
            seeds=pd.DataFrame([_scores(recipe, seed_run, predictions)]),
            curves=_learning_curve(seed_run),
            predictions=predictions,
            parameters=training.parameters,
            updates=recipe.updates,
            multiply_adds=3 * training.multiply_adds * recipe.epochs * recipe.schedule.samples,
            compile_seconds=training.compile_seconds,
            provenance=self.provenance | _network_source(recipe),
            weights=seed_run.weights,
            data=recipe.task.preprocessing,
        )

    def _stepwise_predictions(self, seed_run: SeedRun) -> pd.DataFrame:
        """Returns the predictions table of an evaluation that feeds one input at a time."""
        from lstm_bench.training import _evaluation as evaluation

        if self._network is None:
            self._network = evaluation.Network(self.recipe, seed_run.samples)
        self._network.load(seed_run.weights)
        problem = self.recipe.task.problem(seed_run.seed)
        result = _evaluate(self.recipe, self._network, problem, seed_run.samples, seed_run.seed)
        return _predictions_table(
            self.recipe,
            seed_run.seed,
            result.sequence,
            result.step,
            result.input,
            result.expected,
            result.predicted,
            result.correct,
        )


def _network_source(recipe: Recipe) -> dict[str, str]:
    """Returns the digest of the files of a user's own network, by name; empty for others."""
    network = recipe.own_network
    return {} if network is None else {NETWORK_SOURCE: network.digest}


def _teacher_forced_predictions(recipe: Recipe, run: SeedRun) -> pd.DataFrame:
    """Returns the predictions table of one seed: its last outputs, evaluated steps only."""
    samples, problem = run.samples, recipe.task.problem(run.seed)
    sample, position = np.nonzero(samples.evaluated)
    sequence, step = samples.sequence[sample], samples.step[sample, position]
    sequences = problem.sequences
    index = np.cumsum([0, *map(len, sequences)])[sequence] + step
    inputs = np.concatenate([s.inputs for s in sequences])[index]
    expected = np.concatenate([s.targets for s in sequences])[index]
    outputs = run.outputs[sample, position]  # (predictions, K)
    predicted = decode_outputs(outputs, recipe.task.kind)
    if recipe.task.kind == "regression":
        expected = recipe.task.in_units(sequence, step, expected)
        predicted = recipe.task.in_units(sequence, step, np.asarray(predicted, float))
    correct = run.correct[-1][sample, position]
    count = max(1, len(recipe.task.output_names))  # a row for each of them
    if count > 1:
        sequence, step, inputs, correct = (
            np.repeat(values, count, axis=0) for values in (sequence, step, inputs, correct)
        )
        expected, predicted = (np.reshape(v, (-1, 1)) for v in (expected, predicted))
    table = _predictions_table(
        recipe, run.seed, sequence, step, inputs, expected, predicted, correct
    )
    missing = np.nan if pd.api.types.is_numeric_dtype(table["predicted"]) else "?"
    finite = np.isfinite(outputs).all(axis=-1)
    table.loc[~np.repeat(finite, count), "predicted"] = missing
    return table


class _BaselineColumns:
    """The columns of a predictions table that compare it with baselines; made once if they can be.

    They depend on which steps are scored alone, and on a file these are the same for every seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._steps: np.ndarray = np.empty(0)
        self._columns: dict[str, np.ndarray] = {}

    def added_to(self, table: pd.DataFrame) -> pd.DataFrame:
        """Returns a predictions table with a column for each baseline of the task."""
        task, window = self.recipe.task, getattr(self.recipe.framing, "window", None)
        steps = table[["sequence", "step"]].to_numpy()
        if not self._columns or not np.array_equal(steps, self._steps):
            baselines = {**task.baselines(), **(task.baselines(window) if window else {})}
            self._steps, self._columns = steps, self._made(steps, baselines) if baselines else {}
        return table.assign(**self._columns)

    def _made(
        self, steps: np.ndarray, baselines: Mapping[str, tuple[np.ndarray, ...]]
    ) -> dict[str, np.ndarray]:
        """Returns the columns (M,) at `steps` (M, 2): their sequences and steps."""
        task = self.recipe.task
        count = max(1, len(task.output_names))
        sequence, step = steps[::count].T
        times, moments = task.step_times(sequence, step)
        columns = {"input": times.ravel(), "moment": np.repeat(moments, count)}
        for name, predicted in baselines.items():
            index = np.cumsum([0, *map(len, predicted)])[sequence] + step
            values = np.concatenate(predicted)[index].reshape(len(steps), *[1] * (count > 1))
            columns[BASELINE_PREFIX + name] = _readable_values(self.recipe, values)
        if task.output_names:
            columns[OUTPUT] = np.tile(np.array(task.output_names, object), len(step))
        if task.output_units:
            columns[OUTPUT_UNIT] = np.tile(task.output_units, len(step))
        return columns


def _evaluate(recipe: Recipe, network: Any, problem: Problem, samples: Samples, seed: int) -> Any:
    """Returns the `Predictions` of the evaluation that `recipe` names."""
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


def _predictions_table(
    recipe: Recipe,
    seed: int,
    sequence: np.ndarray,
    step: np.ndarray,
    inputs: np.ndarray,
    expected: np.ndarray,
    predicted: np.ndarray,
    correct: np.ndarray,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seed": seed,
            "sequence": sequence,
            "step": step,
            "input": _readable_values(recipe, inputs),
            "expected": _readable_values(recipe, expected),
            "predicted": _readable_values(recipe, predicted),
            "correct": correct,
        }
    )


def _readable_values(recipe: Recipe, values: np.ndarray) -> np.ndarray:
    """Returns values (M,) for a predictions table, from symbols (M,) or real values (M, K).

    Symbols become their labels, or "?" for -1. Real values become text, or stay numbers if the task
    has baselines to compare with (then K is 1).
    """
    if recipe.task.kind != "categorical" and recipe.task.has_baselines:
        numbers = np.asarray(values, float).reshape(len(values), -1)[:, 0]
        return np.array([float(f"{number:.12g}") for number in numbers])  # 13.9, and not 13.89999
    if values.ndim == 1:
        labels = np.array([*recipe.task.labels, "?"], dtype=object)
        return np.asarray(labels[values.astype(int)])
    return np.array([", ".join(f"{v:.4g}" for v in row) for row in values], dtype=object)


def _scores(recipe: Recipe, run: SeedRun, predictions: pd.DataFrame) -> dict[str, Any]:
    """Returns the scores of one seed, from its predictions table."""
    correct = predictions["correct"].to_numpy(bool)
    counted = np.ones(len(predictions), bool)
    sequence = predictions["sequence"].to_numpy()
    score = float(accuracy(correct, counted))
    # The curve comes from teacher forcing, so it does not count if another evaluation fails.
    first = solved_epoch(_accuracy_curve(run, run.samples.evaluated) >= recipe.task.bar)
    solved = score >= recipe.task.bar
    row = {
        "seed": run.seed,
        "loss": float(run.loss[-1]),
        "accuracy": score,
        "sequence_accuracy": float(sequence_accuracy(correct, counted, sequence)),
        "solved": score >= recipe.task.bar,
        "solved_epoch": float(run.evaluated[first - 1]) if first and solved else np.nan,
        "seconds": run.seconds,
    }
    if recipe.stop_after_solved is not None or recipe.stop is not None:
        row["trained_epochs"] = len(run.loss)
    if recipe.stop_after_solved is not None:
        trained = len(run.loss) * len(recipe.task.problem(run.seed).train)
        row["sequences"] = float(trained) if solved else np.nan
    if recipe.stop is not None:
        met = run.rule_met_after
        row["solved"] = met is not None
        row["solved_epoch"] = np.nan if met is None else float(len(run.loss))
        row["sequences"] = np.nan if met is None else float(met)
    if recipe.evaluation != "teacher_forced":
        return row
    samples = run.samples
    if samples.recall is not None:
        counted = samples.evaluated & samples.recall
        row["recall_accuracy"] = float(_accuracy_curve(run, counted)[-1])
    if samples.train_count < len(samples):
        if samples.train_count:  # there is none if every epoch has new sequences
            row["seen_accuracy"] = float(_accuracy_curve(run, samples.seen)[-1])
        row["unseen_accuracy"] = score
    targets = samples.y.reshape(*samples.scored.shape, -1)[samples.evaluated]
    outputs = run.outputs[samples.evaluated]
    if recipe.task.kind == "regression":
        count = max(1, len(recipe.task.output_names))
        sequence, step = sequence[::count], predictions["step"].to_numpy()[::count]
        units = np.array(recipe.task.output_units or 1.0)
        targets = recipe.task.in_units(sequence, step, targets) / units
        outputs = recipe.task.in_units(sequence, step, outputs) / units
    return row | compute_metrics(outputs, targets, recipe.task.kind) | _skill(recipe, predictions)


def _skill(recipe: Recipe, predictions: pd.DataFrame) -> dict[str, Any]:
    """Returns the skill over the best baseline, or nothing if the task has no baselines.

    A positive skill then means that the task is solved. The linear model on the window of the
    recipe is not among the baselines here, because it would differ from recipe to recipe.
    """
    names = list(recipe.task.baselines())
    if not names:
        return {}
    errors = absolute_errors(predictions)
    baseline_error = float(errors[best_baseline(errors, names)].mean())
    skill = skill_score(float(errors["network"].mean()), baseline_error)
    return {"skill": skill, "solved": skill > 0, "solved_epoch": np.nan}


def _accuracy_curve(run: SeedRun, counted: np.ndarray) -> np.ndarray:
    """Returns the step accuracy in each evaluation, (V,), over the outputs `counted` (N, M)."""
    flat = run.correct.reshape(len(run.correct), -1)
    curve: np.ndarray = accuracy(flat, counted.ravel())
    return curve


def _learning_curve(run: SeedRun) -> pd.DataFrame:
    """Returns the learning curve of one seed at up to CURVE_POINTS of the evaluated epochs.

    The last epoch is among them.
    """
    count = len(run.evaluated)
    points = np.unique(np.linspace(0, count - 1, min(count, CURVE_POINTS)).round().astype(int))
    accuracies = _accuracy_curve(run, run.samples.evaluated)
    losses = run.loss[run.evaluated - 1].astype(float)
    columns = {"loss": losses, "accuracy": accuracies}
    if 0 < run.samples.train_count < len(run.samples):
        columns["seen_accuracy"] = _accuracy_curve(run, run.samples.seen)
    values = {key: curve[points] for key, curve in columns.items()}
    return pd.DataFrame({"seed": run.seed, "epoch": run.evaluated[points], **values})


def keras_file(recipe: Recipe, seed: int, weights: Sequence[np.ndarray]) -> bytes:
    """Returns the network trained on `seed` as the bytes of a `.keras` file.

    A stateful network takes batches of one sample.
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
