"""The end of a sweep: its listing, its report, and the end of its run in the store."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

from lstm_bench.execution._executor import TICK_SECONDS
from lstm_bench.execution._progress import SweepLog, SweepProgress
from lstm_bench.report import write_report, written_by_report
from lstm_bench.results import SweepData
from lstm_bench.tracking import Session

HASTE_SECONDS = 4.0
"""Seconds after Ctrl-C for the report and the remaining writes."""


class Closing:
    """Ends a sweep, whether it is complete or not."""

    def __init__(
        self,
        log: SweepLog,
        session: Session,
        progress: SweepProgress,
        folder: Path,
        tick: Callable[[], None],
    ) -> None:
        """`folder` is the folder of the report; `tick` is called while the store is written."""
        self._log, self._session, self._progress = log, session, progress
        self._folder, self._tick = folder, tick

    def run(self, finished: bool) -> SweepData:
        """Writes the report and all results into the store; returns the results.

        `finished` says whether the sweep is complete. The report is written even if the store does
        not answer.
        """
        result = self._log.result(stored=True)
        finished = finished and not self._progress.unsaved
        self._progress.work.end(finished)
        self._progress.running = ()
        self._log.write(last=finished)
        try:
            self._write_report(result)
        finally:
            self._end(result, finished)
            self._session.writes.wait(tick=self._tick)
            self._session.writes.close()
        return result

    def in_haste(self) -> SweepData:
        """Does the same after Ctrl-C, as far as possible in `HASTE_SECONDS`.

        The checkpoint has the results that the store then lacks.
        """
        deadline = time.monotonic() + HASTE_SECONDS
        result = self._log.result(stored=True)
        self._progress.running = ()
        self._log.write()
        done = False
        with contextlib.suppress(Exception):
            done = self._write_report(result, deadline, tick=False)
        self._end(result, finished=False)
        written = self._session.writes.wait(max(deadline - time.monotonic(), 0.5))
        if not done or not written:
            self._progress.notice(
                "the report or the store could not be written that fast; the same command goes on "
                "from what has finished, and writes both"
            )
        return result

    def _write_report(
        self, result: SweepData, deadline: float = math.inf, tick: bool = True
    ) -> bool:
        """Writes the report, in a thread, until `deadline`; returns whether it has been written.

        With `tick`, the sweep reports meanwhile that it is still running. Raises an error of the
        report, or else an error of the store from this time.
        """
        if not (result.rows or result.failed or result.not_run):
            return True
        written: Future[None] = Future()

        def write() -> None:
            try:
                write_report(result, self._folder)
            except BaseException as error:
                written.set_exception(error)
            else:
                written.set_result(None)

        threading.Thread(target=write, daemon=True).start()
        refused: Exception | None = None
        while not written.done() and time.monotonic() < deadline:
            try:
                if tick and refused is None:
                    self._tick()
            except Exception as error:  # the report is finished first
                refused = error
            wait([written], timeout=TICK_SECONDS)
        if not written.done():
            return False
        written.result()
        self._session.attach(self._folder, written_by_report(self._folder))
        if refused is not None:
            raise refused
        return True

    def _end(self, result: SweepData, finished: bool) -> None:
        self._session.show(self._progress.document())
        self._session.end(result, finished)
