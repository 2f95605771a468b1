"""The checks of a framing, by name, each a function that raises `AssertionError`.

They look at sequences of 1 to 12 steps, with steps that are not scored, as far as they fit.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from pydantic import ValidationError

from lstm_bench.recipes import Framing, Samples, encode
from lstm_bench.seeds import stream
from lstm_bench.tasks import Problem, Sequence

SIZE = 12
LENGTHS = range(1, SIZE + 1)


def sequences(framing: Framing) -> list[Sequence]:
    """Returns a sequence of each length that fits; every third step of it is not scored."""
    return [probe(length) for length in LENGTHS if framing.count(length) >= 1]


def probe(length: int, cyclic: bool = False) -> Sequence:
    """Returns a sequence of symbols that all differ, and so tell where they are from."""
    symbols = np.arange(length)
    return Sequence(symbols, (symbols * 5 + 3) % SIZE, symbols % 3 != 1, cyclic)


def framed(framing: Framing, *sequences: Sequence) -> Samples:
    """Returns the samples of training sequences, one-hot."""
    return framing.samples(Problem(sequences), SIZE, "onehot", 0)


def value(framing: Framing) -> None:
    """It is a frozen value with a name: equal to itself made again, hashable, and strict."""
    kind = type(framing)
    named = isinstance(getattr(kind, "name", None), str) and kind.name.isidentifier()
    assert named, f"{kind.__name__} must have a `name` of letters, digits and _"
    assert kind.__doc__, f"{kind.__name__} must have a docstring that says what a sample shows"
    known = {key: getattr(framing, key) for key in kind.model_fields}
    equal = framing == kind(**known) and hash(framing) == hash(kind(**known))
    assert equal, "made again with the same parameters it must be equal, but is not"
    try:
        kind.model_validate({**known, "no_such_parameter": 1})
    except ValidationError:
        return
    raise AssertionError(
        "must refuse unknown parameters, but took no_such_parameter=1; leave model_config alone"
    )


def fits(framing: Framing) -> None:
    """It makes samples of some sequence of up to 12 steps."""
    told = f"it fits none of {LENGTHS.start} to {LENGTHS.stop - 1} steps"
    assert sequences(framing), f"count(length) must be 1 or more for some length, but {told}"


def indices(framing: Framing) -> None:
    """What a sample shows are steps of its sequence, or padding."""
    for sequence in sequences(framing):
        for each in (sequence, probe(len(sequence), cyclic=True)):
            shown = framing.indices(each, stream(0, "data", 0))
            whole = shown.ndim == 2 and np.issubdtype(shown.dtype, np.integer)
            told = f"{shown.shape} of {shown.dtype}"
            assert whole, f"indices must be (samples, steps shown) of integers, but is {told}"
            low, high = int(shown.min(initial=0)), int(shown.max(initial=0))
            rule = f"indices must be from -1 (padding) to {len(each) - 1} for {len(each)} steps"
            assert -1 <= low <= high < len(each), f"{rule}, but are from {low} to {high}"


def padding(framing: Framing) -> None:
    """Padding is where it does no harm: right where every step answers, else left."""
    for sequence in sequences(framing):
        shown = framing.indices(sequence, stream(0, "data", 0))
        there = shown >= 0
        assert there.any(axis=1).all(), "every sample must show a step, but one is all padding"
        sides = there[:, ::-1] if framing.every_step else there
        side = "right" if framing.every_step else "left"
        first = np.argmax(sides, axis=1)
        good = (there.sum(axis=1) == there.shape[1] - first).all()
        told = f"but {shown[~sides.all(axis=1)][:1].tolist()} is shown"
        assert good, f"padding (-1) must be on the {side} alone, {told}"


def count(framing: Framing) -> None:
    """`count` says how many samples there will be."""
    for sequence in sequences(framing):
        told = framing.count(len(sequence)), len(framing.indices(sequence, stream(0, "data", 0)))
        rule = f"count({len(sequence)}) must be the number of rows of indices"
        assert told[0] == told[1], f"{rule}, but they are {told[0]} and {told[1]}"


def width(framing: Framing) -> None:
    """`width` says how many time steps a sample has."""
    for sequence in sequences(framing):
        told = framing.width(len(sequence)), framed(framing, sequence).x.shape[1]
        rule = f"width({len(sequence)}) must be the time steps of x"
        assert told[0] == told[1], f"{rule}, but they are {told[0]} and {told[1]}"


def shapes(framing: Framing) -> None:
    """Samples are float32, with an answer at every step or one for all."""
    given = sequences(framing)
    if not given:
        return  # see fits
    samples = framed(framing, *given)
    for name in ("x", "y"):
        dtype = getattr(samples, name).dtype
        assert dtype == np.float32, f"{name} must be float32, but is {dtype}"
    number, steps = samples.x.shape[:2]
    answers = steps if framing.every_step else 1
    y = (number, steps, SIZE) if framing.every_step else (number, SIZE)
    found = samples.x.ndim, samples.y.shape, samples.step.shape, samples.scored.shape
    expected = 3, y, (number, answers), (number, answers)
    rule = "x must be (N, T, F); y, step and scored must go with it"
    assert found == expected, f"{rule}: {expected}, but are {found}"


def owners(framing: Framing) -> None:
    """Each answer is that of the sequence and the step that it is said to be for."""
    given = sequences(framing)
    if not given:
        return
    samples = framed(framing, *given)
    asked = samples.y.reshape(*samples.step.shape, SIZE)
    trained = samples.sequence[: samples.trained]
    owned = sorted(set(trained.tolist()))
    rule = "samples to train on must belong to every sequence, in order"
    ordered = owned == list(range(len(given))) and (np.diff(trained) >= 0).all()
    assert ordered, f"{rule}, but belong to {owned} of {len(given)}"
    for row, number in enumerate(samples.sequence):
        sequence = given[number]
        for place, step in enumerate(samples.step[row]):
            told = f"sample {row}, of step {step} of sequence {number}"
            assert -1 <= step < len(sequence), f"{told}: there is no such step"
            scored = bool(step >= 0 and sequence.scored[step])
            found = bool(samples.scored[row, place])
            assert found == scored, f"{told}: scored must be {scored}, but is {found}"
            target = np.eye(SIZE)[sequence.targets[step]] if step >= 0 else np.zeros(SIZE)
            rule = "y must be that step's target, and nothing for padding"
            assert (asked[row, place] == target).all(), f"{told}: {rule}, but is not"


def look_ahead(framing: Framing) -> None:
    """No sample shows anything later than the step that it answers, and no answers.

    Tried out: inputs after a step, and all targets, are changed; what was shown until then stays.
    """
    for sequence in sequences(framing):
        before = framed(framing, sequence)
        if not np.array_equal(before.x, framed(framing, sequence).x):
            return  # it draws at random: see determinism
        for step in range(len(sequence)):
            later = np.arange(len(sequence)) > step
            inputs = np.where(later, (sequence.inputs + 1) % SIZE, sequence.inputs)
            targets = (sequence.targets + 1) % SIZE
            after = framed(framing, Sequence(inputs, targets, sequence.scored))
            for row, place in np.argwhere((before.step >= 0) & (before.step <= step)):
                end = place + 1 if framing.every_step else None
                rule = f"must not show later steps than {step}, which it answers"
                same = np.array_equal(before.x[row, :end], after.x[row, :end])
                assert same, f"sample {row} of a sequence of {len(sequence)} steps {rule}, but does"


def unseen(framing: Framing) -> None:
    """Unseen sequences come last, are not trained on, and are all that is judged."""
    given = sequences(framing)
    if not given:
        return
    train, other = given[-1], probe(len(given[-1]))
    samples = framing.samples(Problem((train,), (other,)), SIZE, "onehot", 0)
    own = int((samples.sequence[: samples.trained] == 0).sum())
    told = f"but of {samples.trained} trained samples {own} are of the sequence to train on"
    assert own == samples.trained > 0, f"unseen sequences must not be trained on, {told}"
    late = (samples.sequence[samples.trained :] == 1).any()
    assert late, "samples of unseen sequences must come after those trained on, but there are none"


def determinism(framing: Framing) -> None:
    """A seed gives the same samples again, whatever the global generators do."""
    given, found = sequences(framing), []
    if not given:
        return
    kept, kept_too = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        for state in (1, 2):
            random.seed(state)
            np.random.seed(state)  # noqa: NPY002
            found.append(framed(framing, *given))
    finally:
        random.setstate(kept)
        np.random.set_state(kept_too)  # noqa: NPY002
    same = all(np.array_equal(getattr(found[0], name), getattr(found[1], name))
               for name in ("x", "y", "step", "scored"))  # fmt: skip
    assert same, "the same seed must give the same samples, but does not; draw from rng alone"


def query(framing: Framing) -> None:
    """What asks for the step after some past looks as a training sample does."""
    for sequence in sequences(framing):
        x = framed(framing, sequence).x
        for steps in range(1, len(sequence) + 1):
            past = encode(sequence.inputs[:steps], SIZE, "onehot")
            asked = framing.query(past, x.shape[1])
            rule = f"query of {steps} steps must be (k, {x.shape[1]}, {x.shape[2]}), as x is"
            fitting = len(asked) >= 1 and asked.shape[1:] == x.shape[1:]
            assert fitting, f"{rule}, but is {asked.shape}"


FRAMING_CHECKS: dict[str, Callable[[Framing], None]] = {
    check.__name__: check
    for check in (
        value, fits, indices, padding, count, width, shapes, owners, look_ahead, unseen,
        determinism, query,
    )
}  # fmt: skip
