"""What can be learned, and what cannot."""

import numpy as np
import pytest

from lstm_bench.recipes._recipe import recipe
from lstm_bench.training import _compiled_engine as compiled


def accuracies(task, seeds=range(4), **settings):
    """Returns the share of correct outputs, (seeds, epochs)."""
    runs = compiled.train(recipe(task, **settings), list(seeds), threads=2).runs
    return np.array([run.correct.mean(axis=(1, 2)) for run in runs])


def test_one_input_with_two_targets_is_never_more_than_half_correct():
    # PROBLEMS.md, C1: without a state, two equal inputs get the same output.
    assert accuracies("ambiguous_pair").max() == 0.5


@pytest.mark.long
def test_a_state_or_a_whole_sequence_tells_the_two_targets_apart():
    # PROBLEMS.md, C2 and C3.
    state = accuracies(
        "ambiguous_pair", stateful=True, batch_size=1, reset="epoch", learning_rate=0.01
    )
    assert (state[:, -1] == 1).all()
    whole = accuracies("ambiguous_pair", framing="whole", batch_size=1, learning_rate=0.01)
    assert (whole[:, -1] == 1).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 4},  # A2: each row starts from a cleared state and sees one step
        {"stateful": False},
        {"stateful": False, "network": "mlp"},  # A14
        {"stateful": False, "framing": "window", "window": 2},
    ],
    ids=str,
)
def test_without_a_state_from_the_cue_one_of_two_recalls_is_wrong(settings):
    # Both sequences show the same at the last step, so one of the two last outputs is wrong.
    window = settings.get("framing") == "window"
    best = 1 - 1 / (6 if window else 8)
    curves = accuracies("memory", epochs=400, learning_rate=0.01, **settings)
    assert curves.max() <= best + 1e-9
    assert curves.max() == pytest.approx(best)


def test_a_kept_state_solves_memory_for_some_seeds():
    # PROBLEMS.md, A1: published as solved, in a single run. It is solved for some seeds.
    assert (accuracies("memory", seeds=range(12))[:, -1] == 1).any()


def test_a_diverged_run_has_no_finite_loss_and_is_never_correct():
    wild = {"output": "linear", "optimizer": "sgd", "learning_rate": 10.0, "epochs": 60}
    run = compiled.train(recipe("memory", units=6, **wild), [0]).runs[0]
    assert not np.isfinite(run.loss[-1])
    assert not run.correct[-1].any()


def test_training_on_the_alphabet_beats_chance():
    curves = accuracies("alphabet", letters=8, epochs=300, learning_rate=0.01)
    assert (curves[:, -1] > 2 / 7).all()
