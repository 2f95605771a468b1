"""Arrays in a script as they are: their values written out, or packed into text."""

from __future__ import annotations

import base64
import textwrap
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import UserError
from lstm_bench.export._literals import indent, wrapped_literal

MAX_WRITTEN = 600
"""Numbers up to which values are written out; more are packed."""
MAX_PACKED = 2_000_000
"""Characters of packed data in a script that somebody may still want to read."""

UNPACKED = '''\
def unpacked(text, dtype, shape):
    """Returns the array that `text` holds: its bytes, compressed, in base64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)
'''


def packed_expression(array: NDArray[Any]) -> str:
    """Returns an expression for `array`, in a script that defines `unpacked`.

    Raises `UserError` where it would be longer than `MAX_PACKED`.
    """
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    if len(text) > MAX_PACKED:
        raise UserError(
            f"export: a script holds at most {MAX_PACKED:,} characters of data, but this recipe "
            f"needs {len(text):,}; make the problem smaller, e.g. with fewer or shorter sequences"
        )
    lines = "\n".join(textwrap.wrap(text, 96))
    return f'unpacked(\n    """\n{lines}\n""",\n    "{array.dtype}",\n    {array.shape},\n)'


def is_written_out(array: NDArray[np.float32]) -> bool:
    """Returns whether the values of `array` are written out: they are few, and all finite."""
    return array.size <= MAX_WRITTEN and bool(np.isfinite(array).all())


def array_expression(array: NDArray[np.float32]) -> str:
    """Returns an expression for `array`: its values if `is_written_out`, else packed.

    Raises `UserError` as `packed_expression` does.
    """
    if not is_written_out(array):
        return packed_expression(np.ascontiguousarray(array))
    values = [float(str(value)) for value in array.ravel()]  # the shortest text of that float32
    if all(value == int(value) for value in values):
        values = [int(value) for value in values]
    return (
        f"np.array(\n{indent(wrapped_literal(values))},\n    np.float32,\n).reshape({array.shape})"
    )
