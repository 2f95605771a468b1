"""Networks against forward passes written by hand in NumPy, and their initial weights.

The equations are those of Hochreiter & Schmidhuber (1997) with forget gates (Gers et al. 2000), of
Cho et al. (2014) in the variant of Keras (`reset_after=True`), and of Elman (1990); the order of
the gates in the weights is Keras's: i, f, c, o for the LSTM, z, r, h for the GRU.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training._models import (
    MODELS,
    build,
    initial_weights,
    multiply_adds,
    reset_states,
    state_variables,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(x, state, kernel, recurrent, bias):
    (h,) = state
    z, r, n = np.split(x @ kernel + bias[0], 3, axis=-1)
    hz, hr, hn = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(z + hz), sigmoid(r + hr)
    return (z * h + (1 - z) * np.tanh(n + r * hn),)


def simple_rnn(x, state, kernel, recurrent, bias):
    return (np.tanh(x @ kernel + state[0] @ recurrent + bias),)


CELLS = {"lstm": (lstm, 2), "gru": (gru, 1), "simple_rnn": (simple_rnn, 1)}


def forward(network, x, weights, state):
    """Returns (outputs at every step before the head (B, T, U), state of each layer)."""
    cell, _ = CELLS[network]
    new_state = []
    for layer, values in enumerate(state):
        steps = []
        for t in range(x.shape[1]):
            values = cell(x[:, t], values, *weights[3 * layer : 3 * layer + 3])
            steps.append(values[0])
        x = np.stack(steps, axis=1)
        new_state.append(values)
    return x, new_state


def zeros(network, layers, rows, units):
    return [[np.zeros((rows, units))] * CELLS[network][1] for _ in range(layers)]


def randomised(model, seed=0):
    """Sets random weights, biases too, and returns them as float64."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.7, v.shape) for v in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return weights


GRID = [
    *itertools.product(CELLS, [1], [3], [True, False], [True, False]),
    *itertools.product(CELLS, [2], [3], [True], [False]),
    *itertools.product(CELLS, [1], [10], [False], [False]),  # in a loop over time
    ("lstm", 3, 2, True, False),
]


@pytest.mark.parametrize(("network", "layers", "steps", "every", "plain"), GRID)
def test_a_stateful_network_is_the_one_written_by_hand_over_two_batches(
    network, layers, steps, every, plain
):
    framing = {"framing": "whole"} if every else {"framing": "window", "window": 3}
    chosen = recipe("memory", network=network, units=4, layers=layers, **framing)
    model = build(chosen, (steps, 5), 3, 2, plain=plain)
    weights = randomised(model)
    x = np.random.default_rng(1).normal(size=(2, 2, steps, 5))
    state = zeros(network, layers, 2, 4)
    for batch in (*x, x[0]):  # the state passes from batch to batch
        hidden, state = forward(network, batch, weights, state)
        head = hidden if every else hidden[:, -1]
        expected = sigmoid(head @ weights[-2] + weights[-1])
        assert np.allclose(model(batch), expected, rtol=0, atol=2e-5)
    # The states that Keras keeps are h (and c) of each layer.
    by_hand = [value for values in state for value in values]
    for variable, value in zip(state_variables(model), by_hand, strict=True):
        assert np.allclose(variable, value, rtol=0, atol=2e-5)
    reset_states(model)
    first, _ = forward(network, x[0], weights, zeros(network, layers, 2, 4))
    head = first if every else first[:, -1]
    expected = sigmoid(head @ weights[-2] + weights[-1])
    assert np.allclose(model(x[0]), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("network", CELLS)
def test_a_stateless_network_starts_every_batch_anew(network):
    chosen = recipe("memory", network=network, units=4, framing="window", stateful=False)
    model = build(chosen, (3, 5), 5, None, plain=True)
    weights = randomised(model)
    x = np.random.default_rng(1).normal(size=(7, 3, 5))
    hidden, _ = forward(network, x, weights, zeros(network, 1, 7, 4))
    expected = sigmoid(hidden[:, -1] @ weights[-2] + weights[-1])
    for _ in range(2):
        assert np.allclose(model(x), expected, rtol=0, atol=2e-5)
    assert state_variables(model) == []


@pytest.mark.parametrize("every", [True, False])
def test_a_perceptron_is_the_one_written_by_hand(every):
    framing = {"framing": "whole"} if every else {"framing": "window", "window": 3}
    chosen = recipe("alphabet", network="mlp", units=6, layers=2, encoding="onehot", **framing)
    model = build(chosen, (3, 26), 4, None, plain=True)
    first, bias_1, second, bias_2, head, bias_3 = randomised(model)
    x = np.random.default_rng(1).normal(size=(5, 3, 26))
    flat = x if every else x.reshape(5, -1)
    hidden = np.maximum(np.maximum(flat @ first + bias_1, 0) @ second + bias_2, 0)
    logits = hidden @ head + bias_3
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    assert np.allclose(model(x), expected, rtol=0, atol=2e-5)


# Initial weights: Glorot & Bengio (2010), Saxe et al. (2014), Jozefowicz et al. (2015).


def starting(network="lstm", units=30, layers=1, seed=0, plain=True, framing="pairs", **more):
    chosen = recipe(
        "memory", network=network, units=units, layers=layers, framing=framing,
        stateful=False, alphabet=40, **more,
    )  # fmt: skip
    samples = chosen.samples(seed)
    model = build(chosen, samples.x.shape[1:], samples.y.shape[-1], None, plain=plain)
    names = [variable.path for variable in model.trainable_variables]
    return dict(zip(names, initial_weights(model, chosen, seed), strict=True))


KERAS_INITIALIZED = [network for network in MODELS if network != "lstm_1997"]
"""An lstm_1997 starts as its recipe says; see `test_lstm_1997.py`."""


@pytest.mark.parametrize("network", KERAS_INITIALIZED)
def test_kernels_are_uniform_within_the_glorot_limit(network):
    for name, weight in starting(network, layers=2).items():
        if name.endswith("/kernel"):
            kernel_size = math.prod(weight.shape[:-2])  # 1 except for a convolution
            limit = math.sqrt(6 / (kernel_size * sum(weight.shape[-2:])))
            assert np.abs(weight).max() <= limit
            test = stats.kstest(weight.ravel(), stats.uniform(-limit, 2 * limit).cdf)
            assert test.pvalue > 0.001, name


@pytest.mark.parametrize("network", CELLS)
def test_recurrent_kernels_are_orthogonal(network):
    weights = starting(network, layers=2)
    kernels = [weight for name, weight in weights.items() if name.endswith("recurrent_kernel")]
    assert len(kernels) == 2
    for weight in kernels:
        assert np.allclose(weight @ weight.T, np.eye(30), atol=1e-5)


def test_orthogonal_kernels_favour_no_direction():
    # Under the uniform distribution over orthogonal matrices an entry of an n x n matrix has mean
    # 0 and variance 1/n; without the correction of signs the diagonal's mean would not be 0.
    drawn = np.array([
        starting("simple_rnn", units=3, seed=seed)["rnn_1/simple_rnn_cell/recurrent_kernel"]
        for seed in range(60)
    ])  # fmt: skip
    assert np.abs(drawn.mean(axis=0)).max() < 4 * math.sqrt(1 / 3 / 60)
    assert abs((drawn**2).mean() - 1 / 3) < 1e-6


def test_biases_are_zero_except_for_the_forget_gate():
    for network in KERAS_INITIALIZED:
        for name, weight in starting(network, units=7).items():
            if name.endswith("bias"):
                expected = np.zeros_like(weight)
                if name == "rnn_1/lstm_cell/bias":
                    expected[7:14] = 1  # gates i, f, c, o
                assert (weight == expected).all(), name


@pytest.mark.parametrize("network", MODELS)
def test_the_plain_and_the_compiled_network_start_alike(network):
    plain, compiled = (list(starting(network, plain=flag).values()) for flag in (True, False))
    assert all((a == b).all() for a, b in zip(plain, compiled, strict=True))
    assert len(plain) == len(compiled)


def test_weights_depend_on_the_seed_and_are_shared_by_recipes_of_one_shape():
    pairs, window = starting(), starting(framing="window", window=2)
    assert all((pairs[name] == window[name]).all() for name in pairs)
    other = starting(seed=1)
    drawn = [name for name in pairs if name.endswith("kernel")]
    assert len(drawn) == 3
    assert all((pairs[name] != other[name]).any() for name in drawn)


@pytest.mark.parametrize("network", KERAS_INITIALIZED)
def test_initial_weights_have_the_spread_of_those_of_keras(network):
    # Keras draws weights when a model is built; both must have the same spread.
    chosen = recipe("memory", network=network, units=30, alphabet=40, stateful=False)
    model = build(chosen, (1, 40), 40, None, plain=True)
    weights = initial_weights(model, chosen, 3)
    for variable, ours in zip(model.trainable_variables, weights, strict=True):
        assert tuple(variable.shape) == ours.shape and ours.dtype == np.float32
        assert np.std(ours) == pytest.approx(np.std(np.asarray(variable)), rel=0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # Four gates of a cell, each from 5 inputs and 7 units, then 5 outputs from 7 units.
        ({"network": "lstm"}, 3 * 4 * (5 + 7) * 7 + 7 * 5),
        ({"network": "gru"}, 3 * 3 * (5 + 7) * 7 + 7 * 5),
        ({"network": "simple_rnn", "layers": 2}, 3 * (5 + 7) * 7 + 3 * (7 + 7) * 7 + 7 * 5),
        ({"network": "lstm", "framing": "whole"}, 3 * (4 * (5 + 7) * 7 + 7 * 5)),
        ({"network": "mlp"}, 3 * 5 * 7 + 7 * 5),
    ],
)
def test_multiply_adds_are_those_of_the_equations(settings, expected):
    chosen = recipe("memory", units=7, **{"framing": "window", "stateful": False} | settings)
    assert multiply_adds(build(chosen, (3, 5), 5, None, plain=True)) == expected
