"""Seeds of an outcome: which to keep if the network of the best one is lost, and which diverged."""

from __future__ import annotations

import numpy as np

from lstm_bench.provenance import provenance
from lstm_bench.results import Outcome, select_seeds

REPRODUCIBILITY_FACTS = (
    *("tensorflow", "keras", "numpy", "numba", "system", "processor", "XLA", "oneDNN"),
)
"""Facts of a result's provenance: if all are equal, a seed gives bit-identical numbers."""


def without_best_seed(outcome: Outcome) -> Outcome | None:
    """Returns the part to keep of an outcome whose network is lost: all seeds but the best.

    The best seed is trained again, to the same weights. None if training here could give different
    numbers, so that all seeds must be run again; None also if there is no other seed.
    """
    current = provenance()
    others = [seed for seed in outcome.seeds["seed"].tolist() if seed != outcome.best_seed]
    same = all(outcome.provenance.get(fact) == current[fact] for fact in REPRODUCIBILITY_FACTS)
    return select_seeds(outcome, others) if same and others else None


def divergence_reason(outcome: Outcome) -> str:
    """Returns a message that names the seeds of `outcome` that diverged; empty if none did."""
    diverged = outcome.seeds.loc[~np.isfinite(outcome.seeds["loss"]), "seed"].tolist()
    if not diverged:
        return ""
    noun = "seed" if len(diverged) == 1 else "seeds"
    shown = ", ".join(map(str, diverged[:5])) + (", ..." if len(diverged) > 5 else "")
    return f"it diverged on {len(diverged)} of {len(outcome.seeds)} seeds ({noun} {shown})"
