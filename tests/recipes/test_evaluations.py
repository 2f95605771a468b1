"""After which epochs a network is evaluated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.recipes._evaluations import (
    SHARE,
    default_distance,
    evaluated_epochs,
    evaluation_share,
)
from lstm_bench.recipes._recipe import recipe


@given(st.integers(1, 20_000), st.data())
def test_an_epoch_is_too_late_by_one_part_in_twenty_at_most(epochs, data):
    evaluated = evaluated_epochs(epochs, None)
    assert evaluated[-1] == epochs
    assert (np.diff(evaluated) > 0).all()
    solved = data.draw(st.integers(1, epochs))  # the first epoch from which it stayed solved
    seen = evaluated[np.searchsorted(evaluated, solved)]
    assert solved <= seen <= 1.05 * solved


@given(st.integers(1, 1000), st.integers(1, 1200))
def test_every_so_many_epochs_and_the_last(epochs, every):
    expected = {e for e in range(1, epochs + 1) if e % every == 0} | {epochs}
    assert set(evaluated_epochs(epochs, every)) == expected


def test_a_cheap_evaluation_comes_after_every_epoch():
    assert default_distance(SHARE) == 1
    assert default_distance(1.01 * SHARE) is None
    assert evaluated_epochs(300, 1).tolist() == list(range(1, 301))


def test_a_share_is_counted_by_hand():
    # 8 batches of 5 samples, three times 1,000 multiply-adds each; 60 samples are evaluated.
    assert evaluation_share(60, 8, 5, 1000) == pytest.approx(60_000 / (8 * (50_000 + 15_000)))


def test_the_default_changes_neither_settings_nor_digest():
    chosen = recipe("memory")
    assert "evaluate_every" not in chosen.settings
    assert recipe("memory", evaluate_every=2).digest != chosen.digest


def test_long_sequences_are_evaluated_less_often_than_single_steps():
    assert len(recipe("alphabet", epochs=400).evaluated_epochs) == 400
    long = recipe("memory", lag=100, framing="whole", stateful=False, batch_size=2, epochs=400)
    assert 60 < len(long.evaluated_epochs) < 100
