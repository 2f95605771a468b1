"""The lines of a script that make arrays of its samples, and the same in this process.

Each is written twice, as code and as the arrays that it makes: see `framed`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.export._framed import Made
from lstm_bench.recipes import Recipe, Samples

Array = NDArray[np.float32]


def answer_weights(samples: Samples) -> Array:
    """Returns Keras's sample weights: (N, T) with an output at every step, else (N,)."""
    weight = samples.scored.astype(np.float32)
    return weight if samples.y.ndim == 3 else weight[:, 0]


def encoded(recipe: Recipe, numbers: str) -> str:
    """Returns the expression that encodes `numbers`, a list (T,) in a script, as (T, F)."""
    size = recipe.task.alphabet_size
    if recipe.encoding == "onehot":
        return f'np.eye({size}, dtype="float32")[{numbers}]'
    return f'np.array({numbers}, "float32")[:, None] / {size}'


def _encoded(recipe: Recipe, numbers: Any) -> Array:
    """Returns what the expression of `encoded` is."""
    size = recipe.task.alphabet_size
    if recipe.encoding == "onehot":
        return np.asarray(np.eye(size, dtype=np.float32)[numbers])
    return np.asarray(np.array(numbers, np.float32)[:, None] / size)


def padded(recipe: Recipe, lengths: Sequence[int], samples: Samples) -> bool:
    """Returns whether samples of sequences of these `lengths` are padded to one length."""
    every = samples.y.ndim == 3
    return recipe.framing.name in ("prefixes", "substrings") or (every and len(set(lengths)) > 1)


def array_code(
    recipe: Recipe, lengths: Sequence[int], samples: Samples, weighted: bool
) -> Iterator[str]:
    """Yields the lines that turn the lists `samples`, `answers` and `counted` into arrays.

    They are those of `samples`: X, y and, where `weighted`, `weight`.
    """
    size, shape = recipe.task.alphabet_size, samples.x.shape
    every, ragged = samples.y.ndim == 3, padded(recipe, lengths, samples)
    how = "one-hot" if recipe.encoding == "onehot" else f"numbers / {size}"
    padding = f", padded with zeros on the {'right' if every else 'left'}" if ragged else ""
    about = (
        f"X is [samples, time steps, features]: {shape}, {how}{padding}; y is {samples.y.shape}."
    )
    yield from textwrap.wrap(about, 92, initial_indent="# ", subsequent_indent="# ")
    if ragged:
        place = ": len(sample)" if every else "-len(sample) :"
        yield f'X = np.zeros({shape}, "float32")'
        yield "for row, sample in zip(X, samples):"
        yield f"    row[{place}] = {encoded(recipe, 'sample')}"
    elif recipe.encoding == "onehot":
        side_by_side = recipe.framing.name == "feature_window"
        tail = f".reshape({shape})" if side_by_side else ""
        yield f'X = np.eye({size}, dtype="float32")[samples]{tail}'
    else:
        yield f'X = np.array(samples, "float32").reshape({shape}) / {size}'
    if ragged and every:
        yield f'y = np.zeros({samples.y.shape}, "float32")'
        yield "for row, answer in zip(y, answers):"
        yield f'    row[: len(answer)] = np.eye({size}, dtype="float32")[answer]'
        yield 'weight = np.zeros(y.shape[:2], "float32")  # 0 where an answer does not count'
        yield "for row, counts in zip(weight, counted):"
        yield "    row[: len(counts)] = counts"
        return
    yield f'y = np.eye({size}, dtype="float32")[answers]'
    if weighted:
        yield 'weight = np.array(counted, "float32")  # 0 where an answer does not count'


def arrays(
    recipe: Recipe, lengths: Sequence[int], wanted: Samples, made: Sequence[Made]
) -> tuple[Array, Array, Array]:
    """Returns the X, y and `weight` that `array_code` makes of the lists `made`.

    Raises `ValueError` where these have unequal lengths and the code does not pad them.
    """
    size, shape = recipe.task.alphabet_size, wanted.x.shape
    every, ragged = wanted.y.ndim == 3, padded(recipe, lengths, wanted)
    samples: list[Any] = [sample for sample, _, _ in made]
    answers: list[Any] = [answer for _, answer, _ in made]
    counted: list[Any] = [counts for _, _, counts in made]
    if ragged:
        x = np.zeros(shape, np.float32)
        for row, sample in zip(x, samples, strict=True):
            row[slice(len(sample)) if every else slice(-len(sample), None)] = _encoded(
                recipe, sample
            )
    elif recipe.encoding == "onehot":
        side_by_side = recipe.framing.name == "feature_window"
        x = np.eye(size, dtype=np.float32)[samples]
        x = x.reshape(shape) if side_by_side else x
    else:
        x = np.asarray(np.array(samples, np.float32).reshape(shape) / size)
    if ragged and every:
        y, weight = np.zeros(wanted.y.shape, np.float32), np.zeros(wanted.y.shape[:2], np.float32)
        for row, answer in zip(y, answers, strict=True):
            row[: len(answer)] = np.eye(size, dtype=np.float32)[answer]
        for row, counts in zip(weight, counted, strict=True):
            row[: len(counts)] = counts
        return x, y, weight
    return x, np.eye(size, dtype=np.float32)[answers], np.array(counted, np.float32)
