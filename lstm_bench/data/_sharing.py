"""What the processes of one sweep compute from a file once for all of them."""

from __future__ import annotations

from pathlib import Path

from lstm_bench.data._baselines import FITTED_BASELINES
from lstm_bench.data._series import PREPARED_FILES


def share_between_processes(folder: Path) -> None:
    """Makes the processes that share `folder` read a file once, and fit its baselines once.

    Nobody else may write to the folder: see `SharedCache.share_in`.
    """
    PREPARED_FILES.share_in(folder)
    FITTED_BASELINES.share_in(folder)
