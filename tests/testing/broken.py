"""Tasks and framings that are broken, each by what it is caught."""

from dataclasses import replace

import numpy as np

from lstm_bench.recipes._framings import Pairs, Prefixes, Substrings
from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Problem, Sequence, Task


class Healthy(Task):
    """Say the bit before: 0 1 1 0 -> . 0 1 1.

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
        made = tuple(Sequence(row, np.roll(row, 1), scored) for row in rows)
        return Problem(made[:40], made[40:])

    labels = property(lambda self: ("0", "1"))
    chance = property(lambda self: 0.5)


# Broken tasks, each by what it is caught.


class ASpace(Healthy):
    __doc__ = Healthy.__doc__
    name = "a b"


class AWordOfRecipes(Healthy):
    __doc__ = Healthy.__doc__
    momentum: float = 0.0


class NoSource(Healthy):
    __doc__ = Healthy.__doc__
    source = ""


class NoExample(Healthy):
    """Say the bit before: 0 1 1 0 -> . 0 1 1."""


def WrongExample():  # noqa: N802 - a class that pytest is not to find, for its example is false
    class Wrong(Healthy):
        """Say the bit before: 0 1 1 0 -> . 0 1 1.

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


class NothingScored(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        made = super().problem(seed)
        return replace(made, train=(replace(made.train[0], scored=np.zeros(self.steps, bool)),
                                    *made.train[1:]))  # fmt: skip


class LabelsAlike(Healthy):
    __doc__ = Healthy.__doc__
    labels = property(lambda self: ("0", "0"))


COUNTER = iter(range(10_000))


class Flickering(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        made = super().problem(seed)
        targets = made.train[0].targets.copy()
        targets[0] = next(COUNTER) % 2  # a step that is not scored
        return replace(made, train=(replace(made.train[0], targets=targets), *made.train[1:]))


class Reseeding(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        np.random.seed(seed)  # noqa: NPY002
        return super().problem(seed)


class Growing(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        made = super().problem(seed)
        return made if seed < 2 else replace(made, train=made.train[1:])


class Leaking(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        made = super().problem(seed)
        return replace(made, unseen=(made.train[3], *made.unseen[1:]))


class LeakingItsEnd(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        made = super().problem(seed)
        source = made.train[3]
        part = Sequence(source.inputs[4:], source.targets[4:], source.scored[4:])
        return replace(made, unseen=(part, *made.unseen[1:]))


class TooHumble(Healthy):
    __doc__ = Healthy.__doc__
    chance = property(lambda self: 0.4)


class Ambiguous(Healthy):
    __doc__ = Healthy.__doc__

    def problem(self, seed):
        every = np.ones(2, bool)
        shown = np.array([0, 1])
        return Problem(tuple(Sequence(shown, np.array(t), every) for t in ([0, 1], [1, 0])))


class Despairing(Healthy):
    __doc__ = Healthy.__doc__
    bar = property(lambda self: 0.8)
    ceiling = property(lambda self: 0.9)

    def problem(self, seed):
        shown = np.array([0, 1])
        return Problem((Sequence(shown, shown, np.ones(2, bool)),))


class EasilySolved(Healthy):
    __doc__ = Healthy.__doc__
    bar = property(lambda self: 0.5)


class IllegalDefaults(Healthy):
    __doc__ = Healthy.__doc__
    defaults = {"framing": "pairs", "stateful": True, "shuffle": "samples"}


class Enormous(Healthy):
    __doc__ = Healthy.__doc__
    symbolic = False

    def problem(self, seed):
        made = super().problem(seed)
        parts = [
            tuple(replace(s, inputs=1e39 * s.inputs[:, None]) for s in part)
            for part in (made.train, made.unseen)
        ]
        return Problem(*parts)


BROKEN_TASKS = [
    (ASpace, "words", "letters, digits, _ and -, but got 'a b'"),
    (AWordOfRecipes, "words", "must name its parameters otherwise: momentum"),
    (NoSource, "source", "`source` is empty"),
    (NoExample, "example", "begins with >>>"),
    (WrongExample, "example", "must be true"),
    (Lenient, "value", "must refuse unknown parameters"),
    (Changeable, "value", "must not change"),
    (NothingScored, "shapes", "sequence 0 must score a step"),
    (LabelsAlike, "symbols", r"but \['0'\] stand there twice"),
    (Flickering, "determinism", r"problem\(0\) must give the same"),
    (Reseeding, "generators", "generators alone, but uses one"),
    (Growing, "lengths", "seeds 0, 1 and 2 differ"),
    (Leaking, "leak", r"but 1 are, e.g. unseen\[0\]"),
    (LeakingItsEnd, "leak", r"but 1 are, e.g. unseen\[0\]"),
    (TooHumble, "chance", "but 0.4 is stated"),
    (Ambiguous, "ceiling", "at most 0.5, but 1 is stated"),
    (Despairing, "ceiling", "gets, 1, but 0.9 is stated"),
    (EasilySolved, "bar", "0.5, 0.5, 1.0 are stated"),
    (IllegalDefaults, "default_recipe", "the default recipe must be legal, but shuffle"),
    (Enormous, "training", "the loss and the outputs must be finite"),
]


# Broken framings.


class FarPadding(Prefixes):
    """Marks padding by -2."""

    def indices(self, sequence, rng=None):
        shown = super().indices(sequence, rng)
        return np.where(shown < 0, -2, shown)


class Nowhere(Pairs):
    """Fits nothing."""

    def count(self, length):
        return 0


class PaddedRight(Prefixes):
    """Pads where the answer is asked for."""

    def indices(self, sequence, rng=None):
        shown = super().indices(sequence, rng)
        return np.array([[*row[row >= 0], *row[row < 0]] for row in shown])


class Miscounting(Pairs):
    """Predicts a sample too many."""

    def count(self, length):
        return length + 1


class TooWide(Pairs):
    """Predicts a step too many."""

    def width(self, longest):
        return 2


class Doubles(Pairs):
    """Makes float64."""

    def samples(self, *given):
        made = super().samples(*given)
        return replace(made, x=made.x.astype(float))


class AllScored(Pairs):
    """Scores what the task does not."""

    def samples(self, *given):
        made = super().samples(*given)
        return replace(made, scored=made.step >= 0)


class LookingAhead(Pairs):
    """Shows the next step before the one that it answers."""

    def width(self, longest):
        return 2

    def indices(self, sequence, rng=None):
        steps = np.arange(len(sequence))
        return np.stack([np.minimum(steps + 1, len(sequence) - 1), steps], axis=1)


class ShowingAnswers(Pairs):
    """Adds the target to what is shown."""

    def samples(self, *given):
        made = super().samples(*given)
        return replace(made, x=made.x + made.y[:, None])


class TrainingOnAll(Pairs):
    """Trains on what should be unseen."""

    def parts(self, problem, seed):
        return [replace(part, unseen=False) for part in super().parts(problem, seed)]


class Restless(Substrings):
    """Draws as it likes."""

    def indices(self, sequence, rng=None):
        return super().indices(sequence, np.random.default_rng())


class AskingOtherwise(Pairs):
    """Asks with one step more than it trains on."""

    def query(self, features, width):
        return super().query(features, width + 1)


class LenientFraming(Pairs):
    """Takes any parameter."""

    model_config = {"extra": "ignore"}


BROKEN_FRAMINGS = [
    (LenientFraming, "value", "must refuse unknown parameters"),
    (Nowhere, "fits", "fits none of 1 to 12 steps"),
    (FarPadding, "indices", "but are from -2 to"),
    (PaddedRight, "padding", r"on the left alone, but \[\[0, -1\]\]"),
    (Miscounting, "count", "but they are 2 and 1"),
    (TooWide, "width", "but they are 2 and 1"),
    (Doubles, "shapes", "x must be float32, but is float64"),
    (AllScored, "owners", "scored must be False, but is True"),
    (LookingAhead, "look_ahead", "must not show later steps than 0"),
    (ShowingAnswers, "look_ahead", "must not show later steps"),
    (TrainingOnAll, "unseen", "must not be trained on"),
    (Restless, "determinism", "draw from rng alone"),
    (AskingOtherwise, "query", "query of 1 steps must be"),
]
