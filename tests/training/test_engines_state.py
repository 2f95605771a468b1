"""How the state passes between batches, against a computation by hand.

With a learning rate close to zero the weights do not change, so the loss of each epoch shows which
state each sample started from.
"""

import itertools

import numpy as np
import pytest
from agreement import last_epoch_only

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training._engine import ENGINES, get_engine

ONE_HOT = np.eye(5, dtype=np.float32)
FIRST, SECOND = [3, 0, 1, 2, 3], [4, 0, 1, 2, 4]  # PROBLEMS.md, A


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_outputs(x, weights, h, c):
    """One step of the network in NumPy (see test_models): (outputs, h, c)."""
    kernel, recurrent, bias, head, head_bias = weights
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return sigmoid(h @ head + head_bias), h, c


def losses_by_hand(weights, batches, resets, epochs):
    """Returns the mean binary cross-entropy of each epoch; the state passes from row i to row i."""
    symbols, targets = FIRST[:-1] + SECOND[:-1], FIRST[1:] + SECOND[1:]
    rows = len(batches[0])
    h = c = np.zeros((rows, 6))
    losses = []
    for _ in range(epochs):
        batch_losses = []
        for batch, reset in zip(batches, resets, strict=True):
            if reset:
                h = c = np.zeros((rows, 6))
            p, h, c = lstm_outputs(ONE_HOT[[symbols[n] for n in batch]], weights, h, c)
            y = ONE_HOT[[targets[n] for n in batch]]
            batch_losses.append(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        losses.append(np.mean(batch_losses))
    return losses


EIGHT = [[n] for n in range(8)]
BY_HAND = {  # settings, batches, whether the state is reset before each batch
    "A1": ({}, EIGHT, [1, 0, 0, 0, 1, 0, 0, 0]),
    "A2": ({"batch_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7]], [1, 1]),
    "A3": (
        {"batch_size": 2, "layout": "streams"},
        [[0, 4], [1, 5], [2, 6], [3, 7]],
        [1, 0, 0, 0],
    ),
    "A4": ({"reset": "epoch"}, EIGHT, [1] + [0] * 7),
    "A4 at 4": ({"reset": "epoch", "batch_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7]], [1, 0]),
    "A4 at 8": ({"reset": "epoch", "batch_size": 8}, [list(range(8))], [1]),
    "never": ({"reset": "never"}, EIGHT, [0] * 8),
    "never in rows": (
        {"reset": "never", "batch_size": 2},
        [[0, 1], [2, 3], [4, 5], [6, 7]],
        [0] * 4,
    ),
    "never in streams": (
        {"reset": "never", "batch_size": 2, "layout": "streams"},
        [[0, 4], [1, 5], [2, 6], [3, 7]],
        [0] * 4,
    ),
    "parts": (
        {"batch_size": 4, "layout": "streams"},
        [[0, 2, 4, 6], [1, 3, 5, 7]],
        [1, 0],
    ),
}  # fmt: skip


def check_by_hand(name, settings, batches, resets):
    still = {"optimizer": "sgd", "learning_rate": 1e-30}
    run = (
        get_engine(name)
        .train(recipe("memory", units=6, epochs=3, **still, **settings), [2])
        .runs[0]
    )
    expected = losses_by_hand(run.weights, batches, resets, 3)
    np.testing.assert_allclose(run.loss, expected, rtol=1e-5)
    if "never" not in settings.values():
        assert run.loss[0] == run.loss[2]


@pytest.mark.parametrize(("settings", "batches", "resets"), BY_HAND.values(), ids=BY_HAND)
def test_the_state_goes_where_it_should(settings, batches, resets):
    check_by_hand("compiled", settings, batches, resets)


@pytest.mark.slow
@pytest.mark.parametrize("example", BY_HAND)
def test_the_state_goes_where_it_should_in_the_plain_engine_too(example):
    check_by_hand("keras", *BY_HAND[example])


def test_the_cases_above_differ_in_their_losses():
    shapes = [(5, 24), (6, 24), (24,), (6, 5), (5,)]
    weights = [np.random.default_rng(number).normal(size=s) for number, s in enumerate(shapes)]
    losses = {name: losses_by_hand(weights, b, r, 2)[1] for name, (_, b, r) in BY_HAND.items()}
    # Two sequences in two rows, or one after the other with a reset between: the same states.
    # Four rows of one step, or eight: each sample starts from a cleared state.
    equal = {("A1", "A3"), ("A2", "A4 at 8")}
    for one, other in itertools.combinations(BY_HAND, 2):
        same = np.isclose(losses[one], losses[other], rtol=1e-6)
        assert same == ((one, other) in equal), (one, other)


@pytest.mark.parametrize("name", ENGINES)
def test_outputs_and_correctness_are_those_of_the_returned_weights_from_a_cleared_state(name):
    run = get_engine(name).train(recipe("memory", units=6, epochs=6, reset="never"), [0]).runs[0]
    h = c = np.zeros((1, 6))
    answers = []
    for symbol in FIRST[:-1] + SECOND[:-1]:
        outputs, h, c = lstm_outputs(ONE_HOT[[symbol]], run.weights, h, c)
        answers.append(outputs)
    np.testing.assert_allclose(run.outputs, answers, rtol=0, atol=1e-5)
    right = [int(a.argmax()) == t for a, t in zip(answers, FIRST[1:] + SECOND[1:], strict=True)]
    assert run.correct.shape == (6, 8, 1)
    assert run.correct[-1, :, 0].tolist() == right


@pytest.mark.slow
def test_evaluating_after_each_epoch_does_not_change_training():
    streams = {"reset": "never", "layout": "streams", "batch_size": 2, "learning_rate": 0.01}
    chosen = recipe("memory", units=6, epochs=3, **streams)
    evaluated = keras_loop.train(chosen, [0]).runs[0]
    plain = keras_loop.train(last_epoch_only(chosen), [0]).runs[0]
    assert (len(evaluated.evaluated), len(plain.evaluated)) == (3, 1)
    assert (evaluated.loss == plain.loss).all()
    assert (evaluated.outputs == plain.outputs).all()
    fast = compiled.train(chosen, [0]).runs[0]
    assert (fast.correct == evaluated.correct).all()  # the whole curve
