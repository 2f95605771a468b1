"""The search over recipes with Optuna: space, samplers, racing, and the recipes that follow."""

from lstm_bench.search._follow_up import (
    MAX_SWITCH_SEEDS,
    FinishedTrial,
    ablation_recipes,
    planned_contexts,
    select_finalists,
    switched_recipes,
)
from lstm_bench.search._importance import importance
from lstm_bench.search._optuna_trials import (
    FAILED_TRIALS,
    optuna_trial,
    search_study,
    trial_attributes,
)
from lstm_bench.search._racing import RacedRecipe, race, rungs
from lstm_bench.search._study import SearchStudy
from lstm_bench.search._study_storage import StudyStorage, check_separate

__all__ = [
    "FAILED_TRIALS",
    "MAX_SWITCH_SEEDS",
    "FinishedTrial",
    "RacedRecipe",
    "SearchStudy",
    "StudyStorage",
    "ablation_recipes",
    "check_separate",
    "importance",
    "optuna_trial",
    "planned_contexts",
    "race",
    "rungs",
    "search_study",
    "select_finalists",
    "switched_recipes",
    "trial_attributes",
]
