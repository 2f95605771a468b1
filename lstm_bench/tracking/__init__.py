"""Runs in MLflow: one experiment a sweep, a parent run for the sweep, a child for each recipe.

A child holds the complete Outcome, so reports are rebuilt from the store alone. Which rows a sweep
has, and in which order, is the parent's `sweep.json`.

::

    listing      sweep.json: the sweep, its rows, what failed
    logged       an outcome as tags, parameters and metrics
    store        where runs are found and read
    session      a sweep's run while the sweep goes on
"""

from lstm_bench.tracking.listing import Listed, SeedsOf
from lstm_bench.tracking.session import Session, begin
from lstm_bench.tracking.store import Store

__all__ = ["Listed", "SeedsOf", "Session", "Store", "begin"]
