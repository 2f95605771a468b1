"""Predicts the next symbols after a text with the network of a finished run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import StoreError, UserError
from lstm_bench.recipes import BUILT_IN_TASKS, Framing, TaskRegistry, recipe_of_run
from lstm_bench.results import Outcome
from lstm_bench.tasks import Sequence as Steps
from lstm_bench.training._evaluation import Network
from lstm_bench.training._forecast import load_network

MAX_LISTED = 40
"""Largest number of symbols that a message lists."""


@dataclass(frozen=True)
class AnswerStep:
    """One prediction of a network."""

    input: str  # the latest symbol that the network was fed
    predicted: str
    output: float  # for `predicted`; its probability if the outputs are a softmax
    generated: bool  # whether `input` was the prediction of the step before


def parse_symbols(text: str, labels: Sequence[str]) -> list[int]:
    """Returns the symbols in `text` as numbers; labels are separated by spaces or commas.

    If all labels are single characters, they need no separators. Raises `UserError` if symbols are
    unknown, naming all of them, or if there are none.

    >>> parse_symbols("3, 0 1", "01234")
    [3, 0, 1]
    >>> parse_symbols("ABBA", "AB")
    [0, 1, 1, 0]
    """
    numbers = {label: number for number, label in enumerate(labels)}
    single = all(len(label) == 1 for label in labels)
    if single and set(text) <= set(numbers):  # a space may be a symbol too
        words = list(text)
    else:
        words = [word for word in re.split(r"[\s,]+", text) if word]
        if single:
            words = [char for word in words for char in word]
    listing = ", ".join(labels[:MAX_LISTED]) + (", ..." if len(labels) > MAX_LISTED else "")
    unknown = list(dict.fromkeys(word for word in words if word not in numbers))
    if unknown:
        listed = ", ".join(map(repr, unknown))
        raise UserError(f"symbols: {listed} are not among the symbols of this task: {listing}")
    if not words:
        rule = "there must be at least one, but got none"
        raise UserError(f"symbols: {rule}; give some of {listing}")
    return [numbers[word] for word in words]


def predict_symbols(
    outcome: Outcome, text: str, generate: int = 0, tasks: TaskRegistry = BUILT_IN_TASKS
) -> list[AnswerStep]:
    """Returns the predictions of the best seed's network for the symbols in `text`, step by step.

    The network starts from a cleared state and is fed as its framing prescribes, with a window
    framing from the first full window on. Then it is fed its own predictions for `generate` more
    steps. The run is of one of `tasks`.

    Raises `UserError` if the network cannot be fed the sequence in `text`, `StoreError` if the run
    has no model, or the model of another recipe.
    """
    recipe = recipe_of_run(outcome.settings, outcome.digest, tasks, unchanged=False)
    if recipe.task.kind != "categorical" or not recipe.task.symbolic:
        alternative = "--csv FILE" if outcome.data else "`lstm-bench run ... --predictions`"
        raise UserError(
            f"{outcome.digest}: predict needs a task of symbols, but {recipe.task.name} has "
            f"numbers as inputs or targets (kind {recipe.task.kind}); use {alternative}"
        )
    if generate and not recipe.task.generates:
        raise UserError(
            f"--generate: feeds predictions back as inputs, but the targets of {recipe.task.name} "
            "are not its next inputs; leave it out"
        )
    labels = recipe.task.labels
    symbols = parse_symbols(text, labels)
    network = Network(recipe, recipe.samples(outcome.best_seed))
    _check_length(recipe.framing, len(symbols), generate, network.width)
    network.load(_checked_weights(outcome, network))
    count, steps = len(symbols), []
    for end in range(_window(recipe.framing), count + generate + 1):
        predicted = network.predict_next(symbols[:end])
        if predicted < 0:
            raise UserError(
                f"{outcome.digest}: the outputs of its network are not finite, so it diverged in "
                "training; choose another run, or train with a smaller learning_rate"
            )
        output = float(network.outputs[predicted])
        latest = labels[symbols[end - 1]]
        steps.append(AnswerStep(latest, labels[predicted], output, generated=end > count))
        if end >= count:
            symbols.append(predicted)
    return steps


def _window(framing: Framing) -> int:
    """Returns the number of steps that the first prediction needs."""
    return int(getattr(framing, "window", 1))


def _check_length(framing: Framing, count: int, generate: int, width: int) -> None:
    """Raises `UserError` if a network with `width` time steps cannot be fed `count` symbols."""
    if count < _window(framing):
        raise UserError(
            f"symbols: {framing.name} needs at least {_window(framing)} symbols, but got {count}; "
            "give more"
        )
    steps = count + generate
    if steps > width and _shows_all_steps(framing, width):
        rule = f"at most {width} symbols, including generated ones"
        raise UserError(
            f"symbols: {framing.name} feeds the whole past in {width} time steps, so there must be "
            f"{rule}, but got {count}"
            + (f" and --generate {generate}" if generate else "")
            + "; give fewer"
        )


def _shows_all_steps(framing: Framing, width: int) -> bool:
    """Returns whether a sample of a sequence longer than `width` would show all of its steps."""
    longer = np.zeros(width + 1, np.int64)
    sequence = Steps(longer, longer, np.ones(width + 1, bool))
    if framing.count(len(sequence)) < 1:
        return False
    shown = framing.indices(sequence, np.random.default_rng(0))  # (n, T)
    return bool(((shown == 0).any(axis=1) & (shown == width).any(axis=1)).any())


def _checked_weights(outcome: Outcome, network: Network) -> list[NDArray[np.float32]]:
    """Returns the weights of the stored model; raises `StoreError` if they do not fit `network`."""
    weights = [np.asarray(variable) for variable in load_network(outcome).trainable_variables]
    expected = [tuple(variable.shape) for variable in network.model.trainable_variables]
    shapes = [weight.shape for weight in weights]
    if shapes != expected:
        raise StoreError(
            f"{outcome.digest}: its network must have weights of the shapes {expected}, but has "
            f"{shapes}; run its sweep again"
        )
    return weights
