"""Training configurations: settings and their rules, framings, batch schedules and cost."""

from lstm_bench.recipes._configuration import FEEDFORWARD, NETWORKS
from lstm_bench.recipes._cost import (
    estimated_memory,
    estimated_seconds,
    estimated_training_seconds,
    multiply_adds,
    program_key,
    search_cost,
)
from lstm_bench.recipes._data_files import files_outside, recipe_of_run
from lstm_bench.recipes._evaluations import SMALL_STEP
from lstm_bench.recipes._framings import FRAMINGS, Framing, Substrings
from lstm_bench.recipes._lstm_1997 import LSTM_1997_SETTINGS, Biases, Lstm1997, Squashing
from lstm_bench.recipes._own_network import (
    NETWORK_SOURCE,
    OwnNetwork,
    network_name,
    unchanged_network,
)
from lstm_bench.recipes._recipe import (
    LEARNING_RATES,
    OUTPUT_LAYERS,
    Recipe,
    known_settings,
    recipe,
    recipe_from_settings,
)
from lstm_bench.recipes._registry import (
    BUILT_IN_TASKS,
    SearchedTask,
    TaskRegistry,
    TaskSource,
    unknown_task_message,
)
from lstm_bench.recipes._samples import Encoding, Samples, encode
from lstm_bench.recipes._schedule import Schedule

__all__ = [
    "BUILT_IN_TASKS",
    "FEEDFORWARD",
    "FRAMINGS",
    "LEARNING_RATES",
    "LSTM_1997_SETTINGS",
    "NETWORKS",
    "NETWORK_SOURCE",
    "OUTPUT_LAYERS",
    "SMALL_STEP",
    "Biases",
    "Encoding",
    "Framing",
    "Lstm1997",
    "OwnNetwork",
    "Recipe",
    "Samples",
    "Schedule",
    "SearchedTask",
    "Squashing",
    "Substrings",
    "TaskRegistry",
    "TaskSource",
    "encode",
    "estimated_memory",
    "estimated_seconds",
    "estimated_training_seconds",
    "files_outside",
    "known_settings",
    "multiply_adds",
    "network_name",
    "program_key",
    "recipe",
    "recipe_from_settings",
    "recipe_of_run",
    "search_cost",
    "unchanged_network",
    "unknown_task_message",
]
