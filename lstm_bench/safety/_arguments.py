"""Checks of the arguments of public calls: a wrong type is refused before anything is done."""

from __future__ import annotations

import numbers
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from lstm_bench.errors import UserError
from lstm_bench.safety._pydantic import shown_value


def check_text(name: str, value: object, what: str, optional: bool = False) -> None:
    """Raises `UserError` unless `value` is text that is not empty; None is one if `optional`.

    >>> check_text("store", 3, "the address of a store, e.g. 'sqlite:///runs.db'", optional=True)
    Traceback (most recent call last):
    lstm_bench.errors.UserError: store: must be the address of a store, e.g. ..., but got 3
    """
    if not (isinstance(value, str) and value) and not (optional and value is None):
        either = ", or None" if optional else ""
        raise UserError(f"{name}: must be {what}{either}, but got {shown_value(value)}")


def check_flag(name: str, value: object, optional: bool = False) -> None:
    """Raises `UserError` unless `value` is True or False; None is one if `optional`."""
    if not (optional and value is None) and not _is_bool(value):
        either = "True, False or None" if optional else "True or False"
        raise UserError(f"{name}: must be {either}, but got {shown_value(value)}")


def check_path(name: str, value: object) -> None:
    """Raises `UserError` unless `value` is a path that a file can have."""
    if not isinstance(value, str | Path) or not str(value):
        raise UserError(f"{name}: must be a path, e.g. 'folder/name', but got {shown_value(value)}")
    try:
        usable = b"\0" not in str(value).encode()
    except UnicodeEncodeError:
        usable = False
    if not usable:
        rule = "must be a path of characters that can be written to a disk"
        raise UserError(f"{name}: {rule}, but got {str(value)!r}")


def checked_count(name: str, value: object) -> int | None:
    """Returns a whole number from 1 on, or None; raises `UserError` for anything else.

    >>> checked_count("threads", 0)
    Traceback (most recent call last):
    lstm_bench.errors.UserError: threads: must be a whole number from 1 on, or None, but got 0
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) < 1:
        rule = "must be a whole number from 1 on, or None"
        raise UserError(f"{name}: {rule}, but got {shown_value(value)}")
    return int(value)


def _is_bool(value: object) -> bool:
    """Returns whether `value` is Python's True or False, or NumPy's."""
    import numpy as np  # here, for commands that check nothing start without it

    return isinstance(value, bool | np.bool_)


def _not_a_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


WholeNumber = Annotated[int, BeforeValidator(_not_a_bool)]
"""An integer of a pydantic model, which yes and no are not, although Python counts with them."""
