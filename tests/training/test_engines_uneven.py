"""Sequences of unequal length, and steps that do not count."""

import numpy as np
import pytest
from agreement import agree, last_epoch_only

from lstm_bench.recipes._framings import Framing, Pairs, Substrings, Whole
from lstm_bench.recipes._recipe import Recipe
from lstm_bench.tasks._base import Problem, Sequence, Task
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training import _keras_engine as keras_loop


class Uneven(Task):
    """A task for this test only: sequences of five and three steps, some steps not scored."""

    name = "uneven"

    def problem(self, seed):
        long, short = np.array([0, 1, 2, 0, 1]), np.array([2, 1, 0])
        scored = np.array([True, False, True, True, False])
        return Problem((
            Sequence(long, (long + 1) % 3, scored),
            Sequence(short, (short + 2) % 3, np.array([False, True, True])),
        ))  # fmt: skip

    @property
    def labels(self):
        return ("0", "1", "2")

    @property
    def chance(self):
        return 0.5


class OtherwiseUneven(Uneven):
    """The same task with other targets at the steps that are not scored."""

    def problem(self, seed):
        train = super().problem(seed).train
        other = [np.where(s.scored, s.targets, 2 - s.targets) for s in train]
        assert any((s.targets != t).any() for s, t in zip(train, other, strict=True))
        return Problem(
            tuple(Sequence(s.inputs, t, s.scored) for s, t in zip(train, other, strict=True))
        )


def uneven(framing: Framing, task: Task | None = None, **settings):
    head = {"output": "softmax", "loss": "categorical_crossentropy", "learning_rate": 0.01}
    return Recipe(task=task or Uneven(), framing=framing, units=6, epochs=5, **head, **settings)


@pytest.mark.parametrize(
    ("framing", "settings"),
    [
        pytest.param(Pairs(), {"stateful": True}, marks=pytest.mark.slow),
        (Whole(), {"batch_size": "all"}),
    ],
    ids=["pairs", "whole"],
)
def test_the_engines_agree_where_some_steps_do_not_count(framing, settings):
    agree(uneven(framing, **settings))


def test_steps_that_do_not_count_do_not_affect_training():
    one, other = (
        compiled.train(uneven(Whole(), task), [0]).runs[0] for task in (Uneven(), OtherwiseUneven())
    )
    for first, second in zip(one.weights, other.weights, strict=True):
        assert (first == second).all()


@pytest.mark.long
def test_a_seed_whose_samples_all_count_does_not_decide_for_the_others():
    # Random substrings: for some seeds every sample counts, for others not.
    chosen = uneven(Substrings(substrings=2, max_length=2))
    scored = {seed: bool(chosen.samples(seed).scored.all()) for seed in range(60)}
    whole = next(seed for seed, all_count in scored.items() if all_count)
    partly = next(seed for seed, all_count in scored.items() if not all_count)
    among = compiled.train(chosen, [whole, partly]).runs[1]
    alone = compiled.train(chosen, [partly]).runs[0]
    assert among.loss.tolist() == alone.loss.tolist()
    plain = keras_loop.train(last_epoch_only(chosen), [partly]).runs[0]
    np.testing.assert_allclose(among.loss, plain.loss, rtol=1e-4)
