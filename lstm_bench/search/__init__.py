"""The search over recipes with Optuna: space, samplers, racing, and what is run afterwards."""

from lstm_bench.search._follow_up import (
    COMPARED,
    Told,
    ablations,
    select_finalists,
    switched_recipes,
)
from lstm_bench.search._importance import importance
from lstm_bench.search._racing import Rival, race, rungs
from lstm_bench.search._study import Study

__all__ = [
    "COMPARED",
    "Rival",
    "Study",
    "Told",
    "ablations",
    "importance",
    "race",
    "rungs",
    "select_finalists",
    "switched_recipes",
]
