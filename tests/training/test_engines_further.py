"""Both engines beyond the grid: other problems and networks, and the loops of the tutorials."""

import keras
import numpy as np
import pytest
from agreement import agree

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training._engine import ENGINES, get_engine
from lstm_bench.training._models import initial_weights

UNSEEN = {"train": 6, "unseen": 4, "batch_size": 2, "units": 6, "epochs": 5}
SIDE_BY_SIDE = {"stateful": True, "layout": "streams", "shuffle": "none"}
WIDER = {
    "unseen": ("echo", {"steps": 6, **UNSEEN}),
    "unseen chunks": (
        "echo",
        {"steps": 6, "framing": "chunks", "chunk": 3} | SIDE_BY_SIDE | UNSEEN,
    ),
    "unseen pairs": ("random_memory", {"lag": 4, "framing": "pairs"} | SIDE_BY_SIDE | UNSEEN),
    "parallel streams": ("poem", {"units": 6, "epochs": 5}),
    "regression": ("parallel_series", {"units": 6, "epochs": 5}),
    "binary, both directions": ("cumulative_sum", {"bidirectional": True, **UNSEEN}),
    "convolution": (
        "alphabet",
        {"framing": "window", "network": "conv1d", "layers": 2, "epochs": 5},
    ),
    "convolution at every step": ("cumulative_sum", {"network": "conv1d", **UNSEEN}),
    "large convolution": (  # which XLA handed to the library YNN, and then could not compile
        "temporal_order",
        {"length": 30, "units": 20, "network": "conv1d", "epochs": 1, "train": 1000},
    ),
    "fresh substrings": (
        "alphabet",
        {"framing": "substrings", "substrings": 9, "fresh": 5, "wrap": True, "epochs": 5},
    ),
}


MARKED_LONG = {"binary, both directions", "convolution", "large convolution"}


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        pytest.param(
            *WIDER[name],
            id=name,
            marks=pytest.mark.long if name in MARKED_LONG else pytest.mark.slow,
        )
        for name in WIDER
    ],
)
def test_the_engines_agree_on_every_kind_of_problem_and_network(task, settings):
    agree(recipe(task, **settings))


@pytest.mark.long
def test_dropout_is_drawn_from_the_seed_and_left_out_of_evaluation():
    chosen = recipe("alphabet", framing="window", dropout=0.5, units=6, epochs=5)
    (run,) = compiled.train(chosen, [3]).runs
    (again,) = compiled.train(chosen, [3]).runs
    (without,) = compiled.train(recipe("alphabet", framing="window", units=6, epochs=5), [3]).runs
    assert (run.loss == again.loss).all()
    assert (run.loss != without.loss).all()
    model = keras_loop.prepared_model(chosen, run.samples, 3)
    for variable, value in zip(model.trainable_variables, run.weights, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(
        keras_loop.predict(chosen, model, run.samples), run.outputs[:, 0], atol=1e-6
    )


LONG = {"lag": 12, "framing": "whole", "stateful": False}  # in a loop over time
DEEP = pytest.param({"layers": 2}, marks=pytest.mark.slow)
LINEAR = {"loss": "mean_squared_error", "output": "linear"}


@pytest.mark.long
@pytest.mark.parametrize("settings", [LONG | LINEAR, DEEP], ids=["long", "deep"])
def test_the_engines_agree_on_long_sequences_another_head_and_two_layers(settings):
    agree(recipe("memory", units=6, epochs=5, **settings))


@pytest.mark.long
def test_accumulating_all_single_samples_is_training_on_the_full_batch():
    # The mean of the gradients of 8 equally weighted samples is the gradient of their mean loss.
    options = {"units": 6, "epochs": 30, "stateful": False}
    summed = compiled.train(recipe("memory", accumulate=8, **options), [0]).runs[0]
    full = compiled.train(recipe("memory", batch_size="all", **options), [0]).runs[0]
    for one, other in zip(summed.weights, full.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-4)
    np.testing.assert_allclose(summed.loss, full.loss, rtol=1e-4)


# ---- Both engines against the loops that the tutorials print.


def tutorial_network(stateful, batch, seed, accumulate=None):
    """Returns the model as the tutorial writes it, with the weights of `seed`."""
    model = keras.Sequential([
        keras.Input(batch_shape=(batch, 1, 5)),
        keras.layers.LSTM(6, stateful=stateful),
        keras.layers.Dense(5, activation="sigmoid"),
    ])  # fmt: skip
    adam = keras.optimizers.Adam(gradient_accumulation_steps=accumulate)
    model.compile(loss="binary_crossentropy", optimizer=adam)
    model.set_weights(initial_weights(model, recipe("memory"), seed))
    return model


ONE_HOT = np.eye(5, dtype=np.float32)
FIRST, SECOND = [3, 0, 1, 2, 3], [4, 0, 1, 2, 4]  # PROBLEMS.md, A


@pytest.mark.parametrize("accumulate", [None, pytest.param(4, marks=pytest.mark.slow)])
def test_the_engines_train_as_the_tutorial_on_memory_does(accumulate):
    # `gradient_accumulation_steps` is Keras's name for PROBLEMS.md, A12.
    model = tutorial_network(True, 1, 3, accumulate)
    losses = []
    for _ in range(3):
        total = 0.0
        for sequence in (FIRST, SECOND):
            x, y = ONE_HOT[sequence[:-1]][:, None], ONE_HOT[sequence[1:]]
            history = model.fit(x, y, epochs=1, batch_size=1, verbose=0, shuffle=False)
            total += history.history["loss"][0]
            model.layers[0].reset_state()
        losses.append(total / 2)
    chosen = recipe("memory", units=6, epochs=3, accumulate=accumulate or 1)
    for name in ENGINES:
        run = get_engine(name).train(chosen, [3]).runs[0]
        np.testing.assert_allclose(run.loss, losses, rtol=1e-4)
        for one, other in zip(run.weights, model.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


@pytest.mark.long
def test_the_engines_train_as_one_call_of_fit_does():
    # Stateless, a smaller last batch, the order of the data: a single call of `fit`.
    model = tutorial_network(False, None, 3)
    x = ONE_HOT[FIRST[:-1] + SECOND[:-1]][:, None]
    y = ONE_HOT[FIRST[1:] + SECOND[1:]]
    history = model.fit(x, y, epochs=5, batch_size=3, verbose=0, shuffle=False)
    outputs = model.predict(x, verbose=0)
    chosen = recipe("memory", units=6, epochs=5, stateful=False, batch_size=3)
    for name in ENGINES:
        run = get_engine(name).train(chosen, [3]).runs[0]
        np.testing.assert_allclose(run.loss, history.history["loss"], rtol=1e-4)
        np.testing.assert_allclose(run.outputs[:, 0], outputs, rtol=0, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("settings", [{}, {"network": "gru", "layers": 2}, {"bidirectional": True}])
def test_a_kernel_that_multiplies_zeros_is_left_as_it_is(settings):
    """Its gradient is zero, so plain Keras does not change it either; all else is trained."""
    chosen = recipe("memory", stateful=False, units=33, epochs=3, batch_size=2, **settings)
    fast, slow = agree(chosen)
    model = compiled.build(chosen, (1, 5), 5, None, plain=True)
    for variable, before, ours, theirs in zip(
        model.trainable_variables,
        initial_weights(model, chosen, 1),
        fast.weights,
        slow.weights,
        strict=True,
    ):
        assert (variable.name == "recurrent_kernel") == (ours == before).all()
        assert (variable.name == "recurrent_kernel") == (theirs == before).all()
