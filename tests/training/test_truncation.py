"""Truncated back-propagation against gradients by hand and against plain Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import agree

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training import _kernel_calls as calls
from lstm_bench.training import _program_spec as program
from lstm_bench.training._model_file import open_network
from lstm_bench.training._run import run

WHOLE = {"framing": "whole", "stateful": False, "units": 5, "lag": 6, "batch_size": 2}
DESCENT = {"optimizer": "sgd", "learning_rate": 1.0, "epochs": 1}


def engines(monkeypatch):
    """Yields the training functions of the three implementations, by name."""
    yield "keras", keras_loop.train
    yield "kernels", compiled.train
    monkeypatch.setattr(program, "calls_kernels", lambda *_: False)
    yield "xla", compiled.train


# ---- One step of gradient descent by hand, on the task's two sequences


def simple_rnn_gradients(weights, x, y, cut):
    """Returns the gradients of a simple RNN with a sigmoid layer, by hand in double precision.

    The loss is the binary cross-entropy over all steps; no gradient of the state passes from a step
    to the one before it if the number of the step is a multiple of `cut`.
    """
    w, u, b, v, a = (weight.astype(float) for weight in weights)
    rows, steps, _ = y.shape
    h = [np.zeros((rows, len(u)))]
    d_out = []
    for t in range(steps):
        h.append(np.tanh(x[:, t] @ w + h[t] @ u + b))
        p = 1 / (1 + np.exp(-(h[t + 1] @ v + a)))
        d_out.append((p - y[:, t]) / y.size)
    d_w, d_u, d_b, d_v, d_a = (np.zeros_like(weight, float) for weight in weights)
    carried = np.zeros_like(h[0])
    for t in reversed(range(steps)):
        d_v += h[t + 1].T @ d_out[t]
        d_a += d_out[t].sum(axis=0)
        change = (d_out[t] @ v.T + carried) * (1 - h[t + 1] ** 2)
        d_w += x[:, t].T @ change
        d_u += h[t].T @ change
        d_b += change.sum(axis=0)
        carried = change @ u.T if t % cut else np.zeros_like(carried)
    return d_w, d_u, d_b, d_v, d_a


def starting_weights(chosen, seed):
    model = keras_loop.prepared_model(chosen, chosen.samples(seed), seed)
    return [np.asarray(variable) for variable in model.trainable_variables]


def steps_of(train, chosen, seed):
    """Returns the change of each weight in one step of gradient descent with rate 1."""
    weights = train(chosen, [seed]).runs[0].weights
    return [a - b for a, b in zip(starting_weights(chosen, seed), weights, strict=True)]


SLOW = pytest.mark.slow


@pytest.mark.long
@pytest.mark.parametrize("cut", [pytest.param(1, marks=SLOW), 4, pytest.param(5, marks=SLOW)])
def test_gradients_are_those_by_hand(cut, monkeypatch):
    chosen = recipe("memory", network="simple_rnn", truncate=cut, **WHOLE, **DESCENT)
    samples = chosen.samples(2)
    assert samples.x.shape == (2, 6, 5) and chosen.width == 6
    start = starting_weights(chosen, 2)
    expected = simple_rnn_gradients(start, samples.x, samples.y, cut)
    uncut = simple_rnn_gradients(start, samples.x, samples.y, 6)
    assert np.abs(uncut[1] - expected[1]).max() > 1e-4  # the cut makes a difference
    for name, train in engines(monkeypatch):
        for ours, theirs in zip(steps_of(train, chosen, 2), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6, err_msg=name)


def keras_gradients(chosen, seed):
    """Returns the gradients of a batch where the state before each step is a constant.

    The states are computed first. Then every step is a network of its own, which reads one step and
    starts from these numbers, so that `truncate=1` must give the mean of their gradients.
    """
    samples = chosen.samples(seed)
    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[chosen.network]
    layer, head = kind(chosen.units, return_state=True), keras.layers.Dense(5, "sigmoid")
    head(layer(samples.x)[0])
    weights = starting_weights(chosen, seed)
    for variable, value in zip([*layer.weights, *head.weights], weights, strict=True):
        variable.assign(value)
    loss = keras.losses.BinaryCrossentropy()
    states = [np.zeros((2, chosen.units), np.float32)] * calls.STATES[chosen.network]
    total = [np.zeros_like(weight) for weight in weights]
    for t in range(chosen.width):
        with tf.GradientTape() as tape:
            output, *after = layer(samples.x[:, t : t + 1], initial_state=states)
            value = loss(samples.y[:, t], head(output)) / chosen.width
        variables = [v.value for v in (*layer.weights, *head.weights)]
        total = [a + b for a, b in zip(total, tape.gradient(value, variables), strict=True)]
        states = [np.asarray(state) for state in after]
    return total


@pytest.mark.long
@pytest.mark.parametrize("network", ["lstm", pytest.param("gru", marks=SLOW)])
def test_truncate_one_is_a_network_whose_state_before_each_step_is_a_constant(network, monkeypatch):
    chosen = recipe("memory", network=network, truncate=1, **WHOLE, **DESCENT)
    expected = keras_gradients(chosen, 4)
    for name, train in engines(monkeypatch):
        for ours, theirs in zip(steps_of(train, chosen, 4), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6, err_msg=name)


# ---- A whole training as plain Keras writes it


def written_by_hand(chosen, seed, epochs):
    """Returns losses and weights of two LSTM layers called on slices of three time steps."""
    inputs = keras.Input((7, 5))
    x = inputs
    for _ in range(2):
        layer = keras.layers.LSTM(5, return_sequences=True, return_state=True)
        first, *states = layer(x[:, :3])
        second, *states = layer(x[:, 3:6], initial_state=[*map(keras.ops.stop_gradient, states)])
        third, *_ = layer(x[:, 6:], initial_state=[*map(keras.ops.stop_gradient, states)])
        x = keras.ops.concatenate([first, second, third], axis=1)
    model = keras.Model(inputs, keras.layers.Dense(5, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.03))
    model.set_weights(starting_weights(chosen, seed))
    samples = chosen.samples(seed)
    history = model.fit(samples.x, samples.y, batch_size=2, epochs=epochs, shuffle=False, verbose=0)
    return history.history["loss"], model.get_weights()


@pytest.mark.long
def test_two_layers_are_cut_at_the_same_steps_as_in_plain_keras(monkeypatch):
    settings = WHOLE | {"lag": 7, "layers": 2, "truncate": 3, "learning_rate": 0.03, "epochs": 6}
    chosen = recipe("memory", **settings)
    losses, weights = written_by_hand(chosen, 1, 6)
    for name, train in engines(monkeypatch):
        done = train(chosen, [1]).runs[0]
        np.testing.assert_allclose(done.loss, losses, rtol=1e-5, err_msg=name)
        for ours, theirs in zip(done.weights, weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4, err_msg=name)


# ---- Both engines


CASES = {
    "stateful windows": ("memory", {"framing": "window", "window": 3, "truncate": 2}),
    "stateful chunks in rows": (
        "echo",
        {"framing": "chunks", "chunk": 4, "steps": 8, "train": 4, "unseen": 4, "batch_size": 4}
        | {"stateful": True, "layout": "streams", "shuffle": "none", "truncate": 3},
    ),
    "gru": ("memory", {**WHOLE, "network": "gru", "truncate": 4, "layers": 2}),
    "simple rnn": ("memory", {**WHOLE, "network": "simple_rnn", "truncate": 2, "accumulate": 2}),
    "last output": ("alphabet", {"framing": "prefixes", "letters": 9, "truncate": 2}),
    "several blocks": (
        "random_memory",
        {"framing": "whole", "lag": 40, "train": 30, "unseen": 4, "batch_size": 10}
        | {"truncate": 7, "clip_norm": 0.1, "decay": "linear", "forget_bias": "chrono"},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [n if n == "several blocks" else pytest.param(n, marks=SLOW) for n in CASES],
)
def test_the_engines_agree_on_truncated_recipes(name):
    task, settings = CASES[name]
    agree(recipe(task, **{"units": 6, "epochs": 5} | settings))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_programs_without_kernels_agree_on_truncated_recipes(name, monkeypatch):
    monkeypatch.setattr(program, "calls_kernels", lambda *_: False)
    task, settings = CASES[name]
    agree(recipe(task, **{"units": 6, "epochs": 5} | settings))


def test_a_model_file_holds_the_plain_network_with_the_same_outputs():
    chosen = recipe("memory", truncate=2, epochs=3, **WHOLE)
    trained = compiled.train(chosen, [1]).runs[0]
    outcome = run(chosen, [1])
    model = open_network(outcome.model)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "LSTM", "Dense"]
    outputs = model.predict(trained.samples.x, verbose=0)
    np.testing.assert_allclose(outputs, trained.outputs, rtol=0, atol=1e-6)
