"""Broken tasks and framings, each with the check that must catch it."""

from dataclasses import replace

import numpy as np

from lstm_bench.recipes._framings import Pairs, Prefixes, Substrings
from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Problem, Sequence, Task


class Healthy(Task):
    """Repeat the bit before: 0 1 1 0 -> . 0 1 1.

    >>> sequence = Healthy().problem(seed=0).train[0]
    >>> bool((sequence.targets[1:] == sequence.inputs[:-1]).all())
    True
    """

    name = "healthy"
    source = "none"
    autoregressive = False
    defaults = {"framing": "whole"}
    steps: int = 8

    def problem(self, seed):
        numbers = stream(seed, "data").permutation(2**self.steps)[:60]
        rows = numbers[:, None] >> np.arange(self.steps) & 1
        scored = np.arange(self.steps) >= 1
        sequences = tuple(Sequence(row, np.roll(row, 1), scored) for row in rows)
        return Problem(sequences[:40], sequences[40:])

    labels = property(lambda self: ("0", "1"))
    chance = property(lambda self: 0.5)


# Broken tasks.


class NameWithSpace(Healthy):
    __doc__ = Healthy.__doc__
    name = "a b"


class ReservedParameter(Healthy):
    __doc__ = Healthy.__doc__
    momentum: float = 0.0


class NoSource(Healthy):
    __doc__ = Healthy.__doc__
    source = ""


class NoExample(Healthy):
    """Repeat the bit before: 0 1 1 0 -> . 0 1 1."""


def WrongExample():  # noqa: N802 - pytest must not collect the class, because its example is false
    class Wrong(Healthy):
        """Repeat the bit before: 0 1 1 0 -> . 0 1 1.

        >>> Healthy().chance
        0.25
        """

    return Wrong()


class Lenient(Healthy):
    __doc__ = Healthy.__doc__
    model_config = {"extra": "ignore"}


class Changeable(Healthy):
    __doc__ = Healthy.__doc__
    model_config = {"frozen": False}
    __hash__ = Task.__hash__


class UnscoredSequence(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        return replace(problem, train=(replace(problem.train[0], scored=np.zeros(self.steps, bool)),
                                       *problem.train[1:]))  # fmt: skip


class RepeatedLabels(Healthy):
    __doc__ = Healthy.__doc__
    labels = property(lambda self: ("0", "0"))


COUNTER = iter(range(10_000))


class Nondeterministic(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        targets = problem.train[0].targets.copy()
        targets[0] = next(COUNTER) % 2  # a step that is not scored
        first = replace(problem.train[0], targets=targets)
        return replace(problem, train=(first, *problem.train[1:]))


class Reseeding(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        np.random.seed(seed)  # noqa: NPY002
        return super().problem(seed)


class Growing(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        return problem if seed < 2 else replace(problem, train=problem.train[1:])


class Leaking(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        return replace(problem, unseen=(problem.train[3], *problem.unseen[1:]))


class LeakingPart(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        source = problem.train[3]
        part = Sequence(source.inputs[4:], source.targets[4:], source.scored[4:])
        return replace(problem, unseen=(part, *problem.unseen[1:]))


class LowChance(Healthy):
    __doc__ = Healthy.__doc__
    chance = property(lambda self: 0.4)


class Ambiguous(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        scored = np.ones(2, bool)
        inputs = np.array([0, 1])
        return Problem(tuple(Sequence(inputs, np.array(t), scored) for t in ([0, 1], [1, 0])))


class LowCeiling(Healthy):
    __doc__ = Healthy.__doc__
    bar = property(lambda self: 0.8)
    ceiling = property(lambda self: 0.9)

    def problem(self, seed):
        symbols = np.array([0, 1])
        return Problem((Sequence(symbols, symbols, np.ones(2, bool)),))


class LowBar(Healthy):
    __doc__ = Healthy.__doc__
    bar = property(lambda self: 0.5)


class IllegalDefaults(Healthy):
    __doc__ = Healthy.__doc__
    defaults = {"framing": "pairs", "stateful": True, "shuffle": "samples"}


class Enormous(Healthy):
    __doc__ = Healthy.__doc__
    symbolic = False

    def problem(self, seed):
        problem = super().problem(seed)
        parts = [
            tuple(replace(s, inputs=1e39 * s.inputs[:, None]) for s in part)
            for part in (problem.train, problem.unseen)
        ]
        return Problem(*parts)


BROKEN_TASKS = [
    (NameWithSpace, "words", "letters, digits, _ and -, but got 'a b'"),
    (
        ReservedParameter,
        "words",
        "after keys of recipes or sweep files, but has momentum; rename it",
    ),
    (NoSource, "source", "`source` must say .*, but is empty"),
    (NoExample, "example", "begins with >>>"),
    (WrongExample, "example", "must be true"),
    (Lenient, "value", "must refuse unknown parameters"),
    (Changeable, "value", "must be immutable"),
    (UnscoredSequence, "shapes", "sequence 0 must score a step"),
    (RepeatedLabels, "symbols", r"but \['0'\] are repeated"),
    (Nondeterministic, "determinism", r"problem\(0\) must give the same"),
    (Reseeding, "generators", "must not use the global random generators .*, but uses one"),
    (Growing, "lengths", "seeds 0, 1 and 2 differ"),
    (Leaking, "leak", r"but 1 are, e.g. unseen\[0\]"),
    (LeakingPart, "leak", r"but 1 are, e.g. unseen\[0\]"),
    (LowChance, "chance", "but is 0.4"),
    (Ambiguous, "ceiling", "at most 0.5, but is 1"),
    (LowCeiling, "ceiling", "past inputs, 1, but is 0.9"),
    (LowBar, "bar", "but got 0.5, 0.5, 1.0"),
    (IllegalDefaults, "default_recipe", "the default recipe must be legal, but shuffle"),
    (Enormous, "training", "the loss and the outputs must be finite"),
]


# Broken framings.


class FarPadding(Prefixes):
    """Marks padding by -2."""

    def indices(self, sequence, rng=None):
        shown = super().indices(sequence, rng)
        return np.where(shown < 0, -2, shown)


class FittingNothing(Pairs):
    """Fits no length."""

    def count(self, length):
        return 0


class PaddedRight(Prefixes):
    """Pads at the step whose target has to be predicted."""

    def indices(self, sequence, rng=None):
        shown = super().indices(sequence, rng)
        return np.array([[*row[row >= 0], *row[row < 0]] for row in shown])


class Miscounting(Pairs):
    """States one sample too many."""

    def count(self, length):
        return length + 1


class TooWide(Pairs):
    """States one step too many."""

    def width(self, longest):
        return 2


class Doubles(Pairs):
    """Makes float64."""

    def samples(self, *args):
        samples = super().samples(*args)
        return replace(samples, x=samples.x.astype(float))


class AllScored(Pairs):
    """Scores steps that the task does not score."""

    def samples(self, *args):
        samples = super().samples(*args)
        return replace(samples, scored=samples.step >= 0)


class LookingAhead(Pairs):
    """Shows the next step before the one whose target has to be predicted."""

    def width(self, longest):
        return 2

    def indices(self, sequence, rng=None):
        steps = np.arange(len(sequence))
        return np.stack([np.minimum(steps + 1, len(sequence) - 1), steps], axis=1)


class ShowingTargets(Pairs):
    """Adds the target to the inputs."""

    def samples(self, *args):
        samples = super().samples(*args)
        return replace(samples, x=samples.x + samples.y[:, None])


class TrainingOnAll(Pairs):
    """Trains on the unseen sequences."""

    def parts(self, problem, seed):
        return [replace(part, unseen=False) for part in super().parts(problem, seed)]


class OwnGenerator(Substrings):
    """Draws from a generator of its own."""

    def indices(self, sequence, rng=None):
        return super().indices(sequence, np.random.default_rng())


class WideQuery(Pairs):
    """Predicts from one step more than it trains on."""

    def query(self, features, width):
        return super().query(features, width + 1)


class LenientFraming(Pairs):
    """Takes any parameter."""

    model_config = {"extra": "ignore"}


BROKEN_FRAMINGS = [
    (LenientFraming, "value", "must refuse unknown parameters"),
    (FittingNothing, "fits", "fits none of 1 to 12 steps"),
    (FarPadding, "indices", "but are from -2 to"),
    (PaddedRight, "padding", r"on the left only, but a sample shows \[\[0, -1\]\]"),
    (Miscounting, "count", "but they are 2 and 1"),
    (TooWide, "width", "but they are 2 and 1"),
    (Doubles, "shapes", "x must be float32, but is float64"),
    (AllScored, "owners", "scored must be False, but is True"),
    (LookingAhead, "look_ahead", "must not show steps after 0"),
    (ShowingTargets, "look_ahead", "must not show steps after"),
    (TrainingOnAll, "unseen", "must not be trained on"),
    (OwnGenerator, "determinism", "draw only from rng"),
    (WideQuery, "query", "query of 1 steps must be"),
]
