"""Evaluations that feed a trained network otherwise than in training, one input at a time.

`teacher_forced`   each prediction follows the true past; the engines do this after each epoch
`free_running`     the first symbol, then its own predictions, to the end of the sequence
`cold_start`       the same from a later symbol on, with a cleared state
`step_by_step`     the true sequence, one step after another from the first
`random_order`     QUERIES samples drawn at random, one after another, with no reset in between
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe, Samples, encode
from lstm_bench.seeds import stream
from lstm_bench.tasks import Problem
from lstm_bench.training._models import build, state_variables

QUERIES = 20
"""Random samples for each seed, as many as in the tutorial."""

Weights = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class Predictions:
    """M predictions with their inputs and targets, arrays (M,); symbols are integers."""

    sequence: NDArray[np.int64]
    step: NDArray[np.int64]
    input: NDArray[np.int64]  # the latest input
    expected: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which predictions are correct."""
        return np.asarray(self.expected == self.predicted)


class Network:
    """A trained network that takes one input at a time; if it is stateful, it keeps its state.

    `outputs` (K,) are those of the latest prediction.
    """

    outputs: NDArray[np.float32]

    def __init__(self, recipe: Recipe, samples: Samples) -> None:
        self.recipe = recipe
        self.width = samples.x.shape[1]
        shape = (self.width, samples.x.shape[2])
        batch = 1 if recipe.stateful else None
        self.model = build(recipe, shape, samples.y.shape[-1], batch, plain=True)
        self.state: list[Any] = []
        self._step = tf.function(_step_function(self.model), autograph=False)

    def load(self, weights: Weights) -> None:
        """Sets the weights of one seed and clears the state."""
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)
        self.reset_state()

    def reset_state(self) -> None:
        """Sets the state to zeros."""
        self.state = [tf.zeros(state.shape) for state in state_variables(self.model)]

    def predict(self, x: NDArray[np.float32], step: int) -> int:
        """Returns the symbol predicted for `x` (1, T, F), or -1 if the outputs are not finite.

        `step` selects the output of a network with an output at every step.
        """
        outputs, self.state = self._step(tf.constant(x), self.state)
        row = outputs.numpy()[0]  # (K,) or (T, K)
        self.outputs = row[step] if row.ndim == 2 else row
        return int(self.outputs.argmax()) if np.isfinite(self.outputs).all() else -1

    def predict_next(self, past: Sequence[int]) -> int:
        """Returns the symbol predicted after the symbols `past`."""
        size, encoding = self.recipe.task.alphabet_size, self.recipe.encoding
        features = encode(np.asarray(past), size, encoding)  # (t, F)
        if self.recipe.framing.every_step:
            self.reset_state()  # the query holds the whole past, from the sequence's first step
        predictions = [
            self.predict(x[None], (len(past) - 1) % len(x))
            for x in self.recipe.framing.query(features, self.width)
        ]
        return predictions[-1]


def _step_function(model: keras.Model) -> Callable[[Any, list[Any]], tuple[Any, list[Any]]]:
    """Returns a function from an input and the state to the outputs and the new state."""
    variables = state_variables(model)

    def step(x: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
            outputs = model(x, training=False)
        return outputs, [scope.get_current_value(variable) for variable in variables]

    return step


def free_running(network: Network, problem: Problem) -> Predictions:
    """Returns the predictions for each training sequence, generated from its first symbol."""
    runs = [
        _generate(network, number, sequence.inputs, sequence.targets, 0)
        for number, sequence in enumerate(problem.train)
    ]
    return _concatenated(runs)


def step_by_step(network: Network, problem: Problem) -> Predictions:
    """Returns the predictions for each evaluated sequence, fed with its true past.

    Steps that are not scored are fed like the others, but their predictions are left out.
    """
    runs = []
    for number, sequence in problem.scored_sequences:
        network.reset_state()
        predicted = [
            network.predict_next(sequence.inputs[: t + 1].tolist()) for t in range(len(sequence))
        ]
        steps = np.flatnonzero(sequence.scored)
        runs.append(
            Predictions(
                np.full(len(steps), number),
                steps,
                np.asarray(sequence.inputs)[steps],
                np.asarray(sequence.targets)[steps],
                np.array(predicted)[steps],
            )
        )
    return _concatenated(runs)


def cold_start(network: Network, problem: Problem, start: int | None) -> Predictions:
    """Returns the predictions generated from symbol `start` on, in the first sequence with it.

    Without `start` they begin in the middle of the first sequence.
    """
    for number, sequence in enumerate(problem.train):
        steps = np.flatnonzero(sequence.inputs == start)
        if start is None or len(steps):
            first = len(sequence) // 2 if start is None else int(steps[0])
            return _generate(network, number, sequence.inputs, sequence.targets, first)
    raise AssertionError(f"symbol {start} is in no sequence")


def _generate(
    network: Network, number: int, inputs: NDArray[Any], targets: NDArray[Any], first: int
) -> Predictions:
    """Returns the predictions for one sequence from step `first` on, fed back as inputs."""
    network.reset_state()
    past = [int(inputs[first])]
    steps = range(first, len(inputs))
    for _ in steps:
        past.append(network.predict_next(past))
    return Predictions(
        np.full(len(steps), number),
        np.array(steps),
        np.array(past[:-1]),
        np.asarray(targets[first:]),
        np.array(past[1:]),
    )


def random_order(network: Network, problem: Problem, samples: Samples, seed: int) -> Predictions:
    """Returns the last prediction for `QUERIES` evaluated samples, drawn with replacement."""
    network.reset_state()
    evaluated = np.flatnonzero(samples.evaluated[:, -1])
    drawn = evaluated[stream(seed, "query").integers(0, len(evaluated), QUERIES)]
    number, step = samples.sequence[drawn], samples.step[drawn, -1]
    predicted = [network.predict(samples.x[[n]], samples.step.shape[1] - 1) for n in drawn]
    pairs = [(problem.sequences[s], t) for s, t in zip(number, step, strict=True)]
    inputs = np.array([int(s.inputs[t]) for s, t in pairs])
    expected = np.array([int(s.targets[t]) for s, t in pairs])
    return Predictions(number, step, inputs, expected, np.array(predicted))


def _concatenated(runs: Sequence[Predictions]) -> Predictions:
    names = ("sequence", "step", "input", "expected", "predicted")
    return Predictions(*(np.concatenate([getattr(run, name) for run in runs]) for name in names))
