"""What the network of a finished run answers to symbols that somebody types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import StoreError, UserError
from lstm_bench.recipes import Framing, recipe_of_run
from lstm_bench.results import Outcome
from lstm_bench.tasks import Sequence as Steps
from lstm_bench.training._evaluation import Network
from lstm_bench.training._forecast import load

LISTED_UP_TO = 40
"""Symbols that a message lists."""


@dataclass(frozen=True)
class AnswerStep:
    """One answer of a network."""

    input: str  # the latest symbol that it was fed
    predicted: str
    output: float  # for `predicted`; its probability where the outputs are a softmax
    generated: bool  # whether `input` was its own answer to the step before


def spoken(text: str, labels: Sequence[str]) -> list[int]:
    """Returns the symbols in `text` as numbers: labels between blanks or commas.

    Where all labels are single characters they may also stand side by side. Raises `UserError`
    with all that are unknown, or where there are none.

    >>> spoken("3, 0 1", "01234")
    [3, 0, 1]
    >>> spoken("ABBA", "AB")
    [0, 1, 1, 0]
    """
    numbers = {label: number for number, label in enumerate(labels)}
    single = all(len(label) == 1 for label in labels)
    if single and set(text) <= set(numbers):  # a blank may be a symbol itself
        words = list(text)
    else:
        words = [word for word in re.split(r"[\s,]+", text) if word]
        if single:
            words = [char for word in words for char in word]
    right = ", ".join(labels[:LISTED_UP_TO]) + (", ..." if len(labels) > LISTED_UP_TO else "")
    wrong = list(dict.fromkeys(word for word in words if word not in numbers))
    if wrong:
        shown = ", ".join(map(repr, wrong))
        raise UserError(f"symbols: {shown} are not among the symbols of this task: {right}")
    if not words:
        raise UserError(f"symbols: there must be at least one, but got none; give some of {right}")
    return [numbers[word] for word in words]


def predict_symbols(outcome: Outcome, text: str, generate: int = 0) -> list[AnswerStep]:
    """Returns what the best seed's network answers to the symbols in `text`, step by step.

    It is fed from a clear state as its framing feeds it; where that is a window, from the first
    full one on. Then it is fed its own answers, for `generate` more steps.

    Raises `UserError` where `text` is not a sequence that it can be fed, `StoreError` where the
    run has no model, or one of another recipe.
    """
    asked = recipe_of_run(outcome.settings, outcome.digest)
    if asked.task.kind != "categorical" or not asked.task.symbolic:
        other = "--csv FILE" if outcome.data else "`lstm-bench run ... --predictions`"
        raise UserError(
            f"{outcome.digest}: predict speaks in symbols, but {asked.task.name} is a problem of "
            f"kind {asked.task.kind} with numbers for inputs; use {other}"
        )
    if generate and not asked.task.generates:
        raise UserError(
            f"--generate: feeds answers back as the next inputs, which those of {asked.task.name} "
            "are not here; leave it out"
        )
    labels = asked.task.labels
    past = spoken(text, labels)
    network = Network(asked, asked.samples(outcome.best_seed))
    _check(asked.framing, len(past), generate, network.width)
    network.load(_weights(outcome, network))
    given, steps = len(past), []
    for end in range(_window(asked.framing), given + generate + 1):
        answer = network.follow(past[:end])
        if answer < 0:
            raise UserError(
                f"{outcome.digest}: its outputs are not finite, so it diverged in training and has "
                "no answers; choose another run, or train with a smaller learning_rate"
            )
        output = float(network.outputs[answer])
        steps.append(
            AnswerStep(labels[past[end - 1]], labels[answer], output, generated=end > given)
        )
        if end >= given:
            past.append(answer)
    return steps


def _window(framing: Framing) -> int:
    """Returns the steps that a sample must show: before there are as many, nothing is asked."""
    return int(getattr(framing, "window", 1))


def _check(framing: Framing, given: int, generate: int, width: int) -> None:
    """Refuses sequences that the framing cannot feed to a network with `width` time steps."""
    if given < _window(framing):
        raise UserError(
            f"symbols: {framing.name} asks from {_window(framing)} symbols on, but got {given}; "
            "give more"
        )
    steps = given + generate
    if steps > width and _holds_everything(framing, width):
        room = f"at most {width} symbols, those generated included"
        raise UserError(
            f"symbols: {framing.name} feeds the whole past in {width} time steps, so there is room "
            f"for {room}, but got {given}" + (f" and --generate {generate}" if generate else "")
        )


def _holds_everything(framing: Framing, width: int) -> bool:
    """Returns whether a sample of a sequence longer than `width` would show all of its steps."""
    longer = np.zeros(width + 1, np.int64)
    sequence = Steps(longer, longer, np.ones(width + 1, bool))
    if framing.count(len(sequence)) < 1:
        return False
    shown = framing.indices(sequence, np.random.default_rng(0))  # (n, T)
    return bool(((shown == 0).any(axis=1) & (shown == width).any(axis=1)).any())


def _weights(outcome: Outcome, network: Network) -> list[NDArray[np.float32]]:
    found = [np.asarray(variable) for variable in load(outcome).trainable_variables]
    own = [tuple(variable.shape) for variable in network.model.trainable_variables]
    if [each.shape for each in found] != own:
        raise StoreError(
            f"{outcome.digest}: its network must have weights of the shapes {own}, but has "
            f"{[each.shape for each in found]}; run its sweep again"
        )
    return found
