"""The pure update rules against Keras's own optimizers, step by step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_bench.training._optimizers import OPTIMIZERS

KERAS = {
    "adam": lambda rate, momentum: keras.optimizers.Adam(rate),
    "rmsprop": lambda rate, momentum: keras.optimizers.RMSprop(rate),
    "sgd": lambda rate, momentum: keras.optimizers.SGD(rate, momentum=momentum),
}
CASES = [
    ("adam", 0.001, 0.0), ("adam", 0.3, 0.0), ("rmsprop", 0.001, 0.0), ("rmsprop", 0.1, 0.0),
    ("sgd", 0.01, 0.0), ("sgd", 0.01, 0.9), ("sgd", 0.5, 0.5),
]  # fmt: skip
SIZE = 12


def gradients(steps):
    """Returns gradients (steps, SIZE) of very different sizes: tiny, ordinary, large and zero."""
    rng = np.random.default_rng(0)
    scale = np.tile([0.0, 1e-7, 1e-4, 0.1, 1.0, 100.0], SIZE // 6)
    return (rng.normal(size=(steps, SIZE)) * scale).astype(np.float32)


def our_path(name, rate, momentum, start, rows):
    optimizer, count = OPTIMIZERS[name]
    weights, slots = tf.constant(start), [tf.zeros(SIZE)] * count
    path = []
    for step, gradient in enumerate(rows, start=1):
        number = tf.constant(float(step))
        update = optimizer(number, tf.constant(rate), tf.constant(momentum))
        weights, slots = update(weights, slots, tf.constant(gradient))
        assert len(slots) == count
        path.append(weights.numpy())
    return np.array(path)


def keras_path(optimizer, start, rows):
    variable = keras.Variable(start)
    path = []
    for gradient in rows:
        optimizer.apply([tf.constant(gradient)], [variable])
        path.append(keras.ops.convert_to_numpy(variable))
    return np.array(path)


@pytest.mark.parametrize(("name", "rate", "momentum"), CASES)
def test_an_update_is_that_of_keras_at_every_step(name, rate, momentum):
    start = np.random.default_rng(1).normal(size=SIZE).astype(np.float32)
    rows = gradients(200)
    expected = keras_path(KERAS[name](rate, momentum), start, rows)
    path = our_path(name, rate, momentum, start, rows)
    moved = np.abs(expected - start).max(axis=0)
    assert (moved[np.abs(rows).max(axis=0) > 1e-3] > 0).all()
    # Rounding of single precision grows with the steps; nothing else may differ.
    tolerance = 2e-6 * (np.abs(start) + np.abs(expected) + moved)
    assert (np.abs(path - expected) <= tolerance).all()


def test_adam_takes_a_first_step_of_the_learning_rate():
    # Kingma & Ba (2015), section 2.1: with bias correction the first step is rate * sign(g).
    rows = np.array([[0.5, -20.0, 1.0] * 4], np.float32)
    step = our_path("adam", 0.01, 0.0, np.zeros(SIZE, np.float32), rows)[0]
    assert np.allclose(step, -0.01 * np.sign(rows[0]), rtol=2e-4)


def test_momentum_approaches_a_step_of_rate_over_one_minus_momentum():
    # A constant gradient under classical momentum: a geometric series (Polyak 1964).
    rows = np.ones((200, SIZE), np.float32)
    path = our_path("sgd", 0.01, 0.9, np.zeros(SIZE, np.float32), rows)
    assert np.allclose(path[-1] - path[-2], -0.01 / (1 - 0.9), rtol=1e-4)


def test_a_weight_without_a_gradient_stays_where_it_is():
    for name in OPTIMIZERS:
        start = np.full(SIZE, 0.25, np.float32)
        path = our_path(name, 0.1, 0.0, start, np.zeros((5, SIZE), np.float32))
        assert (path == start).all()


def test_there_is_an_update_for_each_optimizer_that_a_recipe_may_name():
    assert set(OPTIMIZERS) == set(KERAS)
