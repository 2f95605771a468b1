"""The built-in tasks by name. A new task needs a file and a line here."""

from lstm_bench.tasks._adding import Adding
from lstm_bench.tasks._alphabet import Alphabet
from lstm_bench.tasks._ambiguous_pair import AmbiguousPair
from lstm_bench.tasks._base import Task
from lstm_bench.tasks._continual_reber import ContinualReber
from lstm_bench.tasks._copy import Copy
from lstm_bench.tasks._cumulative_sum import CumulativeSum
from lstm_bench.tasks._echo import Echo
from lstm_bench.tasks._embedded_reber import EmbeddedReber
from lstm_bench.tasks._long_lag import LongLag
from lstm_bench.tasks._memory import Memory
from lstm_bench.tasks._multiplication import Multiplication
from lstm_bench.tasks._noisy_sequences import NoisySequences
from lstm_bench.tasks._parity import Parity
from lstm_bench.tasks._poem import Poem
from lstm_bench.tasks._random_memory import RandomMemory
from lstm_bench.tasks._series import ParallelSeries, Ramp
from lstm_bench.tasks._temporal_order import TemporalOrder

BUILT_IN: dict[str, type[Task]] = {
    task.name: task
    for task in (
        Memory,
        RandomMemory,
        Echo,
        Alphabet,
        AmbiguousPair,
        Poem,
        Ramp,
        ParallelSeries,
        CumulativeSum,
        Adding,
        Multiplication,
        TemporalOrder,
        EmbeddedReber,
        ContinualReber,
        LongLag,
        NoisySequences,
        Copy,
        Parity,
    )
}
