"""Baselines for a plain text: the most frequent character after the latest ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._sequences import FileSequences
from lstm_bench.data._series import PreparedFile

CONTEXTS = (1, 2, 3)
"""How many latest characters the baselines look at."""

Floats = NDArray[np.float64]


def text_baselines(data: PreparedFile, sequences: FileSequences) -> dict[str, tuple[Floats, ...]]:
    """Returns the forecasts of each baseline by its name: an array (T,) for each sequence.

    After each context, the character that was most frequent after it in the training set; after
    one that did not occur there, what the next shorter context says (Katz 1987, without weights).
    """
    train = sequences.segments[: len(sequences.problem.train)]
    parts = [(s.series.target.astype(int), s.end) for s in train]
    texts = [(s.series.target.astype(int)) for s in sequences.segments]
    names = {0: "most frequent", 1: "most frequent after 1 character"}
    forecasts = {}
    predicted = [np.full(len(text), -1) for text in texts]
    for length in (0, *CONTEXTS):
        longer = context_forecasts(parts, texts, length, len(data.labels), data.horizon)
        predicted = [
            np.where(new >= 0, new, old) for new, old in zip(longer, predicted, strict=True)
        ]
        name = names.get(length, f"most frequent after {length} characters")
        forecasts[name] = tuple(
            p[s.first : s.end].astype(float)
            for p, s in zip(predicted, sequences.segments, strict=True)
        )
    return forecasts


def context_forecasts(
    train: Sequence[tuple[NDArray[np.int64], int]],
    texts: Sequence[NDArray[np.int64]],
    length: int,
    size: int,
    horizon: int = 1,
) -> list[NDArray[np.int64]]:
    """Returns the most frequent symbol `horizon` steps after the last `length` ones, (n,) for each.

    `train` are texts, with the step before which a context must end; `size` is the number of
    symbols. Of equally frequent symbols the first is taken; -1 after a context that did not occur.

    >>> text = np.array([0, 1, 0, 1, 0, 2, 1])
    >>> [a.tolist() for a in context_forecasts([(text, 6)], [text], length=1, size=3)]
    [[1, 0, 1, 0, 1, 1, 0]]
    """
    seen = [
        np.stack([_contexts(text, length, size)[:end], text[horizon : end + horizon]])
        for text, end in train
    ]
    contexts, following = np.concatenate(seen, axis=1)
    known = contexts >= 0
    pairs, counts = np.unique(contexts[known] * size + following[known], return_counts=True)
    order = np.lexsort((pairs % size, -counts, pairs // size))  # of each context the best first
    keys, first = np.unique(pairs[order] // size, return_index=True)
    best = (pairs[order] % size)[first]
    results = []
    for text in texts:
        codes = _contexts(text, length, size)
        if not len(keys):
            results.append(np.full(len(text), -1))
            continue
        places = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
        results.append(np.where(keys[places] == codes, best[places], -1))
    return results


def _contexts(text: NDArray[np.int64], length: int, size: int) -> NDArray[np.int64]:
    """Returns a number for the last `length` symbols at each step (n,), -1 if there are fewer."""
    codes = np.zeros(len(text), np.int64)
    for back in range(length):
        earlier = np.concatenate(
            [np.zeros(min(back, len(text)), np.int64), text[: len(text) - back]]
        )
        codes += earlier[: len(text)] * size**back
    codes[: max(length - 1, 0)] = -1
    return codes
