"""A bounded cache whose content can be handed to another process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SharedCache(Generic[Key, Value]):
    """The latest `size` values that were computed, by key."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """Returns the value of `key`, which is computed if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = compute()
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
            return self._values[key]

    def content(self) -> dict[Key, Value]:
        """Returns all values by key, for `add` in another process."""
        with self._lock:
            return dict(self._values)

    def add(self, values: Mapping[Key, Value]) -> None:
        """Takes over values that another process computed."""
        with self._lock:
            self._values.update(values)
