"""Measures the claims of a task on its sequences: chance, ceiling, leaks."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from lstm_bench.statistics import is_correct
from lstm_bench.tasks import Problem, Sequence, Task

MAX_CANDIDATES = 500
"""Constant real-valued answers to try; if there are more targets, only every n-th is used."""


def is_same_problem(one: Problem, other: Problem) -> bool:
    """Returns whether two problems have equal sequences, in the same order."""
    if (len(one.train), len(one.unseen)) != (len(other.train), len(other.unseen)):
        return False
    pairs = zip(one.sequences, other.sequences, strict=True)
    return all(is_same_sequence(a, b) for a, b in pairs)


def is_same_sequence(one: Sequence, other: Sequence) -> bool:
    """Returns whether two sequences have equal inputs, targets and masks."""
    arrays = ("inputs", "targets", "scored", "recall", "possible")
    return one.cyclic == other.cyclic and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays
    )


def constant_answer_accuracies(task: Task, problems: Iterable[Problem]) -> list[float]:
    """Returns the accuracy of the best constant answer on the scored steps of each problem.

    It is the constant with the highest accuracy on all problems together. If every epoch has new
    training sequences, only the unseen ones count.
    """
    fresh = task.epoch_sequences(0, 1) is not None
    parts = [
        problem.unseen if fresh and problem.unseen else problem.sequences for problem in problems
    ]
    if all(sequence.possible is not None for part in parts for sequence in part):
        return _constant_ranking_accuracies(parts)
    targets = [np.concatenate([s.targets[s.scored] for s in part]) for part in parts]
    if task.kind == "regression":
        candidates = _constant_answers(np.unique(np.concatenate(targets), axis=0), task.tolerance)
        accuracies = [[_accuracy(task, answer, part) for part in targets] for answer in candidates]
        return max(accuracies, key=sum)
    values, number = np.unique(np.concatenate(targets), axis=0, return_inverse=True)
    best = np.bincount(number.ravel(), minlength=len(values)).argmax()
    return [
        float((part == values[best]).reshape(len(part), -1).all(axis=1).mean()) for part in targets
    ]


def _constant_ranking_accuracies(parts: list[tuple[Sequence, ...]]) -> list[float]:
    """Returns the accuracy on each part of the best constant ranking of the symbols.

    A ranking is right at a step if the possible symbols are its first ones. So the sets of possible
    symbols for which it is right contain one another.
    """
    counts = [Counter(_possible_sets(part)) for part in parts]
    total = sum(counts, Counter())
    best: dict[frozenset[int], tuple[int, list[frozenset[int]]]] = {}
    for larger in sorted(total, key=len):
        smaller = [best[other] for other in best if other < larger]
        number, chain = max(smaller, key=lambda one: one[0], default=(0, []))
        best[larger] = number + total[larger], [*chain, larger]
    _, chain = max(best.values(), key=lambda one: one[0])
    return [sum(count[one] for one in chain) / count.total() for count in counts]


def _possible_sets(sequences: Iterable[Sequence]) -> Iterator[frozenset[int]]:
    """Yields the set of possible symbols of every scored step."""
    sets: dict[bytes, frozenset[int]] = {}
    for sequence in sequences:
        assert sequence.possible is not None
        for row in sequence.possible[sequence.scored]:
            key = row.tobytes()
            if key not in sets:
                sets[key] = frozenset(np.flatnonzero(row).tolist())
            yield sets[key]


def _constant_answers(targets: np.ndarray, tolerance: float) -> Iterator[np.ndarray]:
    """Yields constant answers, one of which is the best.

    They are the targets, the answers with a target at the edge of the tolerance, and midpoints.
    """
    candidates = targets[:: -(-len(targets) // MAX_CANDIDATES)]
    yield from candidates
    yield from candidates + tolerance
    yield from (candidates[1:] + candidates[:-1]) / 2


def _accuracy(task: Task, answer: np.ndarray, targets: np.ndarray) -> float:
    """Returns the share of `targets` that `answer` gets right, within the task's tolerance."""
    tolerance = task.tolerance + 1e-9
    return float(
        is_correct(np.broadcast_to(answer, targets.shape), targets, task.kind, tolerance).mean()
    )


def lookup_accuracy(problem: Problem) -> float:
    """Returns the accuracy on the scored training steps of a table of all past inputs.

    For everything seen since the start of a sequence, the table has the most frequent target, or
    set of possible symbols. No model that predicts from the inputs so far can do better.
    """
    table: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    for sequence in problem.train:
        past = hashlib.blake2b(digest_size=16)
        answers = sequence.targets if sequence.possible is None else sequence.possible
        for step, symbol in enumerate(sequence.inputs):
            past.update(symbol.tobytes())
            if sequence.scored[step]:
                table[past.digest()][answers[step].tobytes()] += 1
    right = sum(targets.most_common(1)[0][1] for targets in table.values())
    return right / sum(targets.total() for targets in table.values())


def leaked_sequences(problem: Problem) -> list[int]:
    """Returns the indices of the unseen sequences that are part of a training sequence.

    Compared are the inputs and targets of an unseen sequence up to its last scored step with every
    contiguous part of every training sequence. A window, a prefix or a whole training sequence
    would then give all of its answers away. Sequences that are merely similar, or share a part, are
    no leak.
    """
    unseen = {i: _hash(s, 0, _end(s)) for i, s in enumerate(problem.unseen) if _end(s)}
    lengths = {_end(problem.unseen[i]) for i in unseen}
    beginnings = {problem.unseen[i].inputs[0].tobytes() for i in unseen}
    trained = {
        _hash(sequence, first, first + length)
        for sequence in problem.train
        for first in _occurrences(sequence, beginnings)
        for length in lengths
        if first + length <= len(sequence)
    }
    return [i for i, digest in unseen.items() if digest in trained]


def format_within(value: float, slack: float) -> str:
    """Returns `value` with the fewest digits, at least four, that are within `slack` of it.

    A value copied from the message of a check must pass that check.

    >>> format_within(2 / 3, 1e-2), format_within(2 / 3, 1e-6), format_within(0.5, 1e-9)
    ('0.6667', '0.666667', '0.5')
    """
    texts = (f"{value:.{digits}g}" for digits in range(4, 18))
    return next(text for text in texts if abs(float(text) - value) <= slack)


def _end(sequence: Sequence) -> int:
    """Returns the number of steps up to the last scored one."""
    return int(np.flatnonzero(sequence.scored).max(initial=-1)) + 1


def _occurrences(sequence: Sequence, inputs: set[bytes]) -> list[int]:
    """Returns the steps of `sequence` at which its input is one of `inputs`."""
    return [step for step, value in enumerate(sequence.inputs) if value.tobytes() in inputs]


def _hash(sequence: Sequence, first: int, end: int) -> int:
    return hash((sequence.inputs[first:end].tobytes(), sequence.targets[first:end].tobytes()))
