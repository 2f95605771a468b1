"""Errors of a store as one readable message, and notices that it does not answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from lstm_bench.errors import LstmBenchError, StoreError, StoreLostError
from lstm_bench.tracking import _connection as connection
from lstm_bench.tracking._patience import Patience

NOTICE_AFTER = 5.0
"""Seconds without an answer of the store after which the user gets a notice."""


class _Blocks(threading.local):
    """The nested blocks of `StoreErrors.reported` that a thread is in."""

    depth = 0
    waited = threading.Event()  # set once the outermost block has taken `NOTICE_AFTER`


class StoreErrors:
    """Turns the errors of one store into messages. Threads may use it at the same time."""

    def __init__(
        self, shown: str, address: str, notice: Callable[[str], None], patience: Patience
    ) -> None:
        """`shown` is the `address` without its passwords."""
        self.opened = False
        """Whether the store has answered once; only then are unanswered requests repeated."""
        self._shown, self._address, self._notice = shown, address, notice
        self._patience = patience
        patience.on_failure = self._notify_of_failure
        self._blocks = _Blocks()
        self._lost: LstmBenchError | None = None  # of a store that no longer answers

    @contextlib.contextmanager
    def reported(self, silent: bool = False) -> Iterator[None]:
        """Raises any error of the block as a `StoreError` with one readable message.

        Gives notice if the block takes long, unless `silent`. A store that failed to answer after
        such a notice gets no more requests: every attempt would take minutes. Raises
        `StoreLostError` if the store did not answer in the time for waiting.
        """
        if self._lost is not None:
            raise type(self._lost)(str(self._lost))
        block, waited = self._blocks, threading.Event()
        outermost = not block.depth
        timer = threading.Timer(NOTICE_AFTER, self._notify, [waited])
        timer.daemon = True
        if outermost:
            block.waited = waited
        if not silent and outermost:
            timer.start()
        block.depth += 1
        try:
            yield
            if outermost and waited.is_set() and self._is_waited_for:
                self._notice(f"the store {self._shown} answers again")
        except LstmBenchError:
            raise
        except Exception as error:  # a damaged database makes MLflow raise anything
            repair = "start its server, or " if self._shown.startswith("http") else ""
            repair = "install that, or " if isinstance(error, ImportError) else repair
            reason = connection.error_reason(error, self._address)
            unreachable = connection.is_unreachable(error)
            if unreachable and self._is_waited_for:
                raise self._lose(reason) from error
            message = (
                f"store: {self._shown} cannot be used ({reason}); {repair}give another one with "
                "--store, e.g. sqlite:///new.db in a folder that can be written"
            )
            lost = block.waited.is_set() and unreachable
            self._lost = StoreError(message) if lost else None
            raise StoreError(message) from error
        finally:
            block.depth -= 1
            timer.cancel()

    def check_answering(self) -> None:
        """Raises `StoreLostError` if a request, of any thread, has had no answer for too long."""
        if self._lost is None and self._patience.waited() > self._patience.seconds > 0:
            raise self._lose("a request was not answered")
        if self._lost is not None:
            raise type(self._lost)(str(self._lost))

    @property
    def lost(self) -> bool:
        """Whether the store has failed to answer for so long that it gets no more requests."""
        return self._lost is not None

    @property
    def _is_waited_for(self) -> bool:
        return self.opened and self._patience.seconds > 0

    @property
    def _minutes(self) -> str:
        return f"{self._patience.seconds / 60:.3g} min"

    def _lose(self, reason: str) -> StoreLostError:
        self._lost = StoreLostError(
            f"store: {self._shown} has not answered for {self._minutes} ({reason}); everything "
            "that has finished is kept here, and the same command goes on once the store answers "
            "(`store_wait` in conf/default.yaml sets the minutes)"
        )
        return self._lost

    def _notify_of_failure(self) -> None:
        if self._blocks.depth and not self._blocks.waited.is_set():
            self._notify(self._blocks.waited, "which does not answer")

    def _notify(
        self, waited: threading.Event, why: str = f"for {NOTICE_AFTER:.0f} s so far"
    ) -> None:
        if waited.is_set():
            return
        waited.set()
        notice = f"waiting for the store {self._shown}, {why}"
        if self._is_waited_for:
            notice += (
                "; what finishes meanwhile is kept here, and written once it answers; the command "
                f"ends after {self._minutes} without an answer"
            )
        self._notice(notice)
