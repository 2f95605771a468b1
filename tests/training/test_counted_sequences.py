"""The training sequences of seeds that end once they have solved the task."""

import numpy as np
import pytest

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training._run import run


@pytest.mark.long
@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_the_sequences_of_all_trained_epochs_are_counted(engine):
    chosen = recipe("memory", units=32, epochs=60, learning_rate=0.01, stop_after_solved=2)
    seeds = run(chosen, range(4), engine).seeds
    solved = seeds["solved"].to_numpy()
    assert 0 < solved.sum() < 4 and (seeds["trained_epochs"][solved] < 60).any()
    sequences = seeds["sequences"].to_numpy()
    assert np.isnan(sequences[~solved]).all()
    count = len(chosen.task.problem(0).train)  # not the samples: `pairs` makes one for each step
    assert sequences[solved].tolist() == (count * seeds["trained_epochs"][solved]).tolist()
    assert count < chosen.schedule.samples


@pytest.mark.long
def test_a_recipe_that_trains_all_its_epochs_counts_none():
    assert "sequences" not in run(recipe("memory", units=3, epochs=2), [0]).seeds
