"""Packed outcomes that are read together are what they are when each is read and all are merged."""

import numpy as np
import pandas as pd
import pytest
from outcome_builder import build_outcome

from lstm_bench.errors import DamagedError
from lstm_bench.results._columns import TABLES
from lstm_bench.results._merging import merge_outcomes
from lstm_bench.results._storage import pack_outcome, unpack_outcome, unpack_outcomes


def a_seed(seed, accuracy=0.5, place=False, predictions=True, seconds=0.25):
    where = {"host": "n1", "processor": "EPYC", "versions": "keras 3"} if place else {}
    columns = {"loss": [0.1 + seed / 7], "seconds": [seconds], **where}
    rows = [(seed, 0, step, "A", "Ä", "C", False) for step in range(3)] if predictions else []
    curves = [(seed, epoch, 1 / (epoch + seed), 0.5) for epoch in range(1, 6)]
    weights = (np.full((2, 3), seed, np.float32), np.arange(seed + 1.0))
    return build_outcome([accuracy], [seed], columns, curves=curves, predictions=rows,
                         weights=weights, compile_seconds=seed / 4,
                         provenance={"command": f"seed {seed}"})  # fmt: skip


CASES = {
    "one": [a_seed(3)],
    "ascending": [a_seed(n) for n in range(5)],
    "as they finish": [a_seed(n) for n in (4, 0, 9, 2)],
    "a best one": [a_seed(5), a_seed(1, 1.0), a_seed(3, 1.0)],
    "without predictions": [a_seed(n, predictions=False) for n in (2, 1)],
    "some without predictions": [a_seed(2), a_seed(1, predictions=False)],
    "of a cluster": [a_seed(n, place=True) for n in (2, 1)],
    "in part of a cluster": [a_seed(2, place=True), a_seed(1), a_seed(4, place=True)],
    "several seeds each": [merge_outcomes([a_seed(1), a_seed(6)]), a_seed(3)],
}


@pytest.mark.parametrize("name", CASES)
def test_read_together_they_are_what_they_are_merged(name):
    packed = [pack_outcome(outcome) for outcome in CASES[name]]
    together, merged = unpack_outcomes(packed), merge_outcomes([*map(unpack_outcome, packed)])
    assert together == merged and together.compile_seconds == merged.compile_seconds
    assert together.provenance == merged.provenance
    for table in TABLES:
        pd.testing.assert_frame_equal(
            getattr(together, table), getattr(merged, table), check_exact=True
        )
    for one, other in zip(together.weights, merged.weights, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_one_that_is_damaged_or_twice_there_is_refused():
    good = pack_outcome(a_seed(1))
    with pytest.raises(DamagedError, match="cannot be read"):
        unpack_outcomes([good, good[: len(good) // 2]])
    with pytest.raises(DamagedError, match="distinct seeds"):
        unpack_outcomes([good, good])
