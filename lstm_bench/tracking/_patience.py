"""Patience with a store that does not answer: requests are repeated for some time."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lstm_bench.tracking._connection import is_unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient

RETRY_SECONDS = 2.0
"""Seconds between two attempts of a request that was not answered."""

Answer = TypeVar("Answer")


class Patience:
    """Repeats requests that a store did not answer, for at most `seconds` each."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.on_failure: Callable[[], None] = lambda: None
        """Called when a request was not answered, before it is repeated."""
        self._clock = clock
        self._began: dict[int, float] = {}  # when the request of each thread was first made

    def call(self, request: Callable[..., Answer], *args: Any, **options: Any) -> Answer:
        """Returns the result of `request`, which is repeated while the store does not answer.

        Other errors are raised at once. A request that was carried out, but whose answer was lost,
        is made a second time.
        """
        thread, began = threading.get_ident(), self._clock()
        self._began[thread] = began
        try:
            while True:
                try:
                    return request(*args, **options)
                except Exception as error:
                    late = self._clock() + RETRY_SECONDS - began > self.seconds
                    if late or not is_unreachable(error):
                        raise
                    self.on_failure()
                    time.sleep(RETRY_SECONDS)
        finally:
            self._began.pop(thread, None)

    def waited(self) -> float:
        """Returns the seconds that the oldest open request has had no answer; 0 without one."""
        began = list(self._began.values())
        return self._clock() - min(began) if began else 0.0


class _PatientClient:
    """An MLflow client each of whose requests is made through a `Patience`."""

    def __init__(self, client: MlflowClient, patience: Patience) -> None:
        self._client, self._patience = client, patience

    def __getattr__(self, name: str) -> Any:
        return functools.partial(self._patience.call, getattr(self._client, name))


def patient_client(client: MlflowClient, patience: Patience) -> MlflowClient:
    """Returns `client`, whose requests are repeated while the store does not answer."""
    return cast("MlflowClient", _PatientClient(client, patience))
