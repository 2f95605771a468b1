"""What can go wrong, as a tree.

::

    LstmBenchError
    ├── UserError            the input is wrong: one message, exit code 2
    │   ├── RecipeError      a setting is unknown, has a wrong value, or does not fit the others
    │   ├── SweepError       a sweep file or an override of it is wrong
    │   ├── TaskError        a task of the user's own cannot be loaded, or is not there
    │   └── StoreError       a run store or a folder cannot be read or written
    │       └── DamagedError a file of a store is not what was written there
    └── Interrupted          Ctrl-C: what was finished is kept

Every message states the rule, the value it got, and the repair.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class LstmBenchError(Exception):
    """Base of everything this package raises on purpose."""


class UserError(LstmBenchError):
    """The user's input is wrong; the message says what would be right."""


@dataclass(frozen=True)
class Fault:
    """One wrong setting: its key, and what is wrong with it (rule, value, repair)."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class RecipeError(UserError):
    """One or more settings of a recipe are wrong; `faults` lists them all.

    >>> print(RecipeError([Fault("units", "must be at least 1, but got 0")]))
    units: must be at least 1, but got 0
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SweepError(UserError):
    """A sweep file, or an override of it, is wrong."""


class TaskError(UserError):
    """A task of the user's own cannot be loaded, or is needed and not there."""


class StoreError(UserError):
    """A run store or an output folder cannot be used."""


class DamagedError(StoreError):
    """A file of a run store is missing, cut, or not what it should be; the store can be used."""


class Interrupted(LstmBenchError):  # noqa: N818 - it is no error
    """The user pressed Ctrl-C; whatever had finished is kept."""


def unknown(what: str, got: object, known: Iterable[str]) -> str:
    """Returns the message for a name that is not among `known`, with the nearest ones first.

    >>> unknown("task", "memori", ["memory", "alphabet"])
    "there is no task 'memori'; did you mean 'memory'? (known: alphabet, memory)"
    """
    names = sorted(known)
    if not names:
        return f"there is no {what} {str(got)!r}, nor any other"
    near = difflib.get_close_matches(str(got), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no {what} {str(got)!r}{hint} (known: {', '.join(names)})"
