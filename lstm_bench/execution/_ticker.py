"""Regular work while a sweep runs: shows the progress, and writes it to the store."""

from __future__ import annotations

import time

from lstm_bench.execution._gathering import RecipeRunner
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.tracking import Session

CHANGE_SECONDS, STORE_SECONDS = 0.2, 5.0
"""Seconds between two updates of the display here, and of the progress in the store."""


class Ticker:
    """Called again and again; raises errors of the store."""

    def __init__(self, session: Session, runner: RecipeRunner, progress: SweepProgress) -> None:
        self._session, self._runner, self._progress = session, runner, progress
        self._changed = self._stored = -STORE_SECONDS
        self._storing = False

    def __call__(self) -> None:
        """Updates the progress, unless it was updated a moment ago."""
        self._session.writes.poll()
        now = time.monotonic()
        if now - self._changed < CHANGE_SECONDS:
            return
        self._changed = now
        self._progress.running = tuple(self._runner.running())
        self._progress.unwritten = self._session.writes.waiting
        self._progress.changed(self._progress)
        if now - self._stored > STORE_SECONDS and not self._storing:
            self._stored, self._storing = now, True
            self._session.show(self._progress.document(), self._is_stored)

    def _is_stored(self) -> None:
        self._storing = False
