"""The standard problems, trained for two epochs: every column and table is there."""

import numpy as np
import pytest

from lstm_bench.recipes import recipe
from lstm_bench.training import run

SMALL = {"train": 40, "unseen": 30, "epochs": 2, "units": 4}


@pytest.mark.parametrize(
    ("task", "settings", "expected"),
    [
        ("temporal_order", {"length": 12}, {"XX", "XY", "YX", "YY"}),  # real inputs, classes
        ("adding", {"length": 12}, None),
        ("embedded_reber", {"longest_string": 20}, set("BTPSXVE")),
    ],
)
def test_a_standard_problem_is_trained_scored_and_tabulated(task, settings, expected):
    chosen = recipe(task, **SMALL, **settings)
    outcome = run(chosen, [0, 1], threads=1)
    seeds, predictions = outcome.seeds, outcome.predictions
    assert ("seen_accuracy" in seeds) is ("seen_accuracy" in outcome.curves) is not chosen.fresh
    assert np.isfinite(seeds["loss"]).all() and seeds["unseen_accuracy"].between(0, 1).all()
    assert ("recall_accuracy" in seeds) is (task == "embedded_reber")
    assert predictions["sequence"].between(40, 69).all()
    if expected is not None:
        assert set(predictions["expected"]) | set(predictions["predicted"]) <= expected
        assert len(set(predictions["expected"])) > 2
    if task != "embedded_reber":
        right = predictions.groupby("seed")["correct"].mean()
        assert right.tolist() == pytest.approx(seeds["accuracy"].tolist())
