"""The samples of the framing `whole`, made of all sequences at once, because there can be many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes._samples import Array, Encoding, Samples
from lstm_bench.tasks import Problem


def whole_samples(
    problem: Problem, size: int, encoding: Encoding, longest: int | None = None
) -> Samples:
    """Returns each sequence as one sample; shorter ones are padded on the right.

    They are the samples that `Framing.samples` makes one sequence at a time.
    """
    sequences = problem.sequences
    lengths = np.array([len(sequence) for sequence in sequences])
    width = max(int(lengths.max()), longest or 0)
    steps = np.arange(width)
    shown = steps < lengths[:, None]  # (N, T)

    def padded(arrays: list[NDArray[Any]]) -> NDArray[Any]:
        """Returns arrays (T, ...) of all sequences as one (N, T, ...), zero or False in padding."""
        joined = np.concatenate(arrays)
        values = np.zeros((*shown.shape, *joined.shape[1:]), joined.dtype)
        values[shown] = joined
        return values

    def features(arrays: list[NDArray[Any]], encoding: Encoding) -> Array:
        values = padded(arrays)
        if values.ndim == 3:
            return np.asarray(values, np.float32)
        if encoding == "onehot":
            encoded = np.zeros((*shown.shape, size), np.float32)
            encoded[(*np.nonzero(shown), values[shown])] = 1
            return encoded
        return (values.astype(np.float32) / np.float32(size))[:, :, None]

    def mask(name: str) -> NDArray[np.bool_] | None:
        masks = [getattr(sequence, name) for sequence in sequences]
        return None if any(mask is None for mask in masks) else np.asarray(padded(masks), bool)

    scored = mask("scored")
    assert scored is not None
    return Samples(
        features([sequence.inputs for sequence in sequences], encoding),
        features([sequence.targets for sequence in sequences], "onehot"),
        np.arange(len(sequences)),
        np.where(shown, steps, -1),
        scored,
        train_count=len(problem.train),
        recall=mask("recall"),
        possible=mask("possible"),
    )
