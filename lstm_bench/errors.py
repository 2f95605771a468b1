"""The exceptions of this package, as a tree.

::

    LstmBenchError
    ├── UserError            the input is wrong: one message, exit code 2
    │   ├── RecipeError      a setting is unknown, has a wrong value, or does not fit the others
    │   ├── SweepError       a sweep file or an override of it is wrong
    │   ├── DataError        a data file, or what is said about it, is wrong
    │   ├── TaskError        a user-defined task is missing or cannot be loaded
    │   └── StoreError       a run store or a folder cannot be read or written
    │       └── DamagedError a file of a store is not what was written there
    ├── StoreLostError       the store has stopped answering during a sweep: exit code 1
    ├── FailedFastError      a recipe has failed in a sweep that was to end then: exit code 1
    └── Interrupted          Ctrl-C: finished results are saved

Every message states the rule, the value that broke it, and the repair.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass

MAX_NAME = 200
"""Characters of an unknown name that a message shows, from its beginning and its end."""
_shortened = reprlib.Repr()
_shortened.maxstring = MAX_NAME


class LstmBenchError(Exception):
    """Base class of all exceptions that this package defines."""


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


class DataError(UserError):
    """A data file, or an option about how to read it, is wrong."""


class TaskError(UserError):
    """A user-defined task cannot be loaded, or is needed and missing."""


class StoreError(UserError):
    """A run store or an output folder cannot be used."""


class UnknownRecipeError(StoreError):
    """A sweep of a run store has no finished recipe of the given id."""


class DamagedError(StoreError):
    """A file of a run store is missing, truncated or invalid; the store itself can be used."""


class StoreLostError(LstmBenchError):
    """A store that a sweep was writing to does not answer any more; finished seeds are saved."""


class FailedFastError(LstmBenchError):
    """A recipe has failed, and the sweep was to end with the first failure; results are saved."""


class Interrupted(LstmBenchError):  # noqa: N818 - not an error
    """The user pressed Ctrl-C; finished results are saved."""


def unknown(kind: str, name: object, valid: Iterable[str]) -> str:
    """Returns the message for an unknown `name` of some `kind`: the closest and all valid names.

    >>> unknown("task", "memori", ["memory", "alphabet"])
    "there is no task 'memori'; did you mean 'memory'? (known: alphabet, memory)"
    """
    names, shown = sorted(valid), _shortened.repr(str(name))
    if not names:
        return f"there is no {kind} {shown}, nor any other"
    closest = [other for other in names if other.lower() == str(name).lower()]
    closest += difflib.get_close_matches(str(name)[:MAX_NAME], names, n=1)
    hint = f"; did you mean {closest[0]!r}?" if closest else ""
    return f"there is no {kind} {shown}{hint} (known: {', '.join(names)})"
