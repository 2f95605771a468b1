"""The kernels of recurrent layers against plain Keras, and how programs come to call them."""

import subprocess
import sys

import keras
import numba
import numpy as np
import pytest
import tensorflow as tf
from agreement import agree
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.caching import CacheImpl
from numba.core.ccallback import CFunc

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _kernel_calls as calls
from lstm_bench.training import _kernels as kernels
from lstm_bench.training._program_spec import ProgramSpec

LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}

pytestmark = pytest.mark.skipif(not calls.available(), reason="kernels are called on Linux only")


def random_weights(network, features, units, rng):
    """Returns a kernel, a recurrent kernel and a bias, large enough to drive the gates apart."""
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[network]
    bias = (2, gates * units) if network == "gru" else (gates * units,)
    shapes = [(features, gates * units), (units, gates * units), bias]
    scales = [1.0, 1.5 / np.sqrt(units), 0.5]
    return [
        rng.normal(scale=scale, size=shape).astype(np.float32)
        for scale, shape in zip(scales, shapes, strict=True)
    ]


def plain_keras(network, every_step, x, weights, states, direction):
    """Returns outputs, states and the gradients of sum(output * direction), by Keras's own loop."""
    layer = LAYERS[network](
        weights[1].shape[0], return_sequences=every_step, return_state=True, unroll=True,
        **({} if network == "simple_rnn" else {"use_cudnn": False}),
    )  # fmt: skip
    layer.build(x.shape)
    layer.set_weights(weights)
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output, *new_states = layer(x, initial_state=[tf.constant(s) for s in states])
        total = tf.reduce_sum(output * direction)
    variables = [v.value for v in layer.trainable_variables]
    return output, new_states, tape.gradient(total, [x, *variables])


def by_kernel(network, every_step, x, weights, states, direction):
    """Returns the same by the kernel, within XLA."""

    @tf.function(jit_compile=True, autograph=False)
    def compute(x, weights, states):
        by_time = tf.transpose(x, [1, 0, 2])
        with tf.GradientTape() as tape:
            tape.watch([by_time, *weights])
            layer = calls._layer(network, every_step, training=True, wants_d_x=True)
            output, *new_states = layer(by_time, *weights, *states)
            output = tf.transpose(output, [1, 0, 2]) if every_step else output
            total = tf.reduce_sum(output * direction)
        d_x, *gradients = tape.gradient(total, [by_time, *weights])
        return output, new_states, [tf.transpose(d_x, [1, 0, 2]), *gradients]

    return compute(*map(tf.nest.map_structure, [tf.constant] * 3, [x, weights, states]))


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(
    network=st.sampled_from(sorted(LAYERS)),
    every_step=st.booleans(),
    steps=st.integers(2, 12),
    rows=st.one_of(st.integers(1, 15), st.sampled_from([24, 37, 130, 300])),
    features=st.integers(1, 40),
    units=st.one_of(st.integers(1, 40), st.sampled_from([64, 65])),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_kernel_computes_what_keras_computes(
    network, every_step, steps, rows, features, units, seed
):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, steps, features)).astype(np.float32)
    weights = random_weights(network, features, units, rng)
    states = [
        rng.normal(size=(rows, units)).astype(np.float32) for _ in range(calls.STATES[network])
    ]
    shape = (rows, steps, units) if every_step else (rows, units)
    direction = rng.normal(size=shape).astype(np.float32)
    expected = plain_keras(network, every_step, x, weights, states, direction)
    computed = by_kernel(network, every_step, x, weights, states, direction)
    for ours, theirs in zip(tf.nest.flatten(computed), tf.nest.flatten(expected), strict=True):
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * scale)


@pytest.mark.long
@pytest.mark.parametrize("network", sorted(LAYERS))
def test_an_evaluation_computes_what_training_computes(network):
    """Without a gradient a kernel keeps less; what it returns is the same to the bit."""
    rng = np.random.default_rng(0)
    for steps, rows in [(7, 3), (300, 2), (3, 400)]:
        x = tf.constant(rng.normal(size=(steps, rows, 4)).astype(np.float32))
        weights = [tf.constant(w) for w in random_weights(network, 4, 9, rng)]
        states = [tf.random.stateless_normal((rows, 9), (1, 2))] * calls.STATES[network]
        results = [
            tf.function(calls._layer(network, every_step, training, False), jit_compile=True)(
                x, *weights, *states
            )
            for every_step in (True, False)
            for training in (True, False)
        ]
        for trained, evaluated in zip(results[::2], results[1::2], strict=True):
            for one, other in zip(trained, evaluated, strict=True):
                assert one.numpy().tobytes() == other.numpy().tobytes()
        np.testing.assert_array_equal(results[0][0][-1], results[2][0])


@pytest.mark.parametrize("network", sorted(LAYERS))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_not_lost(network, value):
    """One row is poisoned: its outputs are, others are not, and the gradients of weights are."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4, 2)).astype(np.float32)
    x[1, 2, 0] = value
    weights = random_weights(network, 2, 5, rng)
    states = [np.zeros((3, 5), np.float32)] * calls.STATES[network]
    direction = np.ones((3, 4, 5), np.float32)
    expected = plain_keras(network, True, x, weights, states, direction)
    computed = by_kernel(network, True, x, weights, states, direction)
    for ours, theirs in zip(tf.nest.flatten(computed), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    np.testing.assert_allclose(computed[0], expected[0], atol=1e-5)


def spec(**changes):
    chosen = recipe("memory", **{"framing": "whole", "stateful": False} | changes)
    return ProgramSpec.of(chosen, chosen.samples(0))


def test_which_programs_call_kernels():
    assert spec(batch_size=2).kernels  # more than one row
    assert not spec(batch_size=1).kernels  # one row and five steps
    assert spec(batch_size=1, lag=40).kernels
    assert not spec(batch_size=2, network="mlp").kernels
    assert not spec(batch_size=2, framing="pairs").kernels  # one step: no loop


@pytest.mark.long
def test_without_kernels_programs_compute_the_same(monkeypatch):
    chosen = recipe(
        "memory", framing="whole", stateful=False, lag=9, units=12, epochs=50, batch_size=2
    )
    ours, _ = agree(chosen)
    monkeypatch.setattr(calls, "available", lambda: False)
    assert not ProgramSpec.of(chosen, chosen.samples(0)).kernels
    (other,) = compiled.train(chosen, [1]).runs
    np.testing.assert_allclose(ours.loss, other.loss, rtol=1e-4)
    assert (ours.correct == other.correct).all()


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_kernels_are_not_called_where_the_library_differs(monkeypatch, error):
    def missing(path):
        raise error

    monkeypatch.setattr(calls.ctypes, "CDLL", missing)
    monkeypatch.setattr(calls, "_functions", calls._functions.__wrapped__)
    assert not calls.available.__wrapped__()


def test_kernels_are_not_called_where_numba_cannot_be_imported(monkeypatch):
    """It refuses versions of NumPy that are newer than itself."""
    monkeypatch.setitem(sys.modules, calls.KERNELS, None)
    assert not calls.available.__wrapped__()


REGISTERING = """
import threading
from concurrent.futures import ThreadPoolExecutor
from lstm_bench.training import _kernel_calls as calls, _kernels as kernels
start = threading.Barrier(4)
def register():
    start.wait()
    return calls._target("simple_rnn")
with ThreadPoolExecutor(4) as pool:
    names = {future.result() for future in [pool.submit(register) for _ in range(4)]}
kept = kernels.kernel("simple_rnn")
calls._registered.cache_clear()
kernels.kernel.cache_clear()
names.add(calls._target("simple_rnn"))
print(len(names))
"""


@pytest.mark.long
def test_kernels_are_registered_in_threads_and_again():
    """XLA ends the process if a name gets another address: by threads, by a module reloaded."""
    command = [sys.executable, "-c", REGISTERING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr


class _CompilesError(Exception):
    pass


def _refuse(self):
    raise _CompilesError


def test_kernels_compile_where_nothing_can_be_written(monkeypatch):
    """Numba then knows no place for compiled code, and says so with a RuntimeError."""
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    monkeypatch.setattr(CFunc, "_compile_uncached", _refuse)
    with pytest.raises(_CompilesError):
        kernels.kernel.__wrapped__("simple_rnn")


def _damage(path):
    path.write_bytes(path.read_bytes()[:100])


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.long
@pytest.mark.parametrize(("files", "harm"), [("*.nbc", _damage), ("*.nbi", _empty)])
def test_kernels_compile_where_kept_code_is_damaged(monkeypatch, tmp_path, files, harm):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kernels.kernel.__wrapped__("simple_rnn")
    (path,) = tmp_path.rglob(files)
    harm(path)
    assert kernels.kernel.__wrapped__("simple_rnn").address


@pytest.mark.long
def test_compiled_code_of_other_sources_is_not_taken(monkeypatch, tmp_path):
    """Numba looks only at the file of a function, not at those of the functions that it calls."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kernels.kernel.__wrapped__("simple_rnn")
    monkeypatch.setattr(CFunc, "_compile_uncached", _refuse)
    assert kernels.kernel.__wrapped__("simple_rnn").cache_hits == 1
    monkeypatch.setattr(kernels, "stamp", lambda: 12345)
    with pytest.raises(_CompilesError):
        kernels.kernel.__wrapped__("simple_rnn")
