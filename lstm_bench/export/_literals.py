"""Values as Python source: what comes from data enters a script here, and as literals alone.

A label may be a cell of a stranger's file. Written with `repr`, it stays text whatever it holds.
"""

from __future__ import annotations

import math
import pprint
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def literal(text: str) -> str:
    r"""Returns the Python literal of `text`, in double quotes where nothing in it is escaped.

    >>> print(literal("abc"), literal('"; exit() #'), literal("\n"))
    "abc" '"; exit() #' '\n'
    """
    shown = str.__repr__(text)  # of the text alone, whatever a subclass of `str` shows itself as
    return shown if set(shown[1:-1]) & set("\"'\\") else f'"{shown[1:-1]}"'


def number(value: float | np.generic) -> str:
    """Returns an expression for a number, or True or False.

    >>> number(np.float64(0.5)), number(3), number(float("inf"))
    ('0.5', '3', 'float("inf")')
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return f'float("{plain}")'  # nan and inf are no names in Python
    return repr(plain)


def expression(value: object) -> str:
    """Returns an expression for a plain value: text, numbers, None, and lists, tuples, mappings.

    Raises `TypeError` for any other value, whose `repr` need not be Python.

    >>> expression({"mode": ("same", None), "rates": [0.5, float("nan")]})
    '{"mode": ("same", None), "rates": [0.5, float("nan")]}'
    """
    if isinstance(value, str):
        return literal(value)
    if value is None or isinstance(value, int | float | np.number | np.bool_):
        return "None" if value is None else number(value)
    if isinstance(value, Mapping):
        pairs = [f"{expression(key)}: {expression(each)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        items = ", ".join(map(expression, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    raise TypeError(f"a script holds plain values, but got {type(value).__name__}: {value!r}")


def docstring(text: str) -> str:
    r"""Returns the literal of `text` in three double quotes, with its line breaks as they are.

    Quotes cannot end it early, and characters that cannot be seen are written as escapes.

    >>> print(docstring("a bell \a in C:\\new")[3:-3])
    a bell \x07 in C:\\new
    """
    shown = "".join(
        char if char == "\n" or (char.isprintable() and char != "\\") else repr(char)[1:-1]
        for char in text
    )
    shown = re.sub(r'"{3,}|"+\Z', lambda quotes: r"\"" * len(quotes[0]), shown)
    return f'"""{shown}"""'


def wrapped(value: Sequence[Any]) -> str:
    """Returns the literal of a list of texts or of integers, on as many lines as it takes."""
    plain = [str.__str__(each) if isinstance(each, str) else each for each in value]
    return pprint.pformat(plain, width=92, compact=True)


def indented(text: str) -> str:
    """Returns the lines of `text`, four spaces further in."""
    return textwrap.indent(text, "    ")


def assigned(name: str, items: Sequence[str]) -> Iterator[str]:
    """Yields the lines that make `name` the list of the expressions `items`."""
    line = f"{name} = [{', '.join(items)}]"
    if len(line) <= 92 and "\n" not in line:
        yield line
        return
    yield f"{name} = ["
    yield from (indented(item) + "," for item in items)
    yield "]"
