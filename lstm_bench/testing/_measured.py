"""What a task says of itself, measured on the sequences that it makes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from lstm_bench.statistics import is_correct
from lstm_bench.tasks import Problem, Sequence, Task

CANDIDATES = 500
"""Answers that are tried out where they are real values; more targets are thinned."""


def same(one: Problem, other: Problem) -> bool:
    """Returns whether two problems have equal sequences, in the same order."""
    if (len(one.train), len(one.unseen)) != (len(other.train), len(other.unseen)):
        return False
    return all(
        a.cyclic == b.cyclic
        and all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("inputs", "targets"))
        and np.array_equal(a.scored, b.scored)
        for a, b in zip(one.sequences, other.sequences, strict=True)
    )


def constant_shares(task: Task, problems: Iterable[Problem]) -> list[float]:
    """Returns the share of each problem's scored steps that the best constant answer gets right.

    It is the best one on all of the problems together.
    """
    targets = [
        np.concatenate([s.targets[s.scored] for s in problem.sequences]) for problem in problems
    ]
    if task.kind == "regression":
        tried = [[_near(task, answer, each) for each in targets] for answer in _answers(
            np.unique(np.concatenate(targets), axis=0), task.tolerance)]  # fmt: skip
        return max(tried, key=sum)
    values, number = np.unique(np.concatenate(targets), axis=0, return_inverse=True)
    best = np.bincount(number.ravel(), minlength=len(values)).argmax()
    return [float((each == values[best]).reshape(len(each), -1).all(axis=1).mean())
            for each in targets]  # fmt: skip


def _answers(targets: np.ndarray, tolerance: float) -> Iterator[np.ndarray]:
    """Yields constant answers of which one is best: those with a target at the edge of reach."""
    kept = targets[:: -(-len(targets) // CANDIDATES)]
    yield from kept
    yield from kept + tolerance
    yield from (kept[1:] + kept[:-1]) / 2


def _near(task: Task, answer: np.ndarray, targets: np.ndarray) -> float:
    reach = task.tolerance + 1e-9
    return float(
        is_correct(np.broadcast_to(answer, targets.shape), targets, task.kind, reach).mean()
    )


def lookup_share(problem: Problem) -> float:
    """Returns the share of scored training steps that a table of whole pasts gets right.

    The table knows, for everything that has been seen since the start of a sequence, the most
    frequent answer to it: nothing that answers by the inputs so far can do better.
    """
    seen: dict[bytes, Counter[int]] = defaultdict(Counter)
    for sequence in problem.train:
        past = hashlib.blake2b(digest_size=16)
        for step, shown in enumerate(sequence.inputs):
            past.update(shown.tobytes())
            if sequence.scored[step]:
                seen[past.digest()][int(sequence.targets[step])] += 1
    right = sum(answers.most_common(1)[0][1] for answers in seen.values())
    return right / sum(answers.total() for answers in seen.values())


def leaked(problem: Problem) -> list[int]:
    """Returns the numbers of the unseen sequences that lie, with their answers, in trained ones.

    What counts is a sequence up to its last scored step, as a contiguous part of any training
    sequence: there a window, a prefix or a whole sequence shows, answer for answer, what is to be
    found out. Sequences that are merely alike, or share a part, are no leak.
    """
    asked = {number: _told(s, 0, _end(s)) for number, s in enumerate(problem.unseen) if _end(s)}
    ends = {_end(problem.unseen[number]) for number in asked}
    trained = {
        _told(sequence, first, first + length)
        for length in ends
        for sequence in problem.train
        for first in range(len(sequence) - length + 1)
    }
    return [number for number, told in asked.items() if told in trained]


def told_to(value: float, slack: float) -> str:
    """Returns `value` with the fewest digits, but four, that are within `slack` of it.

    Whoever states what a check has told must pass it.

    >>> told_to(2 / 3, 1e-2), told_to(2 / 3, 1e-6), told_to(0.5, 1e-9)
    ('0.6667', '0.666667', '0.5')
    """
    texts = (f"{value:.{digits}g}" for digits in range(4, 18))
    return next(text for text in texts if abs(float(text) - value) <= slack)


def _end(sequence: Sequence) -> int:
    """Returns the number of steps up to the last scored one."""
    return int(np.flatnonzero(sequence.scored).max(initial=-1)) + 1


def _told(sequence: Sequence, first: int, end: int) -> int:
    return hash((sequence.inputs[first:end].tobytes(), sequence.targets[first:end].tobytes()))
