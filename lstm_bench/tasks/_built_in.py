"""The tasks of this package by name. A new one is a file of its own and a line here."""

from lstm_bench.tasks.alphabet import Alphabet
from lstm_bench.tasks.ambiguous_pair import AmbiguousPair
from lstm_bench.tasks.base import Task
from lstm_bench.tasks.cumulative_sum import CumulativeSum
from lstm_bench.tasks.echo import Echo
from lstm_bench.tasks.memory import Memory
from lstm_bench.tasks.poem import Poem
from lstm_bench.tasks.random_memory import RandomMemory
from lstm_bench.tasks.series import ParallelSeries, Ramp

BUILT_IN: dict[str, type[Task]] = {
    each.name: each
    for each in (
        Memory,
        RandomMemory,
        Echo,
        Alphabet,
        AmbiguousPair,
        Poem,
        Ramp,
        ParallelSeries,
        CumulativeSum,
    )
}
