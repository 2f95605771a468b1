"""Values as Python source. Text from data enters a script only here, and only as literals.

A label may be a cell of an untrusted file. Written with `repr`, it stays text, whatever it is.
"""

from __future__ import annotations

import math
import pprint
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def string_literal(text: str) -> str:
    r"""Returns the Python literal of `text`, in double quotes where it needs no escapes.

    >>> print(string_literal("abc"), string_literal('"; exit() #'), string_literal("\n"))
    "abc" '"; exit() #' '\n'
    """
    quoted = str.__repr__(text)  # not that of a subclass of `str`, which may be anything
    return quoted if set(quoted[1:-1]) & set("\"'\\") else f'"{quoted[1:-1]}"'


def number_literal(value: float | np.generic) -> str:
    """Returns an expression for a number or a boolean.

    >>> number_literal(np.float64(0.5)), number_literal(3), number_literal(float("inf"))
    ('0.5', '3', 'float("inf")')
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return f'float("{plain}")'  # Python has no names nan and inf
    return repr(plain)


def value_literal(value: object) -> str:
    """Returns an expression for a plain value: text, number, None, list, tuple or mapping.

    Raises `TypeError` for any other value, because its `repr` may not be Python code.

    >>> value_literal({"mode": ("same", None), "rates": [0.5, float("nan")]})
    '{"mode": ("same", None), "rates": [0.5, float("nan")]}'
    """
    if isinstance(value, str):
        return string_literal(value)
    if value is None or isinstance(value, int | float | np.number | np.bool_):
        return "None" if value is None else number_literal(value)
    if isinstance(value, Mapping):
        pairs = [f"{value_literal(key)}: {value_literal(part)}" for key, part in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        items = ", ".join(map(value_literal, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    raise TypeError(
        f"a script can only hold plain values, but got {type(value).__name__}: {value!r}"
    )


def docstring_literal(text: str) -> str:
    r"""Returns the literal of `text` in three double quotes, with its line breaks unchanged.

    Quotes in `text` cannot end it early; unprintable characters are written as escapes.

    >>> print(docstring_literal("a bell \a in C:\\new")[3:-3])
    a bell \x07 in C:\\new
    """
    escaped = "".join(
        char if char == "\n" or (char.isprintable() and char != "\\") else repr(char)[1:-1]
        for char in text
    )
    escaped = re.sub(r'"{3,}|"+\Z', lambda quotes: r"\"" * len(quotes[0]), escaped)
    return f'"""{escaped}"""'


def wrapped_literal(value: Sequence[Any]) -> str:
    """Returns the literal of a list of texts or numbers, wrapped into lines."""
    plain = [str.__str__(item) if isinstance(item, str) else item for item in value]
    return pprint.pformat(plain, width=92, compact=True)


def indent(text: str) -> str:
    """Returns the lines of `text`, indented by four spaces."""
    return textwrap.indent(text, "    ")


def list_assignment(name: str, items: Sequence[str]) -> Iterator[str]:
    """Yields the lines that assign the list of the expressions `items` to `name`."""
    line = f"{name} = [{', '.join(items)}]"
    if len(line) <= 92 and "\n" not in line:
        yield line
        return
    yield f"{name} = ["
    yield from (indent(item) + "," for item in items)
    yield "]"
