"""Forget biases, clipped gradients and falling learning rates, against Keras and NumPy."""

import keras
import numpy as np
import pytest
from agreement import agree
from scipy import stats

from lstm_bench.recipes._cost import program_key
from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training._engine import ENGINES, get_engine
from lstm_bench.training._keras_engine import prepared_model
from lstm_bench.training._optimizers import clip_factor, decayed_rate
from lstm_bench.training._program import ProgramSpec

schedules = keras.optimizers.schedules

ONE_HOT = np.eye(5, dtype=np.float32)
X = ONE_HOT[[[3, 0, 1, 2], [4, 0, 1, 2]]]  # PROBLEMS.md, A: both sequences, (2, 4, 5)
Y = ONE_HOT[[[0, 1, 2, 3], [0, 1, 2, 4]]]
WHOLE = {"framing": "whole", "stateful": False, "units": 6}


def written_by_hand(weights, optimizer, epochs):
    """Returns the losses and the weights after training with plain Keras, from `weights`."""
    model = keras.Sequential([
        keras.Input((4, 5)),
        keras.layers.LSTM(6, return_sequences=True),
        keras.layers.Dense(5, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer=optimizer)
    model.set_weights(weights)
    history = model.fit(X, Y, epochs=epochs, batch_size=1, verbose=0, shuffle=False)
    return history.history["loss"], model.get_weights()


def starting_weights(chosen, seed):
    model = prepared_model(chosen, chosen.samples(seed), seed)
    return [np.asarray(variable) for variable in model.trainable_variables]


BY_HAND = {
    "clipped": (
        {"clip_norm": 0.05, "optimizer": "sgd", "learning_rate": 0.5},
        lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.05),
    ),
    "clipped mean": (
        {"clip_norm": 0.05, "accumulate": 3, "learning_rate": 0.05},
        lambda: keras.optimizers.Adam(0.05, global_clipnorm=0.05, gradient_accumulation_steps=3),
    ),
    "cosine": (
        {"decay": "cosine", "optimizer": "rmsprop", "learning_rate": 0.05},
        lambda: keras.optimizers.RMSprop(schedules.CosineDecay(0.05, 14)),
    ),
    "linear, accumulated": (
        {"decay": "linear", "accumulate": 4, "learning_rate": 0.05},
        lambda: keras.optimizers.Adam(
            schedules.PolynomialDecay(0.05, 14, end_learning_rate=0, power=1),
            gradient_accumulation_steps=4,
        ),
    ),
}


MARKED_LONG = {"clipped mean", "linear, accumulated"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.long if n in MARKED_LONG else pytest.mark.slow)
        for n in BY_HAND
    ],
)
def test_both_engines_train_as_keras_does_with_its_own_options(name):
    settings, optimizer = BY_HAND[name]
    chosen = recipe("memory", **WHOLE, epochs=7, **settings)
    losses, weights = written_by_hand(starting_weights(chosen, 3), optimizer(), 7)
    for engine in ENGINES:
        run = get_engine(engine).train(chosen, [3]).runs[0]
        np.testing.assert_allclose(run.loss, losses, rtol=1e-5)
        for ours, theirs in zip(run.weights, weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)


def test_a_clipped_gradient_descent_moves_no_further_than_its_norm_allows():
    # Plain gradient descent: the norm of a step is the rate times that of the gradient.
    settings = {"epochs": 1, "batch_size": 2, "optimizer": "sgd", "learning_rate": 0.5}
    chosen = recipe("memory", **WHOLE, **settings, clip_norm=0.01)
    run = compiled.train(chosen, [3]).runs[0]
    moved = [a - b for a, b in zip(run.weights, starting_weights(chosen, 3), strict=True)]
    norm = np.sqrt(sum((part.astype(float) ** 2).sum() for part in moved))
    assert norm == pytest.approx(0.5 * 0.01, rel=1e-3)


@pytest.mark.parametrize("values", [[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [np.inf, 1.0], [np.nan]])
def test_the_factor_of_clipped_gradients_is_that_of_keras(values):
    gradients = [np.array([value], np.float32) for value in values]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=2.0)
    variables = [keras.Variable(np.zeros(1)) for _ in values]
    optimizer.build(variables)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    factor = np.asarray(clip_factor(gradients, np.float32(2.0)))
    for gradient, variable in zip(gradients, variables, strict=True):
        np.testing.assert_allclose(-gradient * factor, np.asarray(variable), rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 7, 30_000])
def test_rates_fall_as_those_of_keras(steps):
    by_keras = {
        "linear": schedules.PolynomialDecay(0.1, steps, end_learning_rate=0, power=1),
        "cosine": schedules.CosineDecay(0.1, steps),
    }
    for step in {0, 1, steps // 2, steps - 1, steps, steps + 5}:
        for decay, schedule in by_keras.items():
            ours = decayed_rate(decay, np.float32(0.1), step, np.float32(steps))
            np.testing.assert_allclose(ours, schedule(step), rtol=1e-6, atol=1e-9)
        assert decayed_rate(None, 0.1, step, steps) == 0.1


# ---- Forget biases (Tallec & Ollivier 2018, section 3: "chrono initialization")


def biases(seed, **settings):
    """Returns the biases of each LSTM layer, (4, units): i, f, c, o."""
    chosen = recipe("memory", **{"stateful": False, "framing": "whole"} | settings)
    model = prepared_model(chosen, chosen.samples(seed), seed)
    values = zip(model.trainable_variables, starting_weights(chosen, seed), strict=True)
    return [value.reshape(4, -1) for v, value in values if "lstm_cell/bias" in v.path]


def test_chrono_biases_are_logarithms_of_times_spread_evenly():
    options = {"units": 150, "forget_bias": "chrono", "longest_time": 100}
    drawn = np.concatenate([biases(seed, **options)[0] for seed in range(6)], axis=1)
    times = np.exp(drawn[1].astype(float))
    assert times.min() >= 1 - 1e-5 and times.max() <= 99 + 1e-3
    assert stats.kstest(times, stats.uniform(1, 98).cdf).pvalue > 0.001
    np.testing.assert_array_equal(drawn[0], -drawn[1])
    assert (drawn[2:] == 0).all()


def test_the_longest_time_is_the_number_of_time_steps_unless_it_is_given():
    (drawn,) = biases(0, units=150, lag=39, forget_bias="chrono")  # samples of 39 time steps
    assert 36 < np.exp(drawn[1]).max() <= 38 + 1e-3
    (same,) = biases(0, units=150, lag=39, forget_bias="chrono", longest_time=39)
    np.testing.assert_array_equal(drawn, same)
    (other,) = biases(1, units=150, lag=39, forget_bias="chrono")
    assert (other[1] != drawn[1]).all()


@pytest.mark.parametrize("value", [0, 2.5, -1])
def test_a_number_is_the_bias_of_every_forget_gate(value):
    layers = biases(0, units=3, layers=2, forget_bias=value)
    assert len(layers) == 2
    for drawn in layers:
        np.testing.assert_array_equal(drawn, [[0] * 3, [value] * 3, [0] * 3, [0] * 3])


def test_every_layer_and_direction_draws_biases_of_its_own():
    settings = {"framing": "window", "window": 4, "layers": 2, "bidirectional": True}
    drawn = [part[1].tolist() for part in biases(0, units=3, forget_bias="chrono", **settings)]
    assert len(drawn) == 4 and len(set(map(tuple, drawn))) == 4
    assert all(min(part) > 0 for part in drawn)


def test_a_forget_bias_changes_no_other_weight():
    plain = starting_weights(recipe("memory", **WHOLE), 2)
    chrono = starting_weights(recipe("memory", **WHOLE, forget_bias="chrono"), 2)
    same = [bool((a == b).all()) for a, b in zip(plain, chrono, strict=True)]
    assert same == [True, True, False, True, True]
    of_one = starting_weights(recipe("memory", **WHOLE, forget_bias=1), 2)
    assert all((a == b).all() for a, b in zip(plain, of_one, strict=True))


@pytest.mark.long
def test_the_engines_start_from_the_same_biases():
    # With a rate that is all but zero, the weights after training are those before it.
    options = {"forget_bias": "chrono", "longest_time": 20, "learning_rate": 1e-30}
    chosen = recipe("memory", units=6, epochs=1, optimizer="sgd", **options)
    fast, slow = agree(chosen)
    for ours, theirs, start in zip(
        fast.weights, slow.weights, starting_weights(chosen, 1), strict=True
    ):
        np.testing.assert_allclose(ours, start, rtol=0, atol=1e-20)
        np.testing.assert_allclose(theirs, start, rtol=0, atol=1e-20)


# ---- Programs


def test_values_are_inputs_of_a_program_and_kinds_are_not():
    def spec(**settings):
        chosen = recipe("memory", **WHOLE, **settings)
        return ProgramSpec.of(chosen, chosen.samples(0)), program_key(chosen)

    plain = spec()
    assert spec(forget_bias="chrono") == spec(forget_bias=3.0) == plain
    assert spec(forget_bias="chrono", longest_time=9) == plain
    assert spec(clip_norm=0.1) == spec(clip_norm=7.0)
    different = [plain, spec(clip_norm=1.0), spec(decay="linear"), spec(decay="cosine")]
    different += [spec(truncate=1), spec(truncate=2)]
    for pair in zip(*different, strict=True):
        assert len(set(pair)) == len(different)


def test_recipes_that_share_a_program_keep_their_values():
    settings = {"epochs": 3, "decay": "linear", "clip_norm": 0.01, "learning_rate": 0.1}
    chosen = recipe("memory", **WHOLE, **settings)
    first = compiled.train(chosen, [1])
    other = compiled.train(chosen.with_settings(chosen.settings | {"clip_norm": 1e6}), [1])
    longer = compiled.train(chosen.with_settings(chosen.settings | {"epochs": 30}), [1])
    assert first.compile_seconds > 0 and other.compile_seconds == longer.compile_seconds == 0
    assert (first.runs[0].loss[1:] != other.runs[0].loss[1:]).all()
    # Over ten times as many epochs, the rate falls a tenth as fast.
    assert (first.runs[0].loss[1:] != longer.runs[0].loss[1:3]).all()
