"""The search over recipes with Optuna: space, samplers, racing, and what is run afterwards."""

from lstm_bench.search._follow_up import (
    MAX_SWITCH_SEEDS,
    FinishedTrial,
    ablation_recipes,
    planned_contexts,
    select_finalists,
    switched_recipes,
)
from lstm_bench.search._importance import importance
from lstm_bench.search._racing import RacedRecipe, race, rungs
from lstm_bench.search._study import SearchStudy

__all__ = [
    "MAX_SWITCH_SEEDS",
    "FinishedTrial",
    "RacedRecipe",
    "SearchStudy",
    "ablation_recipes",
    "importance",
    "planned_contexts",
    "race",
    "rungs",
    "select_finalists",
    "switched_recipes",
]
