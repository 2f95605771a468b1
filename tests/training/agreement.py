"""Compares the training of a recipe in both engines."""

from types import SimpleNamespace

import numpy as np

from lstm_bench.seeds import stream
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training._models import reset_states


def last_epoch_only(chosen):
    """Returns the recipe `chosen` with an evaluation after its last epoch alone."""
    fields = {name: getattr(chosen, name) for name in type(chosen).model_fields}
    return type(chosen)(**fields | {"evaluate_every": 1_000_000})


def agree(chosen, seed=1):
    """Asserts that both engines agree on `chosen`; returns both runs."""
    fast = compiled.train(chosen, [seed])
    slow = keras_loop.train(last_epoch_only(chosen), [seed])
    assert fast.parameters == slow.parameters
    are_alike(fast.runs[0], slow.runs[0])
    return fast.runs[0], slow.runs[0]


def agree_on_batches(chosen, seed=1):
    """Asserts that the compiled engine agrees on `chosen` with Keras's `train_on_batch`."""
    are_alike(compiled.train(chosen, [seed]).runs[0], trained_on_batches(chosen, seed))


def are_alike(one, other):
    """Asserts that two runs have the same losses, outputs, weights and correct answers."""
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-4)
    np.testing.assert_allclose(one.outputs, other.outputs, rtol=0, atol=1e-4)
    for ours, keras_own in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=0, atol=1e-3)
    assert (one.outputs.argmax(axis=-1) == other.outputs.argmax(axis=-1)).all()
    assert (one.correct[-1] == other.correct[-1]).all()


ORDERS = ("shuffle", "layout", "reset", "epochs")
"""Settings that only order the batches: recipes that differ in nothing else share a Keras model."""
MODELS = {}  # (model, initial values of its variables) by seed and settings


def prepared_model(chosen, samples, seed):
    """Returns a Keras model before training; it is traced, which takes long, only once."""
    settings = {name: value for name, value in chosen.settings.items() if name not in ORDERS}
    key = (seed, str(settings), samples.x.shape)
    if key not in MODELS:
        model = keras_loop.prepared_model(chosen, samples, seed)
        variables = [*model.variables, *model.optimizer.variables]
        MODELS[key] = model, [(variable, np.array(variable)) for variable in variables]
    model, initial = MODELS[key]
    for variable, value in initial:
        variable.assign(value)
    reset_states(model)  # which are not among the variables
    return model


def trained_on_batches(chosen, seed=1):
    """Returns a run of `chosen` by Keras's `train_on_batch`, like those of an engine.

    A call of `fit` takes 0.1 s whatever it trains, so 50 small epochs take a sixth of the time.
    """
    samples = chosen.evaluated_samples(seed)
    model = prepared_model(chosen, samples, seed)
    rng = stream(seed, "shuffle")
    losses = []
    for _ in range(chosen.epochs):
        (index,), (resets,) = chosen.schedule.epochs(rng, 1)
        total = 0.0
        for batch, reset in zip(index, resets, strict=True):
            if reset:
                reset_states(model)
            order = batch[batch >= 0]
            weights = samples.weights(chosen.recall_weight)
            weight = None if weights is None else weights[order]
            model.reset_metrics()
            loss = model.train_on_batch(samples.x[order], samples.y[order], sample_weight=weight)
            total += float(loss) * len(order)
        losses.append(total / samples.train_count)
    outputs = keras_loop.predict(chosen, model, samples)
    return SimpleNamespace(
        loss=np.array(losses, np.float32),
        outputs=outputs.reshape(*samples.scored.shape, -1),
        weights=[np.asarray(weight) for weight in model.trainable_variables],
        correct=[keras_loop.correct_outputs(chosen, samples, outputs)],
    )
