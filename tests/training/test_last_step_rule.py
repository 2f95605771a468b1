"""A stopping rule that judges only the last scored step of each training sequence."""

import numpy as np
import pytest

from lstm_bench.recipes import Samples, recipe
from lstm_bench.tasks import BUILT_IN, Sequence, StoppingRule
from lstm_bench.training import run
from lstm_bench.training._stopping import largest_errors


def test_the_error_of_the_last_scored_step_is_judged_alone():
    y, outputs = np.zeros((2, 4, 1), np.float32), np.arange(8.0).reshape(2, 4, 1)
    scored = np.array([[True, True, False, False], [True, False, True, False]])
    steps = np.zeros((2, 4), int)
    samples = Samples(y, y, np.arange(2), steps, scored, train_count=2)
    assert largest_errors(outputs, samples).tolist() == [1, 6]
    outputs[:, 0] = 100
    assert largest_errors(outputs, samples).tolist() == [100, 100]
    assert largest_errors(outputs, samples, last_step=True).tolist() == [1, 6]


class EasyEnd(BUILT_IN["memory"]):
    """Two answers to one input at all steps but the last."""

    def problem(self, seed):
        problem = super().problem(seed)
        targets = np.random.default_rng(0).integers(0, 2, (40, 4))
        targets[:, -1] = 2  # the last target is always the same, those before are random
        scored, inputs = np.ones(4, bool), problem.train[0].inputs
        return type(problem)(tuple(Sequence(inputs, row, scored) for row in targets))

    @property
    def stopping_rule(self):
        return StoppingRule(sequences=50, tolerance=0.4, last_step=True)


class WholeEnd(EasyEnd):
    """The same sequences, of which every step is judged."""

    @property
    def stopping_rule(self):
        return StoppingRule(sequences=50, tolerance=0.4)


SETTINGS = {
    "framing": "whole",
    "stateful": False,
    "units": 4,
    "learning_rate": 0.02,
    "batch_size": 1,
    "epochs": 20,
    "stop": "rule",
}


@pytest.mark.long
@pytest.mark.parametrize("engine", ["keras", "compiled"])
def test_training_ends_although_other_steps_cannot_be_predicted(engine):
    judged_last = run(recipe(EasyEnd, **SETTINGS), [0], engine, threads=1).seeds.iloc[0]
    assert judged_last["solved"] and judged_last["sequences"] < 400
    judged_all = run(recipe(WholeEnd, **SETTINGS | {"epochs": 12}), [0], engine, threads=1)
    assert not judged_all.seeds["solved"].any()


@pytest.mark.long
def test_both_engines_end_after_the_same_sequence():
    chosen = recipe(EasyEnd, **SETTINGS)
    plain, compiled = (run(chosen, [3], engine, threads=1) for engine in ("keras", "compiled"))
    assert plain.seeds["sequences"].tolist() == compiled.seeds["sequences"].tolist()
