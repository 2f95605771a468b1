"""How often a network is evaluated changes no weight, no loss and no last output."""

import numpy as np
import pytest

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training._run import run

SHAPES = {
    "one kernel": {"units": 6},
    "with kernels of ours": {
        "framing": "prefixes", "lag": 6, "stateful": False, "batch_size": 3, "units": 6,
    },
    "stateful streams": {"layout": "streams", "batch_size": 2, "units": 5},
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_fewer_evaluations_change_nothing_else(settings):
    (dense,) = compiled.train(recipe("memory", epochs=23, evaluate_every=1, **settings), [4]).runs
    (sparse,) = compiled.train(recipe("memory", epochs=23, evaluate_every=5, **settings), [4]).runs
    assert sparse.evaluated.tolist() == [5, 10, 15, 20, 23]
    assert (sparse.correct == dense.correct[sparse.evaluated - 1]).all()
    np.testing.assert_allclose(sparse.loss, dense.loss, rtol=1e-5)
    np.testing.assert_allclose(sparse.outputs, dense.outputs, atol=1e-6)


@pytest.mark.long
def test_both_engines_evaluate_after_the_same_epochs():
    chosen = recipe("memory", epochs=8, evaluate_every=3, units=6)
    (fast,), (slow,) = (engine.train(chosen, [0]).runs for engine in (compiled, keras_loop))
    assert fast.evaluated.tolist() == slow.evaluated.tolist() == [3, 6, 8]
    assert (fast.correct == slow.correct).all()


def test_across_the_calls_of_a_program():
    """A program trains some epochs in each call, and the evaluations go on counting."""
    chosen = recipe("memory", epochs=300, evaluate_every=7, units=4)
    (seed,) = compiled.train(chosen, [2]).runs
    assert len(seed.loss) == 300
    assert seed.evaluated.tolist() == [*range(7, 300, 7), 300]
    (dense,) = compiled.train(recipe("memory", epochs=300, evaluate_every=1, units=4), [2]).runs
    assert (seed.correct == dense.correct[seed.evaluated - 1]).all()


def test_curves_and_solved_epochs_are_of_evaluated_epochs():
    settings = {"units": 20, "epochs": 200}
    sparse = run(recipe("memory", evaluate_every=9, **settings), [0, 1, 2])
    dense = run(recipe("memory", evaluate_every=1, **settings), [0, 1, 2])
    expected = [*range(9, 200, 9), 200]
    assert sparse.curves.query("seed == 1")["epoch"].tolist() == expected
    exact = dense.seeds["solved_epoch"].to_numpy()
    assert np.isfinite(exact).any()
    # The next evaluated epoch, if the task stays solved from the exact one on.
    later = [min(e for e in expected if e >= epoch) for epoch in exact if np.isfinite(epoch)]
    assert sparse.seeds["solved_epoch"].dropna().tolist() == later
