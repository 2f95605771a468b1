"""New sequences in every epoch, weights of steps that need memory, and ends of training."""

from typing import Annotated, ClassVar

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.seeds import epoch_stream, stream
from lstm_bench.tasks import Problem, Sequence, StoppingRule, Task
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop
from lstm_bench.training._models import initial_weights
from lstm_bench.training._run import run
from lstm_bench.training._stopping import RuleWindow

FRESH = {"lag": 5, "train": 20, "unseen": 10, "new_each_epoch": True, "units": 6}
FAST = {"framing": "whole", "stateful": False, "units": 8, "learning_rate": 0.05}


class Walk(Task):
    """The sign of a running sum of numbers, over 3 to `most` steps: 0.5 -1 -> 1 0."""

    name: ClassVar[str] = "walk"
    kind: ClassVar = "binary"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    defaults: ClassVar = {"framing": "whole", "units": 4, "batch_size": 1, "epochs": 6}
    labels = ()
    chance = 0.5
    most: Annotated[int, Field(ge=3)] = 6

    def problem(self, seed):
        return Problem(self.epoch_sequences(seed, 1), self._draw(stream(seed, "data")))

    def epoch_sequences(self, seed, epoch):
        return self._draw(epoch_stream(seed, epoch))

    def _draw(self, rng):
        return tuple(self._one(rng, int(steps)) for steps in rng.integers(3, self.most + 1, 12))

    def _one(self, rng, steps):
        inputs = rng.normal(size=(steps, 1))
        targets = (inputs.cumsum(axis=0) > 0).astype(float)
        return Sequence(inputs, targets, np.ones(steps, bool))

    @property
    def longest(self):
        return self.most

    @property
    def stopping_rule(self):
        return StoppingRule(sequences=9, tolerance=0.75, misses=1, mean_error=0.7)


class Fork(Task):
    """After 0 either 1 or 2 can follow, after these 0: 0 1 0 2 -> 1 0 2 0."""

    name: ClassVar[str] = "fork"
    defaults: ClassVar = {"framing": "whole", "units": 6, "batch_size": 1, "epochs": 4}
    labels = ("0", "1", "2", "3")
    chance = 0.5

    def problem(self, seed):
        rng = stream(seed, "data")
        return Problem(tuple(self._one(rng.integers(1, 3, 3)) for _ in range(4)))

    def _one(self, branches):
        symbols = np.zeros(7, int)
        symbols[1::2] = branches
        possible = np.zeros((6, 4), bool)
        possible[0::2, 1:3] = True
        possible[1::2, 0] = True
        sequence = Sequence.next_symbol(symbols)
        return Sequence(sequence.inputs, sequence.targets, sequence.scored, possible=possible)


def both(chosen, seed=0):
    return (engine.train(chosen, [seed]).runs[0] for engine in (compiled, keras_loop))


def assert_same(fast, slow):
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-4)
    np.testing.assert_allclose(fast.outputs, slow.outputs, atol=1e-4)
    assert fast.evaluated.tolist() == slow.evaluated.tolist()
    assert (fast.correct == slow.correct).all()
    assert fast.rule_met_after == slow.rule_met_after


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 4, "batch_size": 8, "shuffle": "sequences"},
        {"epochs": 2, "framing": "pairs", "stateful": True, "layout": "streams", "batch_size": 10},
    ],
    ids=["whole, a last smaller batch", "stateful streams"],
)
def test_engines_agree_on_new_sequences(settings):
    fast, slow = both(recipe("random_memory", **FRESH, **settings))
    assert_same(fast, slow)
    assert fast.samples.train_count == 0  # only the unseen ones are evaluated
    assert len(np.unique(fast.samples.sequence)) == 10


@pytest.mark.long
def test_new_sequences_are_those_of_the_task():
    """One epoch on the sequences of epoch 2 alone, by hand in Keras, against epochs 1 and 2."""
    chosen = recipe("random_memory", **FRESH, epochs=2, batch_size=20, shuffle="none")
    (seed,) = compiled.train(chosen, [3]).runs
    model = keras.Sequential(
        [
            keras.Input((5, 5)),
            keras.layers.LSTM(6, return_sequences=True),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="categorical_crossentropy")
    model.set_weights(initial_weights(model, chosen, 3))
    losses = []
    for epoch in (1, 2):
        sequences = chosen.task.epoch_sequences(3, epoch)
        x = np.eye(5, dtype=np.float32)[[s.inputs for s in sequences]]
        y = np.eye(5, dtype=np.float32)[[s.targets for s in sequences]]
        weight = np.array([s.scored for s in sequences], np.float32)
        losses.append(model.train_on_batch(x, y, sample_weight=weight))
        model.reset_metrics()
    np.testing.assert_allclose(seed.loss, losses, rtol=1e-4)


@pytest.mark.long
def test_new_sequences_do_not_depend_on_the_length_of_a_call(monkeypatch):
    from lstm_bench.training import _program_spec as spec

    chosen = recipe("random_memory", **FRESH, epochs=7, batch_size=10, shuffle="sequences")
    (whole,) = compiled.train(chosen, [0]).runs
    monkeypatch.setattr(spec, "MOST_FRESH_BYTES", 3 * 4 * 20 * (25 + 25))
    (pieces,) = compiled.train(chosen, [0]).runs
    assert whole.loss.tobytes() == pieces.loss.tobytes()
    assert whole.outputs.tobytes() == pieces.outputs.tobytes()


@pytest.mark.long
def test_sequences_of_other_lengths_share_a_program():
    chosen = recipe(Walk)
    misses = compiled._compile.cache_info().misses
    compiled.train(chosen, range(4))
    assert compiled._compile.cache_info().misses == misses + 1
    assert_same(*both(chosen, 2))


@pytest.mark.long
def test_a_rule_ends_training():
    chosen = recipe(Walk, epochs=60, stop="rule", learning_rate=0.02)
    fast, slow = both(chosen, 1)
    assert_same(fast, slow)
    assert 9 <= fast.rule_met_after <= 12 * 60
    assert len(fast.loss) == -(-fast.rule_met_after // 12)  # the epoch with that sequence
    outcome = run(chosen, [1])
    assert outcome.seeds["sequences"].tolist() == [fast.rule_met_after]
    assert outcome.seeds["solved"].tolist() == [True]
    assert outcome.seeds["trained_epochs"].tolist() == [len(fast.loss)]
    assert outcome.seeds["solved_epoch"].tolist() == [len(fast.loss)]


@pytest.mark.long
@pytest.mark.parametrize("update", ["batch", "step"])
def test_the_epoch_in_which_a_rule_is_met_is_evaluated(update):
    settings = {"epochs": 60, "stop": "rule", "learning_rate": 0.02}
    if update == "step":
        settings |= {
            "network": "lstm_1997", "update": "step", "optimizer": "sgd", "output": "sigmoid",
            "loss": "summed_squared_error", "learning_rate": 0.3, "units": 2,
        }  # fmt: skip
    dense, sparse = (recipe(Walk, evaluate_every=every, **settings) for every in (1, 7))
    for engine in (compiled, keras_loop):
        (all_epochs,), (some,) = (engine.train(chosen, [0]).runs for chosen in (dense, sparse))
        last = len(all_epochs.loss)
        assert some.rule_met_after == all_epochs.rule_met_after is not None
        assert last % 7 and last < 60
        assert some.evaluated.tolist() == [*range(7, last, 7), last]
        assert (some.correct == all_epochs.correct[some.evaluated - 1]).all()
        np.testing.assert_allclose(some.loss, all_epochs.loss, rtol=1e-5)
        np.testing.assert_allclose(some.outputs, all_epochs.outputs, atol=1e-6)
        for one, other in zip(some.weights, all_epochs.weights, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=40),
    st.integers(1, 12),
    st.integers(0, 2),
    st.sampled_from([None, 0.4]),
    st.integers(1, 9),
)
def test_the_rule_is_applied_to_every_window(errors, size, misses, mean_error, piece):
    rule = StoppingRule(size, 0.5, misses, mean_error)
    expected = None
    for end in range(size, len(errors) + 1):
        window = errors[end - size : end]
        few = sum(error >= 0.5 for error in window) <= misses
        if few and (mean_error is None or np.mean(window) < mean_error):
            expected = end
            break
    window, met = RuleWindow(rule), None
    for first in range(0, len(errors), piece):
        met = window.met_after(np.array(errors[first : first + piece]))
        if met is not None:
            break
    assert met == expected


@pytest.mark.long
@pytest.mark.parametrize("patience", [0, 3])
def test_training_ends_when_the_task_has_stayed_solved(patience):
    whole = recipe("memory", epochs=60, **FAST)
    (full,) = compiled.train(whole, [0]).runs
    right = full.correct[:, full.samples.evaluated].all(axis=1)
    ends = [e for e in range(patience, 60) if right[e - patience : e + 1].all()]
    chosen = recipe("memory", epochs=60, stop_after_solved=patience, **FAST)
    fast, slow = both(chosen)
    assert_same(fast, slow)
    assert len(fast.loss) == ends[0] + 1 < 60
    np.testing.assert_allclose(fast.loss, full.loss[: len(fast.loss)], rtol=1e-5)
    outcome = run(chosen, [0])
    assert outcome.seeds["trained_epochs"].tolist() == [len(fast.loss)]
    assert outcome.seeds["solved_epoch"].tolist() == [len(fast.loss) - patience]
    assert outcome.curves["epoch"].max() == len(fast.loss)


def test_a_streak_goes_on_over_the_calls_of_a_program():
    """A call trains up to 256 epochs, so a streak of 300 is over two calls."""
    chosen = recipe("memory", epochs=2000, stop_after_solved=300, **FAST)
    (seed,) = compiled.train(chosen, [0]).runs
    right = seed.correct[:, seed.samples.evaluated].all(axis=1)
    assert len(right) < 2000
    assert right[-301:].all()
    assert not right[-302]


def test_a_curve_of_seeds_with_other_ends_keeps_their_last_values():
    outcome = run(recipe("memory", epochs=60, stop_after_solved=1, **FAST), [0, 1, 2])
    curve = outcome.learning_curve()
    assert (curve["seeds"] == 3).all()
    last = outcome.curves.groupby("seed")["loss"].last()
    assert curve["loss_mean"].iloc[-1] == pytest.approx(last.mean())


@pytest.mark.long
def test_steps_that_need_memory_weigh_more():
    chosen = recipe("memory", epochs=3, batch_size=2, recall_weight=5.0, **FAST)
    fast, slow = both(chosen)
    assert_same(fast, slow)
    model = keras.Sequential(
        [
            keras.Input((4, 5)),
            keras.layers.LSTM(8, return_sequences=True),
            keras.layers.Dense(5, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
    model.set_weights(initial_weights(model, chosen, 0))
    symbols = np.eye(5, dtype=np.float32)[[[3, 0, 1, 2, 3], [4, 0, 1, 2, 4]]]
    weight = np.array([[1, 1, 1, 5]] * 2, np.float32)
    history = model.fit(
        symbols[:, :-1], symbols[:, 1:], sample_weight=weight, batch_size=2, epochs=3,
        shuffle=False, verbose=0,
    )  # fmt: skip
    np.testing.assert_allclose(fast.loss, history.history["loss"], rtol=1e-4)


@pytest.mark.long
def test_the_accuracy_of_steps_that_need_memory():
    outcome = run(recipe("memory", epochs=20, **FAST), [0, 1, 2, 3])
    last = outcome.predictions[outcome.predictions["step"] == 3]
    expected = last.groupby("seed")["correct"].mean()
    assert outcome.seeds["recall_accuracy"].tolist() == expected.tolist()
    assert outcome.summary()["recall_accuracy"]["mean"] == pytest.approx(expected.mean())


@pytest.mark.long
def test_any_order_of_the_possible_symbols_is_right():
    chosen = recipe(Fork, learning_rate=0.05)
    fast, slow = both(chosen)
    assert_same(fast, slow)
    possible = fast.samples.possible
    for row, step in np.ndindex(4, 6):
        out, allowed = fast.outputs[row, step], possible[row, step]
        assert fast.correct[-1, row, step] == (out[allowed].min() > out[~allowed].max())
    (longer,) = compiled.train(recipe(Fork, learning_rate=0.05, epochs=60), [0]).runs
    assert longer.correct[-1].all()  # though no one can tell which branch comes


@pytest.mark.parametrize(
    ("task", "settings", "key"),
    [
        ("echo", {"recall_weight": 2.0}, "recall_weight"),
        ("memory", {"recall_weight": 0.0}, "recall_weight"),
        ("memory", {"stop": "rule"}, "stop"),
        (Walk, {"stop": "rule", "stop_after_solved": 1}, "stop"),
        (Walk, {"framing": "pairs", "stateful": False}, "framing"),
        ("memory", {"stop_after_solved": -1}, "stop_after_solved"),
    ],
)
def test_settings_that_do_not_fit(task, settings, key):
    with pytest.raises(RecipeError, match=rf"(?m)^{key}: "):
        recipe(task, **settings)
