"""A lock in the store: several folders or hosts run one sweep one after another.

It is Lamport's bakery algorithm ("A new solution of Dijkstra's concurrent programming problem",
1974) over tags of the sweep's experiment. A process that wants the lock takes a number above all
others. It has the lock once no other process has a lower number. A tag that does not change for
`SILENT_SECONDS` belongs to a killed process, and no longer counts. If that process was only cut
off, two processes may run the sweep for a while. Work is then done twice, but never counts twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from lstm_bench.tracking._store import Store
from lstm_bench.tracking._sweep_states import SILENT_SECONDS, has_ended, parse_tag

PREFIX = "lstm-bench.lock."
"""The beginning of the keys of the tags, one a process."""
POLL_SECONDS = 2.0
BEAT_SECONDS = 5.0
"""Seconds between two signs of life."""


class StoreLock:
    """The lock of one sweep, for as long as `held` lasts."""

    def __init__(
        self,
        store: Store,
        sweep: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        with store.errors_reported():
            self._experiment = store.ensure_experiment(sweep)
        self._store = store
        self._clock, self._sleep = clock, sleep
        self._key = PREFIX + uuid.uuid4().hex[:12]
        self._number: int | None = None  # None while it is being chosen
        self._beats = 0
        self._seen: dict[str, tuple[str, float]] = {}  # key -> content, since when

    @contextlib.contextmanager
    def held(self, on_wait: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Waits for the lock, and releases it at the end.

        `on_wait` is called once, with the name of the host that has it, if somebody has it.
        """
        try:
            self._take(on_wait)
            yield
        finally:
            with contextlib.suppress(Exception):  # it ends by itself, for want of signs of life
                if not self._store.is_lost:
                    client = self._store.client
                    client.delete_experiment_tag(self._experiment, self._key)

    def beat(self) -> None:
        """Gives a sign of life, which the holder of the lock must do every `BEAT_SECONDS`."""
        self._beats += 1
        content = {"number": self._number, "beat": self._beats, "host": socket.gethostname()}
        content["process"] = os.getpid()
        with self._store.errors_reported():
            text = json.dumps(content)
            self._store.client.set_experiment_tag(self._experiment, self._key, text)

    def _take(self, on_wait: Callable[[str], None]) -> None:
        self.beat()  # while it has no number yet, others wait for it
        self._number = 1 + max((_number(tag) or 0 for tag in self._others().values()), default=0)
        self.beat()
        waiting, beaten = False, self._clock()
        while first := self._first_of_others():
            if not waiting:
                waiting = True
                on_wait(str(first.get("host")))
            self._sleep(POLL_SECONDS)
            if self._clock() - beaten >= BEAT_SECONDS:
                beaten = self._clock()
                self.beat()

    def _first_of_others(self) -> dict[str, Any] | None:
        """Returns the tag of another process that comes before this one, or None."""
        for key, tag in sorted(self._others().items()):
            number = _number(tag)
            assert self._number is not None
            if number is None or (number, key) < (self._number, self._key):
                return tag
        return None

    def _others(self) -> dict[str, dict[str, Any]]:
        """Returns the tags of the other processes that live, as far as can be known."""
        with self._store.errors_reported():
            tags = self._store.client.get_experiment(self._experiment).tags
        now = self._clock()
        others = {k: text for k, text in tags.items() if k.startswith(PREFIX) and k != self._key}
        living = {}
        for key, text in others.items():
            before, since = self._seen.get(key, ("", now))
            self._seen[key] = (text, since if before == text else now)
            tag = parse_tag(text)
            silent = now - self._seen[key][1] >= SILENT_SECONDS
            if not silent and not has_ended(tag.get("host"), tag.get("process")):
                living[key] = tag
        return living


def _number(tag: dict[str, Any]) -> int | None:
    number = tag.get("number")
    return number if isinstance(number, int) else None
