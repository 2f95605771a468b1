"""Trains recipes with `update=step` in compiled code, with several seeds in parallel threads.

Each thread runs the same code on the numbers of one seed, so neither the number of threads nor the
other seeds change a bit of a result. Steps after the last scored one of a sample are run only for
the outputs that are returned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import Interrupted
from lstm_bench.recipes import Recipe, Samples
from lstm_bench.seeds import stream
from lstm_bench.statistics import is_correct
from lstm_bench.training._engine import SeedRun, Training
from lstm_bench.training._models import build, initial_weights, multiply_adds
from lstm_bench.training._seed_threads import in_threads
from lstm_bench.training._step_kernel import Steps, kernel
from lstm_bench.training._step_rows import StepNetwork, single
from lstm_bench.training._stopping import (
    RuleWindow,
    SolvedStreak,
    judges_last_step,
    needed_correct,
)

CALL_STEPS = 200_000
"""Time steps in one call of the compiled code: 0.1 to 1 s. Ctrl-C takes effect between calls."""


def train(
    recipe: Recipe,
    seeds: Sequence[int],
    threads: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Trains all seeds, `threads` at a time; see `Engine` in `_engine.py`."""
    start = time.perf_counter()
    kernel()
    compile_seconds = time.perf_counter() - start
    samples = recipe.samples(seeds[0])
    shape = (samples.x.shape[1], samples.x.shape[2])
    model = build(recipe, shape, samples.y.shape[-1], None, plain=True)

    def train_one(seed: int, stopped: Callable[[], bool]) -> SeedRun:
        weights = initial_weights(model, recipe, seed)
        return _SeedTraining(recipe, seed, weights, stopped).run()

    runs = in_threads(train_one, seeds, threads, stop)
    return Training(runs, model.count_params(), multiply_adds(model), compile_seconds)


class _SeedTraining:
    """The training of one seed."""

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        weights: list[NDArray[np.float32]],
        stop: Callable[[], bool],
    ) -> None:
        self.recipe, self.seed, self.stop = recipe, seed, stop
        self.samples = recipe.evaluated_samples(seed)
        self.network = StepNetwork(recipe, self.samples.x.shape[2], weights)
        self.trained = 0  # sequences so far

    def run(self) -> SeedRun:
        """Trains and evaluates until the end."""
        start = time.perf_counter()
        recipe, samples = self.recipe, self.samples
        rule, streak = RuleWindow.of(recipe), SolvedStreak(recipe.stop_after_solved)
        needed, met_after = needed_correct(recipe, samples), None
        evaluated_epochs = set(recipe.evaluated_epochs.tolist())
        evaluation = steps_of(samples, samples.scored)
        train = None if recipe.fresh else self._training_steps(samples)
        rng = stream(self.seed, "shuffle")
        losses, correct, evaluated = [], [], []
        for epoch in range(1, recipe.epochs + 1):
            steps = train
            if steps is None:
                steps = self._training_steps(recipe.epoch_samples(self.seed, epoch))
            loss, errors = self._train_epoch(steps, rng)
            losses.append(single(loss))
            met_after = None if rule is None else rule.met_after(errors)
            if epoch in evaluated_epochs or met_after is not None:
                hits = self._evaluate(evaluation, samples.scored)[1]
                correct.append(hits)
                evaluated.append(epoch)
                if streak.ends(epoch, int(hits[samples.evaluated].sum()) >= needed):
                    break
            if met_after is not None:
                break
        every_step = np.ones_like(samples.scored)
        outputs, correct[-1] = self._evaluate(steps_of(samples, every_step), every_step)
        return SeedRun(
            self.seed,
            samples,
            np.array(losses),
            np.array(evaluated),
            np.array(correct),
            outputs.reshape(*samples.scored.shape, -1),
            self.network.weights(self._has_cells),
            time.perf_counter() - start,
            met_after,
        )

    @property
    def _has_cells(self) -> bool:
        """Whether the hidden units are there, and not still to be added."""
        return self.trained >= (self.recipe.cells_from or 0)

    def _training_steps(self, samples: Samples) -> Steps:
        weights = samples.weights(self.recipe.recall_weight)
        if weights is None:
            weights = np.ones(samples.scored.shape, np.float32)
        return steps_of(samples, weights)

    def _train_epoch(
        self, steps: Steps, rng: np.random.Generator
    ) -> tuple[float, NDArray[np.float64]]:
        """Trains one epoch; returns its mean loss and the largest error of each sample (N,)."""
        (index,), _ = self.recipe.schedule.epochs(rng, 1)
        order = index.ravel().astype(np.int64)
        errors, total = np.zeros(len(order)), 0.0
        last_step = judges_last_step(self.recipe)
        nothing = np.zeros((0, steps.y.shape[1]), np.float32)
        for part in call_parts(steps, len(order)):
            if self.stop():
                raise Interrupted
            absent = max(0, (self.recipe.cells_from or 0) - self.trained)
            total += kernel()(
                order[part], steps, self.network.rows, self.network.kind,
                float(self.recipe.learning_rate), absent, last_step, nothing, errors[part],
            )  # fmt: skip
            self.trained += len(order[part])
        return total / len(order), errors

    def _evaluate(
        self, steps: Steps, shown: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Returns the outputs of `steps`, (S, K), and which of all samples are correct, (N, M).

        Only steps up to the last `shown` one of a sample (N, T) can be.
        """
        samples, task = self.samples, self.recipe.task
        order = np.arange(len(samples))
        outputs, absent = np.zeros_like(steps.y), 0 if self._has_cells else len(samples)
        for part in call_parts(steps, len(order)):
            if self.stop():
                raise Interrupted
            kernel()(
                order[part], steps, self.network.rows, self.network.kind,
                0.0, absent, False, outputs, np.zeros(0),
            )  # fmt: skip
        run = run_steps(shown)
        possible = None if samples.possible is None else samples.possible[run]
        right = is_correct(outputs, steps.y, task.kind, task.tolerance, possible)
        correct = np.zeros(samples.scored.shape, bool)
        correct[run] = right
        return outputs, correct


def call_parts(steps: Steps, count: int) -> list[slice]:
    """Returns the parts of `count` samples that are run in one call each."""
    longest = int(np.diff(steps.start).max(initial=1))
    size = max(1, CALL_STEPS // longest)
    return [slice(begin, begin + size) for begin in range(0, count, size)]


def run_steps(shown: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Returns which steps are run, (N, T): those up to the last one that is not 0 in `shown`.

    >>> run_steps(np.array([[0, 1, 0], [1, 1, 1], [0, 0, 0]])).astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [0, 0, 0]]
    """
    later = np.cumsum(shown[:, ::-1] != 0, axis=1)[:, ::-1]
    return np.asarray(later > 0)


def steps_of(samples: Samples, weights: NDArray[np.generic]) -> Steps:
    """Returns the steps of `samples` up to the last one of each with a weight (N, T) above 0."""
    run = run_steps(weights)
    x, y = samples.x[run], samples.y[run]  # (S, F), (S, K)
    step, column = np.nonzero(x)
    return Steps(
        start=np.concatenate([[0], np.cumsum(run.sum(axis=1))]),
        at=np.concatenate([[0], np.cumsum(np.bincount(step, minlength=len(x)))]),
        column=np.ascontiguousarray(column),
        value=x[step, column].astype(float),
        y=y,
        weight=weights[run].astype(float),
    )
