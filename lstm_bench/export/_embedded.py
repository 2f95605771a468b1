"""Arrays in a script as they are: written out, or packed."""

from __future__ import annotations

import base64
import textwrap
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import UserError
from lstm_bench.export._literals import indented, wrapped

LITERAL_UP_TO = 600
"""Numbers that are written out; more are packed."""
EMBEDDED_UP_TO = 2_000_000
"""Characters of packed data that still make a script somebody may want."""

UNPACKED = '''\
def unpacked(text, dtype, shape):
    """Returns the array that `text` holds: its bytes, compressed, in base64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)
'''


def packed(array: NDArray[Any]) -> str:
    """Returns an expression that is `array`, for a script that has `unpacked`.

    Raises `UserError` where it would be longer than `EMBEDDED_UP_TO`.
    """
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    if len(text) > EMBEDDED_UP_TO:
        raise UserError(
            f"export: the data take {len(text):,} characters, but a script holds at most "
            f"{EMBEDDED_UP_TO:,}; make the problem smaller, e.g. with fewer or shorter sequences"
        )
    lines = "\n".join(textwrap.wrap(text, 96))
    return f'unpacked(\n    """\n{lines}\n""",\n    "{array.dtype}",\n    {array.shape},\n)'


def written_out(array: NDArray[np.float32]) -> bool:
    """Returns whether `embedded` writes the values of `array`: few, and each a Python number."""
    return array.size <= LITERAL_UP_TO and bool(np.isfinite(array).all())


def embedded(array: NDArray[np.float32]) -> str:
    """Returns an expression that is `array`, packed where it is not `written_out`.

    Raises `UserError` as `packed` does.
    """
    if not written_out(array):
        return packed(np.ascontiguousarray(array))
    values = [float(str(value)) for value in array.ravel()]  # the shortest that is the same float32
    if all(value == int(value) for value in values):
        values = [int(value) for value in values]
    return f"np.array(\n{indented(wrapped(values))},\n    np.float32,\n).reshape({array.shape})"
