"""What a trained network answers when it is asked otherwise than in training.

`teacher_forced`   every answer follows the true past: measured by the engines after each epoch
`free_running`     fed only the first symbol, then its own answers, to the sequence's end
`cold_start`       the same from a symbol further on, with a clear state
`step_by_step`     fed the true sequence one step after another, from its first on
`random_order`     QUERIES samples drawn at random, one after another, with no reset between
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
from lstm_bench.training._models import build, states

QUERIES = 20
"""Random queries asked of each seed, as many as the tutorial asks."""

Weights = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class Answers:
    """What was asked and answered, (M,) each: symbols as integers."""

    sequence: NDArray[np.int64]
    step: NDArray[np.int64]
    shown: NDArray[np.int64]  # the latest input
    expected: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers are right."""
        return np.asarray(self.expected == self.predicted)


class Network:
    """A trained network, asked one input at a time; it keeps its state if its recipe does.

    `outputs`, (K,), are those of the latest answer.
    """

    outputs: NDArray[np.float32]

    def __init__(self, recipe: Recipe, samples: Samples) -> None:
        self.recipe = recipe
        self.width = samples.x.shape[1]
        shape = (self.width, samples.x.shape[2])
        batch = 1 if recipe.stateful else None
        self.model = build(recipe, shape, samples.y.shape[-1], batch, plain=True)
        self.state: list[Any] = []
        self._step = tf.function(_step(self.model), autograph=False)

    def load(self, weights: Weights) -> None:
        """Takes the weights of one seed, and clears the state."""
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)
        self.clear()

    def clear(self) -> None:
        """Clears the state."""
        self.state = [tf.zeros(state.shape) for state in states(self.model)]

    def answer(self, x: NDArray[np.float32], at: int) -> int:
        """Returns the symbol answered to `x` (1, T, F), -1 for outputs that are not finite.

        `at` is the step whose answer is wanted, where all steps answer.
        """
        outputs, self.state = self._step(tf.constant(x), self.state)
        last = outputs.numpy()[0]
        self.outputs = last[at] if last.ndim == 2 else last
        return int(self.outputs.argmax()) if np.isfinite(self.outputs).all() else -1

    def follow(self, past: Sequence[int]) -> int:
        """Returns the symbol answered after the symbols `past`."""
        size, encoding = self.recipe.task.alphabet_size, self.recipe.encoding
        features = encode(np.asarray(past), size, encoding)  # (t, F)
        if self.recipe.framing.every_step:
            self.clear()  # the query holds the whole past, from the sequence's first step
        answers = [
            self.answer(shown[None], (len(past) - 1) % len(shown))
            for shown in self.recipe.framing.query(features, self.width)
        ]
        return answers[-1]


def _step(model: keras.Model) -> Callable[[Any, list[Any]], tuple[Any, list[Any]]]:
    cells = states(model)

    def step(x: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        with keras.StatelessScope(state_mapping=list(zip(cells, state, strict=True))) as scope:
            outputs = model(x, training=False)
        return outputs, [scope.get_current_value(cell) for cell in cells]

    return step


def free_running(network: Network, problem: Problem) -> Answers:
    """Returns the answers to every sequence, generated from its first symbol alone."""
    runs = [
        _generate(network, number, sequence.inputs, sequence.targets, 0)
        for number, sequence in enumerate(problem.train)
    ]
    return _joined(runs)


def step_by_step(network: Network, problem: Problem) -> Answers:
    """Returns the answers to each judged sequence, shown its true past step after step.

    Steps that are not scored are shown like the others, and their answers left out.
    """
    runs = []
    for number, sequence in problem.judged:
        network.clear()
        told = [network.follow(sequence.inputs[: t + 1].tolist()) for t in range(len(sequence))]
        steps = np.flatnonzero(sequence.scored)
        owner = np.full(len(steps), number)
        shown, due = np.asarray(sequence.inputs)[steps], np.asarray(sequence.targets)[steps]
        runs.append(Answers(owner, steps, shown, due, np.array(told)[steps]))
    return _joined(runs)


def cold_start(network: Network, problem: Problem, start: int | None) -> Answers:
    """Returns the answers generated from `start` on, in the first sequence that shows it.

    Without `start` it is the middle of the first sequence.
    """
    for number, sequence in enumerate(problem.train):
        places = np.flatnonzero(sequence.inputs == start)
        if start is None or len(places):
            first = len(sequence) // 2 if start is None else int(places[0])
            return _generate(network, number, sequence.inputs, sequence.targets, first)
    raise AssertionError(f"symbol {start} is in no sequence")


def _generate(
    network: Network, number: int, inputs: NDArray[Any], targets: NDArray[Any], first: int
) -> Answers:
    network.clear()
    past = [int(inputs[first])]
    steps = range(first, len(inputs))
    for _ in steps:
        past.append(network.follow(past))
    return Answers(
        np.full(len(steps), number),
        np.array(steps),
        np.array(past[:-1]),
        np.asarray(targets[first:]),
        np.array(past[1:]),
    )


def random_order(network: Network, problem: Problem, samples: Samples, seed: int) -> Answers:
    """Returns the last answers to `QUERIES` judged samples drawn with replacement."""
    network.clear()
    judged = np.flatnonzero(samples.judged[:, -1])
    drawn = judged[stream(seed, "query").integers(0, len(judged), QUERIES)]
    owner, step = samples.sequence[drawn], samples.step[drawn, -1]
    predicted = [network.answer(samples.x[[n]], samples.step.shape[1] - 1) for n in drawn]
    pairs = [(problem.sequences[s], t) for s, t in zip(owner, step, strict=True)]
    shown = np.array([int(s.inputs[t]) for s, t in pairs])
    expected = np.array([int(s.targets[t]) for s, t in pairs])
    return Answers(owner, step, shown, expected, np.array(predicted))


def _joined(runs: Sequence[Answers]) -> Answers:
    fields = ("sequence", "step", "shown", "expected", "predicted")
    return Answers(*(np.concatenate([getattr(run, name) for run in runs]) for name in fields))
