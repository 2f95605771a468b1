"""The arrays that a script trains on, and the lines of a script that make them from lists.

Every step is written twice, as code and as the arrays that the code makes: see `_framing_code`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.export._framing_code import FramedSample
from lstm_bench.export._symbols import NotReadableError, Symbols
from lstm_bench.recipes import Recipe, Samples

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Arrays:
    """The inputs, the targets, and Keras's sample weights: 0 where a target does not count."""

    x: Array  # (N, T, F)
    y: Array  # (N, K), or (N, T, K) with an output at every step
    weight: Array | None  # (N,), or (N, T) with an output at every step; None if all targets count

    @classmethod
    def from_samples(cls, samples: Samples, recall_weight: float | None = None) -> Arrays:
        """Returns the arrays of `samples`."""
        return cls(samples.x, samples.y, samples.weights(recall_weight))

    @property
    def every_step(self) -> bool:
        """Whether there is an output at every step."""
        return self.y.ndim == 3

    def same(self, other: Arrays) -> bool:
        """Returns whether all arrays are equal to the last bit."""
        pairs = ((self.x, other.x), (self.y, other.y), (self.weight, other.weight))
        return all(_same(a, b) for a, b in pairs)


def _same(a: Array | None, b: Array | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def encoding_expression(recipe: Recipe, numbers: str) -> str:
    """Returns the expression that encodes `numbers`, a list (T,) in a script, as (T, F)."""
    size = recipe.task.alphabet_size
    if recipe.encoding == "onehot":
        return f'np.eye({size}, dtype="float32")[{numbers}]'
    return f'np.array({numbers}, "float32")[:, None] / {size}'


def _encode(recipe: Recipe, numbers: Any) -> Array:
    """Returns the value of `encoding_expression`."""
    size = recipe.task.alphabet_size
    if recipe.encoding == "onehot":
        return np.asarray(np.eye(size, dtype=np.float32)[numbers])
    return np.asarray(np.array(numbers, np.float32)[:, None] / size)


def _is_padded(recipe: Recipe, symbols: Symbols, arrays: Arrays) -> bool:
    """Returns whether samples have different lengths, and are padded to one."""
    unequal = arrays.every_step and len(set(symbols.lengths)) > 1
    return recipe.framing.name in ("prefixes", "substrings") or unequal


def array_code(recipe: Recipe, symbols: Symbols, arrays: Arrays) -> Iterator[str]:
    """Yields the lines that turn the lists `samples`, `answers` and `counted` into `arrays`.

    The script calls these X, y and, where targets do not count, `weight`.
    """
    size, shape = recipe.task.alphabet_size, arrays.x.shape
    every, padded = arrays.every_step, _is_padded(recipe, symbols, arrays)
    how = "one-hot" if recipe.encoding == "onehot" else f"numbers / {size}"
    padding = f", padded with zeros on the {'right' if every else 'left'}" if padded else ""
    about = f"X is [samples, time steps, features]: {shape}, {how}{padding}; y is {arrays.y.shape}."
    yield from textwrap.wrap(about, 92, initial_indent="# ", subsequent_indent="# ")
    if padded:
        place = ": len(sample)" if every else "-len(sample) :"
        yield f'X = np.zeros({shape}, "float32")'
        yield "for row, sample in zip(X, samples):"
        yield f"    row[{place}] = {encoding_expression(recipe, 'sample')}"
    elif recipe.encoding == "onehot":
        side_by_side = recipe.framing.name == "feature_window"
        tail = f".reshape({shape})" if side_by_side else ""
        yield f'X = np.eye({size}, dtype="float32")[samples]{tail}'
    else:
        yield f'X = np.array(samples, "float32").reshape({shape}) / {size}'
    if padded and every:
        yield f'y = np.zeros({arrays.y.shape}, "float32")'
        yield "for row, answer in zip(y, answers):"
        yield f'    row[: len(answer)] = np.eye({size}, dtype="float32")[answer]'
        yield 'weight = np.zeros(y.shape[:2], "float32")  # 0 where a target does not count'
        yield "for row, counts in zip(weight, counted):"
        yield "    row[: len(counts)] = counts"
        return
    yield f'y = np.eye({size}, dtype="float32")[answers]'
    if arrays.weight is not None:
        yield 'weight = np.array(counted, "float32")  # 0 where a target does not count'


def arrays_from_lists(
    recipe: Recipe, symbols: Symbols, expected: Arrays, samples: Sequence[FramedSample]
) -> Arrays:
    """Returns the arrays that the lines of `array_code` make of `samples`.

    Raises `NotReadableError` where the lengths of the samples do not fit the shapes of `expected`.
    """
    size, shape = recipe.task.alphabet_size, expected.x.shape
    every, padded = expected.every_step, _is_padded(recipe, symbols, expected)
    inputs: list[Any] = [sample.inputs for sample in samples]
    targets: list[Any] = [sample.target for sample in samples]
    counts: list[Any] = [sample.counts for sample in samples]
    _check_lengths(recipe, expected, [len(sample) for sample in inputs], padded)
    if padded:
        x = np.zeros(shape, np.float32)
        for row, sample in zip(x, inputs, strict=True):
            place = slice(len(sample)) if every else slice(-len(sample), None)
            row[place] = _encode(recipe, sample)
    elif recipe.encoding == "onehot":
        side_by_side = recipe.framing.name == "feature_window"
        x = np.eye(size, dtype=np.float32)[inputs]
        x = x.reshape(shape) if side_by_side else x
    else:
        x = np.asarray(np.array(inputs, np.float32).reshape(shape) / size)
    if padded and every:
        y = np.zeros(expected.y.shape, np.float32)
        weight = np.zeros(expected.y.shape[:2], np.float32)
        for row, target in zip(y, targets, strict=True):
            row[: len(target)] = np.eye(size, dtype=np.float32)[target]
        for row, count in zip(weight, counts, strict=True):
            row[: len(count)] = count
        return Arrays(x, y, weight)
    y = np.eye(size, dtype=np.float32)[targets]
    return Arrays(x, y, None if expected.weight is None else np.array(counts, np.float32))


def _check_lengths(recipe: Recipe, expected: Arrays, lengths: list[int], padded: bool) -> None:
    """Raises `NotReadableError` where samples of these `lengths` do not give an array like x."""
    number, steps = expected.x.shape[:2]
    if padded:
        fit = len(lengths) == number and max(lengths) <= steps
    else:
        features = recipe.task.alphabet_size if recipe.encoding == "onehot" else 1
        fit = len(set(lengths)) == 1 and sum(lengths) * features == expected.x.size
    if not fit:
        raise NotReadableError(
            f"samples of lengths {sorted(set(lengths))} are not {expected.x.shape}"
        )
