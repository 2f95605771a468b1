"""The LSTM of 1997 against the recursions of its paper, and its kernel against its Keras layer.

The oracle is in the form of the paper's appendix A.1: the derivatives of the cells' states by the
weights are carried forward in time, and no error is carried back (Hochreiter & Schmidhuber 1997).
"""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf
from agreement import agree, last_epoch_only
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.recipes._recipe import recipe
from lstm_bench.tasks._base import Problem, Sequence, Task
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _kernel_calls as calls
from lstm_bench.training._engine import get_engine
from lstm_bench.training._lstm_1997 import LSTM1997
from lstm_bench.training._models import build, initial_weights
from lstm_bench.training._program import ProgramSpec

needs_kernels = pytest.mark.skipif(not calls.available(), reason="kernels run on Linux only")


class Numbers(Task):
    """Random inputs and targets, of which the first step is not scored."""

    name: ClassVar[str] = "numbers"
    kind: ClassVar[str] = "regression"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    tolerance: ClassVar[float] = 0.1
    labels = ()
    chance = 0.0
    steps: int = 6
    count: int = 1
    features: int = 3
    outputs: int = 2

    def problem(self, seed):
        rng = np.random.default_rng(seed)
        scored = np.arange(self.steps) > 0

        def sequence():
            x = rng.normal(size=(self.steps, self.features))
            return Sequence(x, rng.random((self.steps, self.outputs)), scored)

        return Problem(tuple(sequence() for _ in range(self.count)))


def chosen(**changes):
    base = {
        "framing": "whole", "network": "lstm_1997", "output": "sigmoid", "optimizer": "sgd",
        "loss": "summed_squared_error", "learning_rate": 1.0, "epochs": 1, "initial_range": 0.8,
    }  # fmt: skip
    return recipe(Numbers, **base | changes)


VARIANTS = {
    "two cells": {"units": 2, "biases": "all"},
    "a block of two": {"units": 2, "block_size": 2, "biases": "gates"},
    "two blocks of two": {"units": 4, "block_size": 2, "biases": "hidden"},
    "no biases": {"units": 2, "biases": "none"},
    "no output gate": {"units": 3, "output_gate": False},
    "2a": {"units": 2, "output_gate": False, "squashing": "positive", "recurrent_inputs": False,
           "biases": "none"},
    "positive": {"units": 4, "block_size": 2, "squashing": "positive"},
}  # fmt: skip


def sigma(x):
    return 1 / (1 + np.exp(-x))


def by_the_paper(chosen, x, targets, scored, weights):
    """Returns loss, outputs (T, K) and the gradients of `weights`, one time step after another."""
    units, size = chosen.units, chosen.block_size
    blocks, symmetric = units // size, chosen.squashing == "symmetric"
    weights = [np.asarray(w, float) for w in weights]
    kernel, rest = weights[0], weights[1:]
    hidden = kernel.shape[1]
    recurrent = rest.pop(0) if chosen.recurrent_inputs else np.zeros((hidden, hidden))
    bias = np.zeros(hidden)
    if chosen.biases != "none":
        given = rest.pop(0)
        bias[hidden - len(given) :] = given
    to_output = rest.pop(0)  # of the inputs first, where these are fed to the output layer
    output_bias = rest.pop(0) if chosen.biases == "all" else 0.0
    # One matrix for x(t), a(t-1) and 1: a column for each cell, input gate and output gate.
    matrix = np.vstack([kernel, recurrent, bias])
    gradient, d_output = np.zeros_like(matrix), np.zeros((to_output.shape[0] + 1, len(targets[0])))
    s, a = np.zeros(units), np.zeros(hidden)
    ds_in, ds_cell = np.zeros((2, units, len(matrix)))  # by the weights of its gate, and its own
    loss, outputs = 0.0, []
    for t in range(len(x)):
        fed = np.concatenate([x[t], a, [1.0]])
        net = fed @ matrix
        a = np.zeros(hidden)
        squashed, squash_slope = np.zeros(units), np.zeros(units)
        for c in range(units):
            b = c // size
            i, of_cell = sigma(net[units + b]), sigma(net[c])
            g = 4 * of_cell - 2 if symmetric else of_cell
            g_slope = (4 if symmetric else 1) * of_cell * (1 - of_cell)
            s[c] += i * g
            ds_in[c] += g * i * (1 - i) * fed
            ds_cell[c] += i * g_slope * fed
            squashed[c], squash_slope[c] = s[c], 1.0
            if symmetric:
                squashed[c] = 2 * sigma(s[c]) - 1
                squash_slope[c] = 2 * sigma(s[c]) * (1 - sigma(s[c]))
            o = sigma(net[units + blocks + b]) if chosen.output_gate else 1.0
            a[c], a[units + b] = o * squashed[c], i
            if chosen.output_gate:
                a[units + blocks + b] = o
        shown = a[:units] if chosen.recurrent_inputs else np.concatenate([x[t], a[:units]])
        y = sigma(shown @ to_output + output_bias)
        outputs.append(y)
        if not scored[t]:
            continue
        loss += 0.5 * ((y - targets[t]) ** 2).sum()
        delta = (y - targets[t]) * y * (1 - y)  # (K,)
        d_output += np.outer([*shown, 1.0], delta)
        arriving = (to_output @ delta)[-units:]  # at the outputs of the cells
        for c in range(units):
            b, o = c // size, 1.0
            if chosen.output_gate:
                o = a[units + blocks + b]
                gradient[:, units + blocks + b] += o * (1 - o) * squashed[c] * arriving[c] * fed
            error = o * squash_slope[c] * arriving[c]
            gradient[:, units + b] += error * ds_in[c]
            gradient[:, c] += error * ds_cell[c]
    features = len(kernel)
    gradients = [gradient[:features]]
    if chosen.recurrent_inputs:
        gradients.append(gradient[features:-1])
    if chosen.biases != "none":
        gradients.append(gradient[-1, units if chosen.biases == "gates" else 0 :])
    gradients.append(d_output[:-1])
    return loss, np.array(outputs), gradients + [d_output[-1]] * (chosen.biases == "all")


@pytest.mark.long
@pytest.mark.parametrize("engine", ["keras", "compiled"])
@pytest.mark.parametrize("steps", [6, 25])  # by XLA's loop, by the kernel
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_of_gradient_descent_is_that_of_the_paper(variant, steps, engine):
    one = chosen(steps=steps, **VARIANTS[variant])
    (run,) = get_engine(engine).train(one, [3]).runs
    model = build(one, run.samples.x.shape[1:], 2, None, plain=True)
    before = initial_weights(model, one, 3)
    x, y, scored = run.samples.x[0], run.samples.y[0], run.samples.scored[0]
    loss, _, gradients = by_the_paper(one, x, y, scored, before)
    # As reported by Keras: the mean over rows, of sums over steps and outputs.
    np.testing.assert_allclose(run.loss, [loss], rtol=1e-5)
    for old, new, gradient in zip(before, run.weights, gradients, strict=True):
        np.testing.assert_allclose(old - new, gradient, rtol=0, atol=5e-6 * steps)
    _, outputs, _ = by_the_paper(one, x, y, scored, run.weights)
    np.testing.assert_allclose(run.outputs[0], outputs, rtol=0, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("variant", ["two blocks of two", "2a"])
def test_the_engines_agree_over_some_epochs(variant):
    # With a rate of 0.05 the weights of 2a move so far that the last digits grow apart.
    few = {"steps": 30, "count": 5, "batch_size": 2, "epochs": 6, "learning_rate": 0.02}
    agree(chosen(**few, **VARIANTS[variant]))


@pytest.mark.long
@pytest.mark.parametrize("more", [
    {"layers": 2, "block_size": 2},
    {"bidirectional": True, "biases": "gates", "recurrent_inputs": False},
    {"framing": "chunks", "chunk": 21, "stateful": True, "batch_size": 1},
    {"framing": "window", "window": 22, "loss": "mean_squared_error", "optimizer": "adam",
     "learning_rate": 0.01},
], ids=["layers", "directions", "stateful", "window"])  # fmt: skip
def test_the_engines_agree_on_other_settings(more):
    agree(chosen(steps=42, count=2, **{"units": 4, "epochs": 2, "learning_rate": 0.1} | more))


@pytest.mark.long
def test_where_there_are_no_kernels_programs_compute_the_same(monkeypatch):
    one = chosen(steps=25, count=3, batch_size=2, epochs=3, units=4, block_size=2)
    (ours,) = compiled.train(one, [1]).runs
    monkeypatch.setattr(calls, "available", lambda: False)
    assert not ProgramSpec.of(one, one.samples(1)).kernels
    (other,) = compiled.train(one, [1]).runs
    np.testing.assert_allclose(ours.loss, other.loss, rtol=1e-5)


@pytest.mark.parametrize(("weights", "features", "outputs", "settings"), [
    (264, 7, 7, {"units": 4, "biases": "gates"}),  # experiment 1
    (276, 7, 7, {"units": 6, "block_size": 2, "biases": "gates"}),
    (10_504, 101, 101, {"units": 1, "output_gate": False, "squashing": "positive",
                        "recurrent_inputs": False, "biases": "none"}),  # 2a, 2b
    (364, 54, 2, {"units": 2, "biases": "none"}),  # 2c
    (102, 1, 1, {"units": 3, "biases": "hidden"}),  # 3
    (93, 2, 1, {"units": 4, "block_size": 2}),  # 4, 5
    (156, 8, 4, {"units": 4, "block_size": 2}),  # 6a
    (308, 8, 8, {"units": 6, "block_size": 2}),  # 6b
])  # fmt: skip
def test_the_networks_of_the_paper_have_its_numbers_of_weights(
    weights, features, outputs, settings
):
    model = build(chosen(**settings), (9, features), outputs, None, plain=True)
    assert model.count_params() == weights


def test_initial_weights_are_uniform_and_the_given_gate_biases_are_set():
    one = chosen(
        units=40, block_size=20, layers=2, initial_range=0.2,
        input_gate_bias=[-3, -6], output_gate_bias=[-2.0, -4.0],
    )  # fmt: skip
    model = build(one, (5, 30), 20, None, plain=True)
    values = initial_weights(model, one, 0)
    for variable, value in zip(model.trainable_variables, values, strict=True):
        assert value.dtype == np.float32 and value.shape == tuple(variable.shape)
        if variable.name == "bias" and "output" not in variable.path:
            assert value[40:].tolist() == [-3, -6, -2, -4]
            value = value[:40]
        assert np.abs(value).max() <= 0.2
        # The standard deviation of a uniform variable within 0.2, to five of its standard errors.
        assert np.std(value) == pytest.approx(0.2 / 3**0.5, rel=5 * 0.45 / value.size**0.5)
    drawn = initial_weights(model, chosen(units=40, block_size=20, layers=2), 0)
    assert np.abs(drawn[2]).max() > 0.2  # without given values, biases are drawn like the weights
    other = initial_weights(model, one, 1)
    assert not any((a == b).all() for a, b in zip(values, other, strict=True))


@needs_kernels
def test_recipes_that_differ_in_initial_values_share_a_program():
    one = chosen(units=2, steps=25)
    samples = one.samples(0)
    for changes in ({"initial_range": 0.1}, {"input_gate_bias": [-1, -2]}):
        other = chosen(units=2, steps=25, **changes)
        assert ProgramSpec.of(other, samples) == ProgramSpec.of(one, samples)
    other = chosen(units=2, steps=25, squashing="positive")
    assert ProgramSpec.of(other, samples) != ProgramSpec.of(one, samples)


def test_no_error_goes_back_through_activations_that_are_fed_back():
    """After two steps, the first input only counts through s; everything else is a constant."""
    layer = LSTM1997(1)
    layer.build((1, 2, 1))
    kernel, recurrent, bias = np.ones((1, 3)), np.ones((3, 3)), np.zeros(3)
    layer.set_weights([kernel, recurrent, bias])
    x = tf.constant([[[0.7], [-0.4]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        h = layer(x)[0, 0]
    ours = tape.gradient(h, x).numpy()[0, 0, 0]
    s, i, g = sigma(0.7) * (4 * sigma(0.7) - 2), sigma(0.7), 4 * sigma(0.7) - 2
    fed = np.array([sigma(0.7) * (2 * sigma(s) - 1), sigma(0.7), sigma(0.7)]).sum() - 0.4
    later = s + sigma(fed) * (4 * sigma(fed) - 2)
    through_s = sigma(fed) * 2 * sigma(later) * (1 - sigma(later))
    slope = i * (1 - i)
    assert ours == pytest.approx(through_s * (slope * g + i * 4 * slope), rel=1e-5)


# ---- The kernel


def plain(options, every_step, x, weights, states, direction):
    """Returns outputs, states and the gradients of sum(output * direction), by Keras's own loop."""
    layer = LSTM1997(**options, return_sequences=every_step, return_state=True, unroll=True)
    layer.build(x.shape)
    layer.set_weights(weights)
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output, *new_states = layer(x, initial_state=[tf.constant(s) for s in states])
        total = tf.reduce_sum(output * direction)
    gradients = tape.gradient(total, [x, *(v.value for v in layer.trainable_variables)])
    return output, new_states, gradients


def by_kernel(options, every_step, x, weights, states, direction):
    """Returns the same by the kernel, within XLA."""
    layer = LSTM1997(**options, return_sequences=every_step, return_state=True)
    layer.build(x.shape)
    layer.set_weights(weights)
    layer.inner_loop = lambda *args, **more: calls._inner_loop_1997(
        layer, True, *args, **{"mask": None, "training": True} | more
    )

    @tf.function(jit_compile=True, autograph=False)
    def compute(x, states):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output, *new_states = layer(x, initial_state=states)
            total = tf.reduce_sum(output * direction)
        gradients = tape.gradient(total, [x, *(v.value for v in layer.trainable_variables)])
        return output, new_states, gradients

    return compute(tf.constant(x), [tf.constant(s) for s in states])


@pytest.mark.long
@needs_kernels
@settings(max_examples=15, deadline=None)
@given(
    blocks=st.integers(1, 4),
    block_size=st.integers(1, 3),
    output_gate=st.booleans(),
    squashing=st.sampled_from(["symmetric", "positive"]),
    recurrent_inputs=st.booleans(),
    biases=st.sampled_from(["none", "gates", "hidden", "all"]),
    every_step=st.booleans(),
    steps=st.integers(2, 9),
    rows=st.integers(1, 4),
    features=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_kernel_computes_what_the_layer_computes(
    blocks, block_size, every_step, steps, rows, features, seed, **options
):
    rng = np.random.default_rng(seed)
    units = blocks * block_size
    options = {"units": units, "block_size": block_size, **options}
    layer = LSTM1997(**options)
    layer.build((rows, steps, features))
    weights = [rng.normal(scale=0.7, size=w.shape).astype(np.float32) for w in layer.weights]
    hidden = units + blocks * (1 + options["output_gate"])
    states = [rng.normal(size=(rows, n)).astype(np.float32) for n in (hidden, units)]
    x = rng.normal(size=(rows, steps, features)).astype(np.float32)
    width = units if options["recurrent_inputs"] else units + features
    shape = (rows, steps, width) if every_step else (rows, width)
    direction = rng.normal(size=shape).astype(np.float32)
    expected = plain(options, every_step, x, weights, states, direction)
    computed = by_kernel(options, every_step, x, weights, states, direction)
    for ours, theirs in zip(tf.nest.flatten(computed), tf.nest.flatten(expected), strict=True):
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * scale)


@pytest.mark.long
@needs_kernels
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_not_lost(value):
    rng = np.random.default_rng(1)
    options = {"units": 4, "block_size": 2}
    layer = LSTM1997(**options)
    layer.build((2, 4, 3))
    weights = [rng.normal(size=w.shape).astype(np.float32) for w in layer.weights]
    x = rng.normal(size=(2, 4, 3)).astype(np.float32)
    x[1, 2, 0] = value
    states = [np.zeros((2, 8), np.float32), np.zeros((2, 4), np.float32)]
    arguments = options, True, x, weights, states, np.ones((2, 4, 4), np.float32)
    computed, expected = by_kernel(*arguments), plain(*arguments)
    for ours, theirs in zip(tf.nest.flatten(computed), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))


@pytest.mark.long
def test_a_diverging_run_is_the_same_in_both_engines():
    one = chosen(steps=25, units=2, epochs=3, learning_rate=10.0, initial_range=50.0)
    (fast,) = compiled.train(one, [0]).runs
    (slow,) = get_engine("keras").train(last_epoch_only(one), [0]).runs
    assert np.isfinite(fast.loss).tolist() == np.isfinite(slow.loss).tolist()
