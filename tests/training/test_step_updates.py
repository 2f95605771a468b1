"""Updates after every time step: both engines against central differences, and each other.

The oracle knows nothing of slopes that are carried forward. Of a step it computes the error as a
function of one change d of the weights, made to those of this step and to those of every step
before, which were others then; what the units were fed is kept. Its slope at d = 0, by central
differences, is the gradient of the algorithm (Hochreiter & Schmidhuber 1997, appendix A.1).
"""

import sys
from typing import ClassVar

import numpy as np
import pytest
from agreement import agree

from lstm_bench.errors import Interrupted, RecipeError, UserError
from lstm_bench.export import export_script
from lstm_bench.recipes import program_key, recipe
from lstm_bench.seeds import epoch_stream, stream
from lstm_bench.tasks import Problem, Sequence, StoppingRule, Task
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training import _step_training as step_training
from lstm_bench.training._engine import get_engine
from lstm_bench.training._models import build, initial_weights
from lstm_bench.training._row_products import logistic
from lstm_bench.training._run import run

ENGINES = ["keras", "compiled"]


class Numbers(Task):
    """Random inputs, some of them 0, and targets: of these not every step is scored."""

    name: ClassVar[str] = "some_numbers"
    kind: ClassVar[str] = "regression"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    tolerance: ClassVar[float] = 0.1
    labels = ()
    chance = 0.0
    count: int = 1
    features: int = 3
    outputs: int = 2
    unseen: int = 0
    new: bool = False

    def problem(self, seed):
        return Problem(self.epoch_or_first(seed, 1), self._draw(stream(seed, "data"), self.unseen))

    def epoch_or_first(self, seed, epoch):
        return self._draw(epoch_stream(seed, epoch), self.count)

    def epoch_sequences(self, seed, epoch):
        return self.epoch_or_first(seed, epoch) if self.new else None

    def _draw(self, rng, count):
        lengths = rng.integers(4, 8, count)
        return tuple(self._one(rng, int(length)) for length in lengths)

    def _one(self, rng, steps):
        x = rng.normal(size=(steps, self.features)) * rng.integers(0, 2, (steps, self.features))
        scored = np.arange(steps) % 3 != 1
        scored[1:3] = False, True
        recall = scored & (np.arange(steps) == 2)
        return Sequence(x, rng.random((steps, self.outputs)), scored, recall=recall)

    @property
    def longest(self):
        return 7

    @property
    def stopping_rule(self):
        return StoppingRule(sequences=7, tolerance=0.62, misses=1)


ON_LINE = {
    "framing": "whole", "network": "lstm_1997", "output": "sigmoid", "optimizer": "sgd",
    "loss": "summed_squared_error", "batch_size": 1, "update": "step",
}  # fmt: skip


def chosen(**changes):
    settings = ON_LINE | {"learning_rate": 0.7, "epochs": 1, "initial_range": 0.8}
    return recipe(Numbers, **settings | changes)


VARIANTS = {
    "two cells": {"units": 2, "biases": "all"},
    "two blocks of two": {"units": 4, "block_size": 2, "biases": "gates"},
    "hidden biases": {"units": 3, "block_size": 3, "biases": "hidden", "recall_weight": 3.0},
    "no output gate": {"units": 3, "output_gate": False, "output": "softmax"},
    "2a": {"units": 2, "output_gate": False, "squashing": "positive", "recurrent_inputs": False,
           "biases": "none"},
    "positive": {"units": 2, "squashing": "positive", "output": "linear", "learning_rate": 0.1},
    "nine cells": {"units": 9, "features": 9, "outputs": 9, "recurrent_inputs": False},
}  # fmt: skip


def sigma(x):
    return 1 / (1 + np.exp(-x))


def forward(one, weights, x, a):
    """Returns the increments of s, and a function from s to outputs and a; of one time step."""
    units, size = one.units, one.block_size
    blocks = units // size
    kernel, *rest = weights
    hidden = kernel.shape[1]
    net = x @ kernel
    if one.recurrent_inputs:
        net = net + a @ rest.pop(0)
    if one.biases != "none":
        bias = rest.pop(0)
        net[hidden - len(bias) :] += bias
    symmetric = one.squashing == "symmetric"
    gates = sigma(net[units:])
    g = 4 * sigma(net[:units]) - 2 if symmetric else sigma(net[:units])
    i = np.array([gates[c // size] for c in range(units)])

    def rest_of_step(s):
        h = 2 * sigma(s) - 1 if symmetric else s
        o = np.array([gates[blocks + c // size] if one.output_gate else 1 for c in range(units)])
        shown = o * h if one.recurrent_inputs else np.concatenate([x, o * h])
        net = shown @ rest[0] + (rest[1] if one.biases == "all" else 0)
        if one.output == "softmax":
            y = np.exp(net) / np.exp(net).sum()
        else:
            y = net if one.output == "linear" else sigma(net)
        return y, np.concatenate([o * h, gates])

    return i * g, rest_of_step


def by_central_differences(one, x, targets, step_weights, weights, h=1e-5):
    """Returns the loss of a sequence, its outputs (T, K), and the weights afterwards."""
    weights = [np.array(w, float) for w in weights]
    a = np.zeros(weights[0].shape[1])
    history, loss, outputs = [], 0.0, []

    def at(t, changed):
        """Returns outputs and activations of step t, where `changed` are changes of the weights."""
        s = 0
        for tau in range(t + 1):
            before, fed = history[tau]
            moved = [w + d for w, d in zip(before, changed, strict=True)]
            increment, finish = forward(one, moved, x[tau], fed)
            s = s + increment
        return finish(s)

    for t in range(len(x)):
        history.append(([w.copy() for w in weights], a))
        still = [np.zeros_like(w) for w in weights]
        y, a = at(t, still)
        outputs.append(y)
        if step_weights[t] == 0:
            continue

        def error(changed, t=t):
            return step_weights[t] * 0.5 * ((at(t, changed)[0] - targets[t]) ** 2).sum()

        loss += error(still)
        gradients = [np.zeros_like(w) for w in weights]
        for number, weight in enumerate(weights):
            for place in np.ndindex(weight.shape):
                still[number][place] = h
                above = error(still)
                still[number][place] = -h
                gradients[number][place] = (above - error(still)) / (2 * h)
                still[number][place] = 0
        weights = [w - one.learning_rate * g for w, g in zip(weights, gradients, strict=True)]
    return loss, np.array(outputs), weights


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_step_moves_the_weights_against_its_gradient(variant, engine):
    one = chosen(**VARIANTS[variant])
    (trained,) = get_engine(engine).train(one, [3]).runs
    samples = trained.samples
    model = build(one, samples.x.shape[1:], samples.y.shape[-1], None, plain=True)
    weights = initial_weights(model, one, 3)
    step_weights = samples.weights(one.recall_weight)[0]
    steps = np.flatnonzero(step_weights)[-1] + 1
    x, y = samples.x[0, :steps].astype(float), samples.y[0]
    loss, _, expected = by_central_differences(one, x, y, step_weights, weights)
    np.testing.assert_allclose(trained.loss, [loss], rtol=1e-5)
    for ours, theirs, before in zip(trained.weights, expected, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7)
        assert not np.allclose(theirs, before, atol=1e-4)


@pytest.mark.long
def test_without_updates_between_steps_the_sum_of_the_changes_is_that_of_a_sequence():
    """With a small rate the weights hardly change in a sequence, so one update does the same."""
    settings = VARIANTS["two blocks of two"] | {"learning_rate": 1e-3}
    every_step, sequence = chosen(**settings), chosen(**settings, update=None)
    (one,), (other,) = (compiled.train(r, [3]).runs for r in (every_step, sequence))
    model = build(every_step, one.samples.x.shape[1:], 2, None, plain=True)
    before = initial_weights(model, every_step, 3)
    for ours, theirs, start in zip(one.weights, other.weights, before, strict=True):
        change = np.abs(theirs - start).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.02 * change)


MORE = {
    "shuffled": {"shuffle": "sequences", "count": 6, "units": 4, "block_size": 2},
    "new": {"new": True, "unseen": 5, "count": 6, "shuffle": "samples"},
    "weighted": {"recall_weight": 4.0, "count": 4, "unseen": 3, "biases": "none"},
}


@pytest.mark.long
@pytest.mark.parametrize("name", MORE)
def test_the_engines_agree(name):
    agree(chosen(epochs=3, learning_rate=0.3, **{"units": 3} | MORE[name]))


REBER = {"biases": "gates", "initial_range": 0.2, "shuffle": "sequences", "learning_rate": 0.5}


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("embedded_reber", {**REBER, "units": 6, "block_size": 2, "train": 30, "unseen": 10}),
        (
            "long_lag",
            {**VARIANTS["2a"], "lag": 9, "train": 20, "cells_from": 30, "learning_rate": 1.0},
        ),
        ("long_lag", {"variant": "c", "lag": 9, "train": 20, "unseen": 5, "units": 2}),
    ],
    ids=["1", "2a", "2c"],
)
def test_the_engines_agree_on_experiments_of_the_paper(task, settings):
    settings = {"learning_rate": 0.3, "initial_range": 0.2} | settings
    agree(recipe(task, epochs=2, **ON_LINE | settings))


@pytest.mark.parametrize("engine", ENGINES)
def test_before_there_are_cells_only_the_outputs_learn_from_the_inputs(engine):
    """Of 15 sequences 14 are learnt by a layer of outputs alone, by hand; then cells come."""
    settings = VARIANTS["nine cells"] | {"count": 5, "learning_rate": 0.2, "epochs": 3}
    one = chosen(**settings, cells_from=14)
    (trained,) = get_engine(engine).train(one, [0]).runs
    samples = trained.samples
    model = build(one, samples.x.shape[1:], 9, None, plain=True)
    kernel, bias, head, head_bias = (w.astype(float) for w in initial_weights(model, one, 0))
    losses = []
    for number in [*range(5), *range(5), *range(4)]:
        x, y = samples.x[number].astype(float), samples.y[number]
        losses.append(0.0)
        for t in np.flatnonzero(samples.scored[number]):
            out = sigma(x[t] @ head[:9] + head_bias)
            losses[-1] += 0.5 * ((out - y[t]) ** 2).sum()
            delta = (out - y[t]) * out * (1 - out)
            head[:9] -= 0.2 * np.outer(x[t], delta)
            head_bias -= 0.2 * delta
    np.testing.assert_allclose(trained.loss[:2], np.reshape(losses[:10], (2, 5)).mean(axis=1))
    steps = np.flatnonzero(samples.scored[4])[-1] + 1
    loss, _, expected = by_central_differences(
        one, samples.x[4, :steps].astype(float), samples.y[4], samples.scored[4],
        [kernel, bias, head, head_bias],
    )  # fmt: skip
    assert trained.loss[2] == pytest.approx((sum(losses[10:]) + loss) / 5)
    for ours, theirs in zip(trained.weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7)


def test_a_network_that_ends_before_it_has_cells_takes_nothing_from_them():
    settings = VARIANTS["2a"] | {"count": 4, "epochs": 3, "stop": "rule", "cells_from": 11}
    for engine in ENGINES:
        (trained,) = get_engine(engine).train(chosen(**settings, learning_rate=0.01), [0]).runs
        assert len(trained.loss) == 2 and trained.rule_met_after == 7
        head = trained.weights[-1]
        assert (head[3:] == 0).all() and (head[:3] != 0).all()
        out = sigma(trained.samples.x @ head[:3])
        np.testing.assert_allclose(trained.outputs, out, atol=1e-6)


def test_training_ends_by_rules_in_both_engines():
    one = chosen(units=2, count=5, epochs=9, learning_rate=0.05, stop="rule")
    fast, slow = (engine.train(one, [2]).runs[0] for engine in (compiled, keras_loop))
    assert fast.rule_met_after == slow.rule_met_after is not None
    assert fast.evaluated.tolist() == slow.evaluated.tolist()
    outcome = run(one, [2])
    assert outcome.seeds["sequences"].tolist() == [fast.rule_met_after]
    two = recipe(
        "long_lag", **ON_LINE | VARIANTS["2a"], lag=4, train=20, epochs=200, learning_rate=1.0,
        initial_range=0.2, stop_after_solved=1, evaluate_every=2, cells_from=100,
    )  # fmt: skip
    (trained,) = compiled.train(two, [0]).runs
    right = trained.correct[:, trained.samples.evaluated].all(axis=1)
    assert trained.evaluated.tolist() == list(range(2, len(trained.loss) + 1, 2))
    assert right[-2:].all() and not right[:-2].any() and len(trained.loss) < 200


def test_neither_threads_nor_other_seeds_nor_the_length_of_a_call_change_a_bit(monkeypatch):
    settings = {"units": 6, "block_size": 2, "train": 30, "unseen": 10, "epochs": 4}
    one = recipe("embedded_reber", **ON_LINE | REBER | settings)
    alone = [compiled.train(one, [seed]).runs[0] for seed in (0, 1, 2)]
    monkeypatch.setattr(step_training, "CALL_STEPS", 300)
    together = compiled.train(one, [0, 1, 2], threads=2).runs
    for ours, other in zip(alone, together, strict=True):
        assert ours.loss.tobytes() == other.loss.tobytes()
        assert ours.outputs.tobytes() == other.outputs.tobytes()
        assert all(
            a.tobytes() == b.tobytes() for a, b in zip(ours.weights, other.weights, strict=True)
        )


@pytest.mark.parametrize("missing", ["numba", "a compiler"])
def test_where_nothing_is_compiled_the_other_engine_trains(missing, monkeypatch):
    import numba

    if missing == "numba":
        monkeypatch.setitem(sys.modules, "numba", None)
    else:
        monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    one = chosen(units=2)
    (fast,), (slow,) = (engine.train(one, [0]).runs for engine in (compiled, keras_loop))
    assert fast.loss.tobytes() == slow.loss.tobytes()


def test_training_can_be_interrupted():
    calls = []

    def stop():
        calls.append(0)
        return len(calls) > 3

    with pytest.raises(Interrupted):
        compiled.train(chosen(units=2, epochs=1000), [0], stop=stop)


@pytest.mark.long
def test_outputs_that_are_not_numbers_are_wrong_and_end_nothing():
    one = chosen(units=3, output="linear", squashing="positive", biases="all", count=6,
                 learning_rate=10.0, epochs=30, stop="rule")  # fmt: skip
    for engine in ENGINES:
        (trained,) = get_engine(engine).train(one, [0]).runs
        assert np.isnan(trained.loss[-1]) and trained.rule_met_after is None
        assert not trained.correct[-1].any()


def test_the_logistic_function_is_that_of_numpy():
    x = np.concatenate([np.linspace(-745, 745, 4001), np.linspace(-1, 1, 999)])
    y = x.copy()
    logistic(y, len(y))
    with np.errstate(over="ignore"):
        expected = sigma(x)
    np.testing.assert_allclose(y, expected, rtol=1e-15, atol=1e-307)
    strange = np.array([np.nan, np.inf, -np.inf, 0, 0, 0, 0, 0])
    logistic(strange, 8)
    assert np.isnan(strange[0]) and strange[1:4].tolist() == [1, pytest.approx(0), 0.5]


@pytest.mark.parametrize(
    ("settings", "key", "rule"),
    [
        ({"network": "lstm"}, "update", "network=lstm_1997, but got lstm"),
        ({"optimizer": "adam"}, "update", "optimizer=sgd, but got adam; use optimizer=sgd"),
        ({"momentum": 0.5}, "update", "momentum=0, but got 0.5"),
        ({"loss": "mean_squared_error"}, "update", "loss=summed_squared_error, but got mean"),
        ({"batch_size": 2, "count": 2}, "update", "batch_size=1, but got 2"),
        ({"batch_size": "all", "count": 2}, "update", "batch_size=1, but got all"),
        ({"layers": 2}, "update", "layers=1, but got 2"),
        ({"bidirectional": True}, "update", "bidirectional=false, but got true"),
        ({"dropout": 0.1}, "update", "dropout=0, but got 0.1"),
        ({"accumulate": 2}, "update", "accumulate=1, but got 2"),
        ({"decay": "linear"}, "update", "decay=none, but got linear; leave it out"),
        ({"clip_norm": 1.0}, "update", "clip_norm=none, but got 1.0; leave it out"),
        ({"framing": "window", "window": 3}, "update", "framing=whole, but got window"),
        ({"update": "batch"}, "update", "'step'"),
        ({"cells_from": 5}, "cells_from", "recurrent_inputs is true; use recurrent_inputs=false"),
        ({"cells_from": 1, "recurrent_inputs": False}, "cells_from", "which are 1; use more"),
        (
            {"update": None, "cells_from": 1, "recurrent_inputs": False, "epochs": 2},
            "cells_from",
            "belongs to update=step",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, key, rule):
    with pytest.raises(RecipeError) as caught:
        chosen(**{"units": 2} | settings)
    assert any(fault.key == key and rule in fault.message for fault in caught.value.faults)


def test_a_script_of_them_is_refused():
    with pytest.raises(UserError, match=r"export: .* but got update=step; leave update out"):
        export_script(chosen(units=2))


def test_the_settings_of_other_recipes_do_not_change():
    other = recipe("memory")
    assert not {"update", "cells_from"} & set(other.settings) and other.updates == 250 * 8
    one = recipe("embedded_reber", **ON_LINE, epochs=3)
    steps = sum(len(sequence) for sequence in one.task.problem(0).train)
    assert one.updates == 3 * steps and "update step" in one.name
    settings = VARIANTS["2a"] | {"lag": 4, "epochs": 3}
    added = [recipe("long_lag", **ON_LINE | settings, cells_from=n) for n in (5, 6)]
    assert program_key(added[0]) == program_key(added[1])
