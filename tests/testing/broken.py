"""Broken tasks and framings, each with the check that must catch it."""

from dataclasses import replace

import numpy as np

from lstm_bench.recipes._framings import Pairs, Prefixes, Substrings
from lstm_bench.seeds import epoch_stream, stream
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


class HealthyFresh(Healthy):
    """Repeat the bit before, in new sequences for every epoch: 0 1 1 0 -> . 0 1 1.

    >>> task = HealthyFresh()
    >>> len(task.epoch_sequences(seed=0, epoch=3))
    40
    """

    name = "healthy_fresh"

    def problem(self, seed):
        unseen = self._sequences(stream(seed, "data").permutation(2**self.steps)[:20])
        return Problem(self.epoch_sequences(seed, 1), unseen)

    def epoch_sequences(self, seed, epoch):
        others = stream(seed, "data").permutation(2**self.steps)[20:]
        return self._sequences(epoch_stream(seed, epoch).permutation(others)[:40])

    def _sequences(self, numbers):
        rows = numbers[:, None] >> np.arange(self.steps) & 1
        scored = np.arange(self.steps) >= 1
        return tuple(Sequence(row, np.roll(row, 1), scored) for row in rows)


class HealthyVarying(HealthyFresh):
    """Repeat the symbol before, in sequences of 8 to 10 steps: 0 1 1 2 -> . 0 1 1.

    >>> sorted({len(sequence) for sequence in HealthyVarying().problem(seed=0).unseen})
    [8, 9, 10]
    """

    name = "healthy_varying"
    labels = property(lambda self: ("0", "1", "2"))
    chance = property(lambda self: 0.5 * 23 / 24)
    longest = property(lambda self: self.steps + 2)

    def _sequences(self, numbers):
        bits = [s.inputs for s in super()._sequences(numbers)]
        rows = [np.r_[row, np.full(n % 3, 2)] for row, n in zip(bits, numbers, strict=True)]
        return tuple(Sequence(r, np.roll(r, 1), np.arange(len(r)) >= 1) for r in rows)


class HealthyPossible(Healthy):
    """Predict 0 or 1 after a 0, and 2 after a 1: 0 1 0 -> 1 2 0.

    >>> HealthyPossible().problem(seed=0).train[0].possible.sum(axis=1).tolist()
    [2, 1, 2]
    """

    name = "healthy_possible"
    labels = property(lambda self: ("0", "1", "2"))
    chance = property(lambda self: 2 / 3)

    def problem(self, seed):
        inputs, scored = np.array([0, 1, 0]), np.ones(3, bool)
        possible = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 0]], bool)
        targets = map(np.array, ([1, 2, 0], [0, 2, 1]))
        return Problem(tuple(Sequence(inputs, t, scored, possible=possible) for t in targets))


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


class EpochOneDiffers(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        return replace(problem, train=problem.train[::-1])


class SameEpochs(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        return super().epoch_sequences(seed, 1)


class FewerLater(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        return super().epoch_sequences(seed, epoch)[epoch > 1 :]


class LongerLater(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        first, *others = super().epoch_sequences(seed, epoch)
        if epoch > 1:
            added = {"inputs": [1, 1, 1], "targets": [1, 1, 1], "scored": [False] * 3}
            first = Sequence(*(np.r_[getattr(first, key), added[key]] for key in added))
        return (first, *others)


class InvalidLater(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        first, *others = super().epoch_sequences(seed, epoch)
        return (replace(first, targets=first.targets + 2 * (epoch > 2)), *others)


class EndsBeingFresh(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        return super().epoch_sequences(seed, epoch) if epoch == 1 else None


class BecomesFresh(Healthy):
    __doc__ = Healthy.__doc__

    def epoch_sequences(self, seed, epoch):
        return None if epoch < 3 else self.problem(seed).train


class NondeterministicEpoch(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        return super().epoch_sequences(seed, epoch if epoch < 3 else 3 + next(COUNTER))


class ReseedingEpoch(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        if epoch > 1:
            np.random.seed(seed)  # noqa: NPY002
        return super().epoch_sequences(seed, epoch)


class LeakingLater(HealthyFresh):
    __doc__ = HealthyFresh.__doc__

    def epoch_sequences(self, seed, epoch):
        sequences = super().epoch_sequences(seed, epoch)
        return (self.problem(seed).unseen[5], *sequences[1:]) if epoch == 3 else sequences


class TooLong(HealthyVarying):
    __doc__ = HealthyVarying.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        symbols = np.full(self.longest + seed // 2, 2)
        longer = Sequence(symbols, symbols, symbols == 2)
        return replace(problem, unseen=(longer, *problem.unseen[1:]))


class VaryingNumber(HealthyVarying):
    __doc__ = HealthyVarying.__doc__

    def problem(self, seed):
        problem = super().problem(seed)
        return replace(problem, unseen=problem.unseen[: 20 - seed % 2])


class LowChanceOfPossible(HealthyPossible):
    __doc__ = HealthyPossible.__doc__
    chance = property(lambda self: 1 / 3)  # that of the most frequent target


class AmbiguousPossible(HealthyPossible):
    __doc__ = HealthyPossible.__doc__

    def problem(self, seed):
        first, second = super().problem(seed).train
        other = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]], bool)
        return Problem((first, replace(second, possible=other)))


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
    (EpochOneDiffers, "epochs", r"epoch_sequences\(0, 1\) must be problem\(0\).train, but is not"),
    (SameEpochs, "epochs", "new sequences for every epoch, but gives those of epoch 1 again"),
    (FewerLater, "epochs", r"epoch_sequences\(0, 2\) must give 40 sequences.* but gives 39"),
    (LongerLater, "epochs", r"\(0, 2\) must give sequences as long as .* define `longest`"),
    (InvalidLater, "epochs", r"epoch_sequences\(0, 3\) train\[0\]: targets must be symbols from 0"),
    (EndsBeingFresh, "epochs", r"epoch_sequences\(0, 2\) must be a tuple .* but is None"),
    (BecomesFresh, "epochs", "must be None for all epochs or for none"),
    (NondeterministicEpoch, "epochs", r"\(0, 3\) must give the same sequences every time"),
    (ReseedingEpoch, "generators", "must not use the global random generators .*, but uses one"),
    (LeakingLater, "leak", r"but 1 are, e.g. unseen\[5\]"),
    (TooLong, "shapes", r"problem\(2\) must .* at most longest=10 steps, but one has 11"),
    (VaryingNumber, "lengths", "same number of sequences, but .* only lengths may vary"),
    (LowChanceOfPossible, "chance", "best constant answer, 0.666.*, but is 0.333"),
    (AmbiguousPossible, "ceiling", "at most 0.8333333.*, but is 1"),
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
