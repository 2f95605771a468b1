"""Packs the weights for training: large arrays stay alone, small ones form one vector.

An update takes a few operations per array, so many small arrays are slow. A large gradient is
fastest in its own shape: it is not copied then, and inside one kernel XLA fuses the product that
computes it with the update that uses it. Measured, see LOG.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

LARGE = 1024
"""Number of elements from which an array stays alone, in its own shape."""


@dataclass(frozen=True)
class Packing:
    """Packs and unpacks arrays of the given shapes, NumPy arrays or tensors.

    >>> packing = Packing(((2, 2), (50, 40), (3,)))
    >>> arrays = [np.ones((2, 2)), np.ones((50, 40)), np.ones(3)]
    >>> [array.shape for array in packing.pack(arrays)]
    [(50, 40), (7,)]
    >>> [array.shape for array in packing.unpack(packing.pack(arrays))]
    [(2, 2), (50, 40), (3,)]
    """

    shapes: tuple[tuple[int, ...], ...]

    @property
    def packed(self) -> list[tuple[int, ...]]:
        """The shapes of the packed arrays: the large arrays, then the vector of all others."""
        large = [shape for shape in self.shapes if math.prod(shape) >= LARGE]
        rest = sum(math.prod(shape) for shape in self.shapes if math.prod(shape) < LARGE)
        return [*large, (rest,)] if rest else large

    def pack(self, arrays: Sequence[Any]) -> list[Any]:
        """Returns the packed form of `arrays`, which have the shapes `shapes`."""
        pairs = list(zip(arrays, self.shapes, strict=True))
        large = [array for array, shape in pairs if math.prod(shape) >= LARGE]
        small = [array for array, shape in pairs if math.prod(shape) < LARGE]
        if not small:
            return large
        if isinstance(small[0], np.ndarray):
            return [*large, np.concatenate([array.ravel() for array in small])]
        return [*large, tf.concat([tf.reshape(array, [-1]) for array in small], 0)]

    def whole(self, marks: Sequence[bool]) -> list[bool]:
        """Returns for each packed array whether all arrays in it are marked.

        >>> Packing(((2, 2), (50, 40), (3,))).whole([False, True, True])
        [True, False]
        """
        pairs = list(zip(marks, self.shapes, strict=True))
        large = [mark for mark, shape in pairs if math.prod(shape) >= LARGE]
        small = [mark for mark, shape in pairs if math.prod(shape) < LARGE]
        return [*large, all(small)] if small else large

    def unpack(self, packed: Sequence[Any]) -> list[Any]:
        """Returns the arrays, with the shapes `shapes`, that are packed in `packed`."""
        large, start, arrays = iter(packed), 0, []
        for shape in self.shapes:
            size = math.prod(shape)
            if size >= LARGE:
                arrays.append(next(large))
                continue
            part = packed[-1][start : start + size]
            reshape = np.reshape if isinstance(part, np.ndarray) else tf.reshape
            arrays.append(reshape(part, shape))
            start += size
        return arrays
