"""Compares the training of a recipe in both engines."""

import numpy as np

from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop


def last_epoch_only(chosen):
    """Returns the recipe `chosen` with an evaluation after its last epoch alone."""
    fields = {name: getattr(chosen, name) for name in type(chosen).model_fields}
    return type(chosen)(**fields | {"evaluate_every": 1_000_000})


def agree(chosen, seed=1):
    """Asserts that both engines agree on `chosen`; returns both runs."""
    fast = compiled.train(chosen, [seed])
    slow = keras_loop.train(last_epoch_only(chosen), [seed])
    assert fast.parameters == slow.parameters
    one, other = fast.runs[0], slow.runs[0]
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-4)
    np.testing.assert_allclose(one.outputs, other.outputs, rtol=0, atol=1e-4)
    for ours, keras_own in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=0, atol=1e-3)
    assert (one.outputs.argmax(axis=-1) == other.outputs.argmax(axis=-1)).all()
    assert (one.correct[-1] == other.correct[-1]).all()
    return one, other
