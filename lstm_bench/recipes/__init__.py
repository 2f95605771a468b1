"""Training configurations: their settings, the rules between them, framings, schedules and cost."""

from lstm_bench.recipes._configuration import FEEDFORWARD, Network
from lstm_bench.recipes._cost import (
    APIECE,
    estimated_memory,
    estimated_seconds,
    multiply_adds,
    program_key,
    search_cost,
)
from lstm_bench.recipes._data_files import recipe_of_run, strayed
from lstm_bench.recipes._framings import FRAMINGS, Encoding, Framing, Samples, Substrings, encode
from lstm_bench.recipes._recipe import HEADS, LEARNING_RATES, Recipe, known_settings, recipe
from lstm_bench.recipes._registry import TASKS, kept_from, no_task
from lstm_bench.recipes._schedule import Schedule

__all__ = [
    "APIECE",
    "FEEDFORWARD",
    "FRAMINGS",
    "HEADS",
    "LEARNING_RATES",
    "TASKS",
    "Encoding",
    "Framing",
    "Network",
    "Recipe",
    "Samples",
    "Schedule",
    "Substrings",
    "encode",
    "estimated_memory",
    "estimated_seconds",
    "kept_from",
    "known_settings",
    "multiply_adds",
    "no_task",
    "program_key",
    "recipe",
    "recipe_of_run",
    "search_cost",
    "strayed",
]
